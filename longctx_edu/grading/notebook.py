"""Reads what a learner handed in: a notebook of any version, or a Python file."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from longctx_edu.errors import UserError

__all__ = ["Cell", "Refused", "cells_of", "read_cells"]

MOST_BYTES, MOST_CODE = 2**26, 2**20
BORDER = re.compile(r"^# ?%%(.*)$", re.MULTILINE)
TAGS = re.compile(r"tags=\[([^\]]*)\]")
MARKDOWN = re.compile(r"\[(markdown|md|raw)\]")


class Refused(UserError):
    """A submission that cannot be graded; the message says why."""


@dataclass(frozen=True)
class Cell:
    """A cell of code.

    Args:
        number: Its place among the cells of code, from 1.
        source: The code.
        tags: What the course marked it with.
    """

    number: int
    source: str
    tags: tuple[str, ...] = ()


def read_cells(path: Path) -> list[Cell]:
    """Read the cells of code of a submission.

    Args:
        path: A notebook or a Python file.

    Raises:
        Refused: If it is neither, or cannot be read.
    """
    text = text_of(path)
    cells = cells_of(text, notebook=path.suffix.lower() == ".ipynb")
    if not cells:
        raise Refused("need code, got none: the file is empty or holds text alone")
    if sum(len(cell.source) for cell in cells) > MOST_CODE:
        raise Refused(f"need at most {MOST_CODE:,} letters of code: is it a data file?")
    return cells


def text_of(path: Path) -> str:
    """Read a file's text, or say why it cannot be read."""
    if path.suffix.lower() not in (".ipynb", ".py"):
        raise Refused(f"need a notebook or a .py file, got {path.suffix or 'neither'}")
    if path.is_symlink():
        raise Refused("it is a link: hand in the file itself")
    if not path.exists():
        raise Refused("there is no such file")
    if not path.is_file():
        raise Refused("need a file, got a folder of that name")
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise Refused(
                f"need at most {MOST_BYTES >> 20} MiB, got {size >> 20} MiB: clear the "
                "outputs and save it again"
            )
        data = path.read_bytes()
    except OSError as error:
        raise Refused(f"it cannot be read: {error.strerror}") from None
    if not data.strip():
        raise Refused("the file is empty")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        wrong = f"byte {data[error.start]:#04x} at place {error.start}"
        raise Refused(f"need UTF-8, got {wrong}: save it again as UTF-8") from None


def cells_of(text: str, *, notebook: bool) -> list[Cell]:
    r"""Cut a text into cells of code.

    Args:
        text: Of the file.
        notebook: Whether it is one; a Python file is cut at `# %%`, if it has any.

    Raises:
        Refused: If it should be a notebook, and is none.

    Example:
        >>> cells = cells_of("# %%\na = 1\n# %%\nb", notebook=False)
        >>> [cell.source for cell in cells]
        ['a = 1', 'b']
    """
    pairs = list(notebook_cells(text) if notebook else script_cells(text))
    kept = [(source, tags) for source, tags in pairs if source.strip()]
    return [Cell(n, source, tags) for n, (source, tags) in enumerate(kept, 1)]


def script_cells(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Give the cells of a Python file."""
    head, *parts = BORDER.split(text.replace("\r\n", "\n"))
    yield head.strip("\n"), ()
    for marks, source in zip(parts[::2], parts[1::2], strict=True):
        if MARKDOWN.search(marks):
            continue
        found = TAGS.search(marks)
        names = re.findall(r'"([^"]*)"', found[1]) if found else []
        yield source.strip("\n"), tuple(names)


def notebook_cells(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Give the cells of a notebook, of version 4, 3 or 2."""
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refused(f"it is no notebook: no JSON, {str(error)[:80]}") from None
    if not isinstance(whole, dict):
        raise Refused("it is no notebook: JSON, but without cells")
    cells = whole.get("cells")
    if cells is None:
        sheets = whole.get("worksheets")
        sheets = sheets if isinstance(sheets, list) else []
        found = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)]
        cells = [cell for part in found if isinstance(part, list) for cell in part]
    if not isinstance(cells, list):
        raise Refused("it is no notebook: JSON, but without cells")
    for cell in cells:
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            yield source_of(cell), tags_of(cell)


def source_of(cell: dict[str, Any]) -> str:
    """Give the code of a cell; old versions call it input."""
    found = cell.get("source", cell.get("input", ""))
    parts = found if isinstance(found, list) else [found]
    return "".join(part for part in parts if isinstance(part, str))


def tags_of(cell: dict[str, Any]) -> tuple[str, ...]:
    """Give the tags of a cell."""
    marks = cell.get("metadata")
    tags = marks.get("tags") if isinstance(marks, dict) else None
    return (
        tuple(t for t in tags if isinstance(t, str)) if isinstance(tags, list) else ()
    )
