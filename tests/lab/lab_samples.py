"""Two small notebooks: one with all that a lesson shows, and a damaged copy of it."""

import copy

from course_source import METADATA
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

CELLS = {
    "text": "# A sample\n\nA window has $n (1 + l + r)$ pairs; `$HOME` is no formula.",
    "display": "$$\\frac{a}{b} = \\sum_{i=1}^{n} x_i$$",
    "hint": "<details><summary>Hint 1: a nudge</summary>\nLook left.\n</details>",
    "imports": "import torch\n\nfrom longctx_edu.course import guess\n"
    "from longctx_edu.plotting import plot_mask",
    "figure": "plot_mask(torch.eye(4).bool(), title='itself')",
    "guess": "guess(4)",
    "sliders": "from longctx_edu.playground import playground\n\nplayground()",
    "last": "1 + 1",
}
TEXTS = ("text", "display", "hint")
FIGURES = ("figure", "sliders")


def sound() -> NotebookNode:
    """Make the sound notebook; its figures are stored, so that they are expected."""
    cells = []
    for name, source in CELLS.items():
        if name in TEXTS:
            cells.append(new_markdown_cell(source, id=name))
            continue
        cell = new_code_cell(source, id=name)
        if name in FIGURES:
            cell.outputs = [new_output("display_data", {"image/png": ""})]
        cells.append(cell)
    return new_notebook(cells=cells, metadata=METADATA)


def damaged() -> NotebookNode:
    """Copy it with one thing wrong in each of five cells."""
    notebook = copy.deepcopy(sound())
    changed = {
        "text": CELLS["text"].replace("r)$", "r) \\frac{1$"),
        "display": "$$ \\nosuchcommand{a} $$",
        "hint": CELLS["hint"].replace("details>", "details open>", 1),
        "figure": "# plot_mask(torch.eye(4).bool())",
        "sliders": "1 / 0",
    }
    for cell in notebook.cells:
        cell.source = changed.get(cell.id, cell.source)
    return notebook
