"""What is wrong with a notebook that was run in the browser, in words, cell by cell.

Each function takes what `NotebookPage.read` returns and gives sentences; none is good.
"""

import re

from lab_page import WIDGET as WIDGET_JS
from lab_page import NotebookPage
from nbformat import NotebookNode

PNG, WIDGET = "image/png", "application/vnd.jupyter.widget-view+json"
FOLLOW_S = 60
OUTPUTS = f"""(id) => {{ {WIDGET_JS}
    const cell = w.content.widgets.find(c => c.model.id === id);
    return JSON.stringify(cell.model.outputs.toJSON()); }}"""
CHANGED = f"([id, before]) => ({OUTPUTS})(id) !== before"
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.S)
FORMULA = re.compile(r"\$\$.+?\$\$|\$[^$]+\$", re.S)


def error_faults(cells: list[dict], *, blank: bool = False) -> list[str]:
    """Name cells that stopped, or never ran; a blank may say that it is one."""
    said = []
    for cell in cells:
        if cell["type"] != "code" or not cell["source"].strip():
            continue
        for output in cell["outputs"]:
            if output["output_type"] != "error":
                continue
            waits = output["ename"] == "NotImplementedError" and blank
            if not (waits and "raises-exception" in cell["tags"]):
                said.append(f"{cell['id']}: {output['ename']}: {output['evalue']}")
        if cell["count"] is None:
            said.append(f"{cell['id']} did not run")
    return said


def pictures(outputs: list) -> int:
    """Count the pictures among a cell's outputs."""
    return sum(PNG in output.get("data", {}) for output in outputs)


def figure_faults(cells: list[dict], stored: NotebookNode) -> list[str]:
    """Name cells that show fewer pictures than they hold, or than they held before."""
    before = {c.id: pictures(c.get("outputs", [])) for c in stored.cells}
    said = []
    for cell in cells:
        if cell["type"] != "code":
            continue
        holds, held = pictures(cell["outputs"]), before.get(cell["id"], 0)
        if holds < held:
            said.append(f"{cell['id']} holds {holds} figures, {held} before")
        if cell["images"] < holds:
            said.append(f"{cell['id']} shows {cell['images']} of {holds} figures")
    return said


def formulas_in(text: str) -> int:
    r"""Count the formulas of a text cell, those in code left out.

    >>> formulas_in("$n$ keys cost $n^2$, `$HOME` nothing")
    2
    """
    return len(FORMULA.findall(CODE.sub("", text)))


def formula_faults(cells: list[dict]) -> list[str]:
    """Name text cells whose formulas are left as they were typed, or broken."""
    said = []
    for cell in cells:
        if cell["type"] != "markdown":
            continue
        written = formulas_in(cell["source"])
        if CODE.sub("", cell["source"]).replace("$$", "$").count("$") % 2:
            said.append(f"{cell['id']} opens a formula and does not close it")
        if cell["formulas"] < written:
            said.append(f"{cell['id']} shows {cell['formulas']} of {written} formulas")
        if cell["wrong"]:
            said.append(f"{cell['id']} shows {cell['wrong']} formulas as an error")
    return said


def folds_in(cell: dict) -> int:
    """Count the hints of a text cell, and the folded answers under a code cell."""
    if cell["type"] == "markdown":
        return cell["source"].count("<details")
    shown = [output.get("data", {}) for output in cell["outputs"]]
    parts = [data.get("text/html", data.get("text/markdown", "")) for data in shown]
    return sum("".join(part).count("<details") for part in parts)


def fold_faults(page: NotebookPage, cells: list[dict]) -> list[str]:
    """Open every fold by a click; name cells where one is missing or stays shut."""
    said = []
    for cell in cells:
        written = folds_in(cell)
        if cell["folds"] != written:
            said.append(f"{cell['id']} shows {cell['folds']} of {written} folds")
        folds = page.node(cell["id"]).locator("details") if cell["folds"] else None
        for n in range(cell["folds"]):
            fold = folds.nth(n)
            shut = fold.bounding_box()["height"]
            if fold.evaluate("fold => fold.open"):
                said.append(f"{cell['id']}: fold {n} is open from the start")
                continue
            fold.locator("summary").first.click()
            is_open = fold.evaluate("fold => fold.open")
            if not is_open or fold.bounding_box()["height"] <= shut:
                said.append(f"{cell['id']}: fold {n} does not open")
    return said


def slider_faults(page: NotebookPage, cells: list[dict]) -> list[str]:
    """Move the first slider of each cell by a key; name cells where nothing follows."""
    said = []
    for cell in cells:
        if not any(WIDGET in output.get("data", {}) for output in cell["outputs"]):
            continue
        sliders = page.node(cell["id"]).get_by_role("slider")
        if not sliders.count():
            continue
        before = page.page.evaluate(OUTPUTS, cell["id"])
        sliders.first.focus()
        page.page.keyboard.press("ArrowRight")
        try:
            what = f"the outputs of {cell['id']} to follow its slider"
            page.wait(CHANGED, what, FOLLOW_S, [cell["id"], before])
        except AssertionError as late:
            said.append(str(late))
    return said
