"""A fresh blank of an exercise notebook, from the course's own source; nothing is lost.

The source is `lessons/NN_topic_exercises.py`, and `tools/course_source.py` beside it
makes of it the same bytes as the blank that the course came with.
"""

import importlib.util
import os
from pathlib import Path
from types import ModuleType

from longctx_edu.course.outline import Lesson
from longctx_edu.errors import UserError
from longctx_edu.writing import write_whole


def reset(lesson: Lesson, folder: Path) -> Path | None:
    """Put a fresh blank in the place of a lesson's exercises, and keep the old file.

    Args:
        lesson: Which.
        folder: Of the course.

    Returns:
        Where the old notebook is now, `NN_topic.before-1.ipynb` or the next free
        number; None where there was none, or a blank as fresh as the new one.

    Raises:
        UserError: If the course's source, or what reads it, is missing.
        OSError: If a file cannot be read or written; the old one is still there then.
    """
    fresh = blank_text(lesson, folder)
    place = folder / lesson.notebook
    old = place.read_bytes() if place.exists() else None
    if old == fresh.encode("utf-8"):
        return None
    kept = keep(place, old) if old is not None else None
    write_whole(place, lambda path: path.write_text(fresh, encoding="utf-8"))
    return kept


def keep(place: Path, content: bytes) -> Path:
    """Write a file's content beside it, under the first free name.

    Args:
        place: The file.
        content: What it holds.
    """
    n = 1
    while True:
        kept = place.with_name(f"{place.stem}.before-{n}{place.suffix}")
        try:
            with open(kept, "xb") as handle:
                handle.write(content)
                handle.flush()
                os.fsync(handle.fileno())
        except FileExistsError:
            n += 1
        else:
            return kept


def blank_text(lesson: Lesson, folder: Path) -> str:
    """Make the blank of a lesson's exercises.

    Args:
        lesson: Which.
        folder: Of the course.

    Raises:
        UserError: If the course's source, or what reads it, is missing.
    """
    source = folder / "lessons" / f"{lesson.stem}_exercises.py"
    if not source.is_file():
        raise UserError(f"need the course's source {source}, got no such file")
    maker = course_source(folder)
    import nbformat

    blank = maker.unexecuted(maker.Product(source, "exercises"))
    text = nbformat.writes(blank)
    return text + "\n" * (not text.endswith("\n"))


def course_source(folder: Path) -> ModuleType:
    """Load what turns a lesson's source into notebooks.

    Args:
        folder: Of the course.

    Raises:
        UserError: If it, or a package that it needs, is missing.
    """
    tool = folder / "tools" / "course_source.py"
    if not tool.is_file():
        raise UserError(f"need the course's own {tool}, got no such file")
    spec = importlib.util.spec_from_file_location("longctx_course_source", tool)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except ModuleNotFoundError as missing:
        raise UserError(
            f"need the package {missing.name} to make a blank, got none: install the "
            "course with make setup, or pip install jupytext nbformat"
        ) from None
    return module
