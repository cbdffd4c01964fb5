"""The lab as a learner meets it: server, browser, notebooks, an exercise, sliders.

A short form is part of every run; `make test-lab` opens every notebook of the course.
"""

import nbformat
import pytest

pytest.importorskip("playwright.sync_api", reason="need playwright to drive a browser")

import lab_samples
from lab_faults import (
    error_faults,
    figure_faults,
    fold_faults,
    formula_faults,
    formulas_in,
    slider_faults,
)
from lab_server import COPIED, ROOT
from machinery import notebooks_of

pytestmark = pytest.mark.timeout(900)

EXERCISE = "exercises/05_structured_attention.ipynb"
WRONG = """def window_mask(n_token, left, right):
    i = torch.arange(n_token)
    return (i - i[:, None]).abs() <= left
"""
RIGHT = """def window_mask(n_token, left, right):
    i = torch.arange(n_token)
    offset = i - i[:, None]
    return (offset >= -left) & (offset <= right)
"""


OTHER_PICTURE = """(source) => {
    const picture = document.querySelector('[data-cell=sliders] img');
    return picture?.naturalWidth > 0 && picture.src !== source; }"""
HOLDS = """(words) => {
    const cells = window.jupyterapp.shell.currentWidget.content.model.cells;
    const sliders = Array.from(cells).find(cell => cell.id === 'sliders');
    return JSON.stringify(sliders.outputs.toJSON()).includes(words); }"""


def pytest_generate_tests(metafunc):
    if "notebook" not in metafunc.fixturenames:
        return
    whole = metafunc.config.getoption("--whole-lab")
    chosen = sorted(
        path.relative_to(ROOT).as_posix()
        for path in notebooks_of(*COPIED)
        if whole or (path.parent.name == "notebooks" and path.name.startswith("00"))
    )
    metafunc.parametrize("notebook", chosen)


def put(lab, name, notebook):
    nbformat.write(notebook, lab.course / f"{name}.ipynb")
    return f"{name}.ipynb"


def faults(page, cells, stored, *, blank=False):
    """Collect what is wrong with a notebook that was run, of every kind."""
    return [
        *error_faults(cells, blank=blank),
        *figure_faults(cells, stored),
        *formula_faults(cells),
        *fold_faults(page, cells),
        *slider_faults(page, cells),
        *page.complaints,
    ]


def formulas_of(notebook):
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    return sum(map(formulas_in, texts))


def test_a_notebook_runs_and_shows_all(open_notebook, notebook):
    stored = nbformat.read(ROOT / notebook, as_version=4)
    page = open_notebook(notebook)
    cells = page.run_all(formulas_of(stored))
    assert [cell["id"] for cell in cells] == [cell.id for cell in stored.cells]
    blank = notebook.startswith("exercises")
    assert faults(page, cells, stored, blank=blank) == []


def text_of(cell):
    """Join what a cell's model holds as text."""
    data = [output.get("data", {}) for output in cell["outputs"]]
    return "\n".join("".join(part.get("text/plain", "")) for part in data)


def test_a_learner_errs_is_helped_and_passes(open_notebook, lab, shots):
    lab.progress_file.unlink(missing_ok=True)  # solutions that were run are noted too
    page = open_notebook(EXERCISE)
    cells = page.read()
    asked = next(c["id"] for c in cells if c["source"].startswith("def window_mask"))
    check = next(c["id"] for c in cells if c["source"].startswith("check_window_mask"))
    page.run(next(c["id"] for c in cells if c["type"] == "code"))

    page.run(asked)
    assert "not started" in text_of(page.run(check))
    assert lab.progress == {}

    page.write(asked, WRONG)
    page.run(asked)
    said = text_of(page.run(check))
    assert "✗ window_mask: left=2, right=0" in said
    assert "hint: right has its own number; |key - query| <= left" in said
    shown = page.node(check).inner_text()
    assert "hint: right has its own number" in shown
    assert "lesson 05: 0 of 11 done; next: 5.1 window_mask" in shown
    assert lab.progress["05/window_mask"]["status"] == "started"
    page.screenshot(shots, "learner-1-wrong")

    page.write(asked, RIGHT)
    page.run(asked)
    assert text_of(page.run(check)).startswith("✓ window_mask: A token sees")
    shown = page.node(check).inner_text()
    assert "✓ window_mask" in shown
    assert "hint" not in shown
    assert "lesson 05: 1 of 11 done; next: 5.2 dilated_mask" in shown
    tried = lab.progress["05/window_mask"]
    assert (tried["status"], tried["tries"]) == ("done", 2)
    page.screenshot(shots, "learner-2-right")
    assert page.complaints == []


def picture_in(cell):
    (picture,) = [
        o["data"] for o in cell["outputs"] if "image/png" in o.get("data", {})
    ]
    return picture


def test_the_sample_shows_all_and_its_sliders_move_the_picture(
    open_notebook, lab, shots
):
    stored = lab_samples.sound()
    page = open_notebook(put(lab, "sound", stored))
    cells = page.run_all(formulas_of(stored))
    first = picture_in(page.cell("sliders"))
    assert "".join(first["text/plain"]).startswith("154 of 1,024 pairs")
    assert faults(page, cells, stored) == []

    node, first = page.node("sliders"), picture_in(page.cell("sliders"))
    assert "Sliders need a running notebook" in node.inner_text()
    assert "".join(first["text/plain"]).startswith("183 of 1,024 pairs")
    handles = node.get_by_role("slider")
    assert handles.count() == 6
    source = node.locator("img").get_attribute("src")

    left = handles.first  # from 2 keys to many more
    left.scroll_into_view_if_needed()
    box = left.bounding_box()
    page.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + 30, box["y"], steps=3)
    page.page.mouse.up()
    page.wait(OTHER_PICTURE, "the picture to follow the slider", 120, source)
    moved = picture_in(page.cell("sliders"))
    assert moved["image/png"] != first["image/png"]
    assert not "".join(moved["text/plain"]).startswith("183 of")

    source = node.locator("img").get_attribute("src")
    node.get_by_role("checkbox").check()
    page.wait(HOLDS, "the pattern to become causal", 120, "and 0 ahead")
    page.wait(OTHER_PICTURE, "the causal picture", 120, source)
    page.screenshot(shots, "sliders-moved")
    assert page.complaints == []


def test_each_damage_is_named(open_notebook, lab):
    stored = lab_samples.sound()
    page = open_notebook(put(lab, "damaged", lab_samples.damaged()))
    cells = page.run_all(formulas_of(stored))
    assert error_faults(cells) == [
        "sliders: ZeroDivisionError: division by zero",
        "last did not run",
    ]
    assert figure_faults(cells, stored) == [
        "figure holds 0 figures, 1 before",
        "sliders holds 0 figures, 1 before",
    ]
    assert formula_faults(cells) == [
        "text shows 0 of 1 formulas",
        "display shows 1 formulas as an error",
    ]
    assert fold_faults(page, cells) == ["hint: fold 0 is open from the start"]
