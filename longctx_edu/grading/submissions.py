"""Finds what was handed in: a file a learner, or a folder a learner."""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from longctx_edu.course.outline import Lesson, find_lesson
from longctx_edu.errors import UserError
from longctx_edu.grading.notebook import Cell, Refused

__all__ = ["Found", "find_submissions", "lesson_of"]

KINDS = (".ipynb", ".py")
IMPORTED = re.compile(r"longctx_edu\.checks\.lesson_(\d\d)")
DEFINED = re.compile(r"^def (\w+)\(", re.MULTILINE)
DEEPEST = 4


@dataclass(frozen=True)
class Found:
    """A file that was handed in.

    Args:
        learner: By the name of the file, or of the learner's folder.
        path: Where it is.
        refused: Why it cannot be graded; empty where it may be.
    """

    learner: str
    path: Path
    refused: str = ""


def find_submissions(folder: Path) -> list[Found]:
    """List what was handed in, in the order of its names.

    Args:
        folder: With a file, or a folder, for each learner; or a single file.

    Raises:
        UserError: If there is nothing.
    """
    if folder.is_file():
        return [Found(folder.stem, folder)]
    if not folder.is_dir():
        raise UserError(f"need a folder of submissions, got {folder}: there is none")
    found: list[Found] = []
    for path in sorted(folder.iterdir()):
        if not path.name.startswith((".", "_")):
            found += of_learner(path)
    if not found:
        raise UserError(f"need submissions in {folder}, got none")
    return found


def of_learner(path: Path) -> list[Found]:
    """List the files of a learner."""
    name = unicodedata.normalize("NFC", path.name)
    if path.is_symlink() or not path.is_dir():
        return [Found(Path(name).stem, path)]
    if path.suffix.lower() in KINDS:
        why = "need a file, got a folder of that name"
        return [Found(Path(name).stem, path, why)]
    files = [
        each
        for each in sorted(path.rglob("*"))
        if each.suffix.lower() in KINDS
        and len(each.relative_to(path).parts) <= DEEPEST
        and not any(p.startswith((".", "_")) for p in each.relative_to(path).parts)
    ]
    notebooks = [each for each in files if each.suffix.lower() == ".ipynb"]
    kept = notebooks or files
    if not kept:
        why = "need a notebook or a .py file in the folder, got neither"
        return [Found(name, path, why)]
    return [Found(name, each) for each in kept]


def lesson_of(
    found: Found, cells: list[Cell], known: list[Lesson], given: str | None
) -> Lesson:
    """Tell which lesson a submission is of.

    Args:
        found: The file.
        cells: Its code.
        known: All lessons.
        given: What the teacher says; None to find out.

    Raises:
        Refused: If nobody can tell.
    """
    if given:
        return find_lesson(given, known)
    text = "\n".join(cell.source for cell in cells)
    by_number = {lesson.number: lesson for lesson in known}
    imported = {n for n in IMPORTED.findall(text) if n in by_number}
    if len(imported) == 1:
        return by_number[imported.pop()]
    for name in (found.path.stem, found.path.parent.name):
        for lesson in known:
            if lesson.stem and lesson.stem in name:
                return lesson
        numbers = [n for n in re.findall(r"(?<!\d)\d\d(?!\d)", name) if n in by_number]
        if len(numbers) == 1:
            return by_number[numbers[0]]
    names = set(DEFINED.findall(text))
    fits = Counter(
        {one.number: sum(e.name in names for e in one.exercises) for one in known}
    ).most_common(1)
    if fits and fits[0][1] >= 2:
        return by_number[fits[0][0]]
    raise Refused(
        "need the number of its lesson in the name, 05_..., or its checks among the "
        "imports, got neither: --lesson says it"
    )
