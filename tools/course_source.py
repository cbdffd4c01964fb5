"""Turn a lesson's percent script into notebooks: read, blank, solve, compare, scrub.

`lessons/NN_topic.py` gives the lesson, `lessons/NN_topic_exercises.py` gives the blank
exercise and its solution. Nothing here executes a cell: build_notebooks.py does.
"""

import copy
import re
from dataclasses import dataclass
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
CELL = re.compile(r"^# %%")
EXERCISES = "_exercises"
METADATA = {
    "kernelspec": {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    },
    "language_info": {"name": "python"},
}
WIDGET = "application/vnd.jupyter.widget-view+json"


class SourceError(Exception):
    """A percent script that cannot become a notebook: file, line, what to do."""

    def __init__(self, path: Path, line: int, message: str):
        super().__init__(f"{path}:{line}: {message}")


@dataclass(frozen=True)
class Product:
    """One notebook to build: from which source, where to, and in which form."""

    source: Path
    folder: str

    @property
    def stem(self) -> str:
        """The name that lesson, exercise and solution share."""
        return self.source.stem.removesuffix(EXERCISES)

    @property
    def target(self) -> Path:
        """Where the notebook stands."""
        return self.source.parent.parent / self.folder / f"{self.stem}.ipynb"

    @property
    def executed(self) -> bool:
        """Whether the notebook carries outputs; a blank carries none."""
        return self.folder != "exercises"


def products(root: Path) -> list[Product]:
    """List every notebook that the sources under `root`/lessons ask for."""
    found = []
    for source in sorted((root / "lessons").glob("[0-9]*.py")):
        exercises = source.stem.endswith(EXERCISES)
        folders = ("exercises", "solutions") if exercises else ("notebooks",)
        found += [Product(source, folder) for folder in folders]
    return found


def cell_lines(text: str) -> list[int]:
    """Give the line, counted from 1, at which each cell of a script starts."""
    return [n for n, line in enumerate(text.split("\n"), 1) if CELL.match(line)]


def check_source(path: Path, text: str) -> None:
    """Refuse code before the first cell and solution markers that do not pair up."""
    opened = 0
    started = False
    for n, line in enumerate(text.split("\n"), 1):
        started = started or bool(CELL.match(line))
        if not started and line.strip() and not line.startswith("#"):
            raise SourceError(path, n, "need a '# %%' line before the first code")
        if opened and CELL.match(line):
            raise SourceError(path, opened, f"need {END!r} in the same cell")
        if line.strip() == BEGIN:
            if opened:
                raise SourceError(path, n, f"a second {BEGIN!r} before {END!r}")
            if not path.stem.endswith(EXERCISES):
                raise SourceError(path, n, f"{BEGIN!r} belongs in *{EXERCISES}.py")
            opened = n
        elif line.strip() == END:
            if not opened:
                raise SourceError(path, n, f"{END!r} without {BEGIN!r} before it")
            opened = 0
        elif "BEGIN SOLUTION" in line or "END SOLUTION" in line:
            raise SourceError(path, n, f"a marker stands alone: {BEGIN!r} or {END!r}")
    if opened:
        raise SourceError(path, opened, f"need {END!r} in the same cell")
    if not started:
        raise SourceError(path, 1, "need at least one cell, a '# %%' line")


def read_source(path: Path) -> NotebookNode:
    """Read a percent script as a notebook with cell ids of our own, `<stem>-<nnn>`.

    Comment lines before the first cell are notes to the author and are left out.
    """
    text = path.read_text(encoding="utf-8")
    check_source(path, text)
    body = "\n".join(text.split("\n")[cell_lines(text)[0] - 1 :])
    notebook = jupytext.reads(body, fmt="py:percent")
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    stem = path.stem.removesuffix(EXERCISES)[:60]
    for n, cell in enumerate(notebook.cells):
        cell.id = f"{stem}-{n:03d}"
        cell.metadata = nbformat.from_dict(
            {"tags": sorted(set(cell.metadata["tags"]))}
            if cell.metadata.get("tags")
            else {}
        )
    return notebook


def tags(cell: NotebookNode) -> list[str]:
    """Give a cell's tags, [] where it has none."""
    return list(cell.metadata.get("tags", []))


def solved(notebook: NotebookNode) -> NotebookNode:
    """Leave out the marker lines."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            kept = [
                li for li in cell.source.split("\n") if li.strip() not in (BEGIN, END)
            ]
            cell.source = "\n".join(kept)
    return notebook


def blank_cell(source: str) -> tuple[str, bool]:
    """Put a stub for each solution; also tell whether running the cell itself raises.

    Example:
        >>> print(blank_cell('''def f(x):
        ...     ### BEGIN SOLUTION
        ...     return x
        ...     ### END SOLUTION''')[0])
        def f(x):
            # YOUR CODE HERE
            raise NotImplementedError
    """
    lines, inside, raises = [], False, False
    for line in source.split("\n"):
        if line.strip() == BEGIN:
            inside = True
            indent = line[: len(line) - len(line.lstrip())]
            raises = raises or not indent
            lines += [indent + "# YOUR CODE HERE", indent + "raise NotImplementedError"]
        elif line.strip() == END:
            inside = False
        elif not inside:
            lines.append(line)
    return "\n".join(lines), raises


def blank(notebook: NotebookNode) -> NotebookNode:
    """Stub every solution; let "Run all" pass the cells that need one.

    A cell tagged `needs-solution`, or whose answer stands outside a function, raises
    NotImplementedError on the blank: `raises-exception` makes Jupyter go on.
    """
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        cell.source, raises = blank_cell(cell.source)
        cell.outputs, cell.execution_count = [], None
        if raises or "needs-solution" in tags(cell):
            cell.metadata["tags"] = sorted({*tags(cell), "raises-exception"})
    return notebook


def unexecuted(product: Product) -> NotebookNode:
    """Give a product's notebook as its source has it, without outputs."""
    notebook = read_source(product.source)
    return blank(notebook) if product.folder == "exercises" else solved(notebook)


def scrub(notebook: NotebookNode) -> NotebookNode:
    """Take out what differs from run to run: addresses, widget state, versions."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        cell.outputs = [o for o in cell.outputs if WIDGET not in o.get("data", {})]
        for output in cell.outputs:
            output.pop("transient", None)
            if "text" in output:
                output["text"] = without_addresses(output["text"])
            for kind, value in output.get("data", {}).items():
                if kind.startswith("text/") and isinstance(value, str):
                    output["data"][kind] = without_addresses(value)
    return notebook


def without_addresses(text: str) -> str:
    """Replace memory addresses by one word.

    Example:
        >>> without_addresses("<object at 0x7f3a12345678>")
        '<object at 0xADDRESS>'
    """
    return re.sub(r"\b0x[0-9a-f]{8,}\b", "0xADDRESS", text)


def differences(product: Product) -> list[str]:
    """Say how a built notebook differs from its source, outputs left aside."""
    if not product.target.exists():
        return ["is missing"]
    try:
        built = nbformat.read(product.target, as_version=4)
    except Exception as error:
        return [f"is no notebook: {error}"]
    wanted = unexecuted(product)
    said = []
    if len(built.cells) != len(wanted.cells):
        said.append(f"has {len(built.cells)} cells, its source {len(wanted.cells)}")
    for cell, want in zip(built.cells, wanted.cells, strict=False):
        parts = ("cell_type", "id", "source")
        changed = [part for part in parts if cell.get(part) != want.get(part)]
        changed += ["tags"] if tags(cell) != tags(want) else []
        if changed:
            said.append(f"cell {want.id}: {' and '.join(changed)} differ")
    code = [cell for cell in built.cells if cell.cell_type == "code"]
    if product.executed and any(c.execution_count is None for c in code if c.source):
        said.append("has cells that were not executed")
    if not product.executed and any(c.outputs or c.execution_count for c in code):
        said.append("is a blank and holds outputs")
    return said
