"use strict";
const filters = document.querySelector("#filters");
const items = [...document.querySelectorAll("li[data-types]")];
const sections = [...document.querySelectorAll("section[data-kind]")];
const type = document.querySelector("#type");
function show() {
  const on = [...filters.querySelectorAll("input:checked")].map((box) => box.value);
  let n = 0;
  for (const item of items) {
    const is_kind = on.includes(item.closest("section").dataset.kind);
    const is_type = !type.value || item.dataset.types.split(" ").includes(type.value);
    item.hidden = !(is_kind && is_type);
    n += !item.hidden;
  }
  for (const section of sections) {
    section.hidden = !section.querySelector("li:not([hidden])");
  }
  document.querySelector("#shown").textContent =
    `${n.toLocaleString("en")} of ${items.length.toLocaleString("en")} listed errors shown`;
}
if (filters) {
  filters.hidden = false;
  filters.addEventListener("change", show);
  filters.querySelector("button").addEventListener("click", () => {
    filters.reset();
    show();
  });
  show();
}
