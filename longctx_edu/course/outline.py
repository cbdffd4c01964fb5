"""The course at a glance: its lessons and exercises, each read where it is known.

The exercises are the checks that a lesson's module shows, read without importing it;
numbers, titles and order are those of `lessons/`, where that folder can be found.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from longctx_edu.errors import UserError, unknown_name

PACKAGE = Path(__file__).resolve().parents[1]
HEADING = re.compile(r"# ## Exercise (\d+\.\d+) · (.+)")
CALL = re.compile(r"check_(\w+)\(")


@dataclass(frozen=True)
class Exercise:
    """One function that a learner writes.

    Args:
        lesson: The number of its lesson, two digits.
        name: The function.
        number: As its heading has it, "5.4"; empty where lessons/ is not at hand.
        title: Its heading; as empty.
    """

    lesson: str
    name: str
    number: str = ""
    title: str = ""

    @property
    def key(self) -> str:
        """What progress is noted under."""
        return f"{self.lesson}/{self.name}"

    def __str__(self) -> str:
        return f"{self.number} {self.name}".strip()


@dataclass(frozen=True)
class Lesson:
    """A lesson and its exercises, in the order in which a learner meets them.

    Args:
        number: Two digits.
        stem: What its files are called; empty where lessons/ is not at hand.
        title: Its heading; as empty.
        exercises: What there is to write.
    """

    number: str
    stem: str
    title: str
    exercises: tuple[Exercise, ...]

    @property
    def notebook(self) -> str:
        """Where its exercises stand, from the course's folder."""
        return f"exercises/{self.stem or self.number}.ipynb"


def course_folder(start: Path | None = None) -> Path | None:
    """Find the folder of the course, with lessons/ and exercises/ in it.

    Args:
        start: Where to look first, then in the folders above it, at last beside the
            package; the current folder if None.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents, PACKAGE.parent):
        if (folder / "lessons").is_dir() and (folder / "exercises").is_dir():
            return folder
    return None


def need_course_folder() -> Path:
    """Find the folder of the course, or say where to stand.

    Raises:
        UserError: If it is neither here nor above.
    """
    folder = course_folder()
    if folder is None:
        raise UserError(
            f"need the course's folder, with lessons/ and exercises/, got {Path.cwd()}:"
            " go into it and say this again"
        )
    return folder


def lessons(folder: Path | None = None) -> list[Lesson]:
    """List the lessons that have checks.

    Args:
        folder: Of the course; the one that is found if None.
    """
    folder = folder or course_folder()
    modules = sorted((PACKAGE / "checks").glob("lesson_[0-9][0-9].py"))
    return [_lesson(module, folder) for module in modules]


def find_lesson(name: str, known: list[Lesson]) -> Lesson:
    """Find a lesson by its number, its file or its topic.

    Args:
        name: "5", "05", "05_structured_attention", "structured_attention", or a path.
        known: The lessons.

    Raises:
        UserError: If none is called so.

    Example:
        >>> find_lesson("5", [Lesson("05", "05_topic", "Topic", ())]).stem
        '05_topic'
    """
    stem = Path(name).name.removesuffix(".ipynb").lower()
    number = stem.zfill(2) if stem.isdigit() else ""
    for lesson in known:
        topic = lesson.stem.partition("_")[2]
        if number == lesson.number or (topic and stem in (lesson.stem, topic)):
            return lesson
    raise unknown_name("lesson", name, [each.stem or each.number for each in known])


def checks_of(module: Path) -> list[str]:
    """Read the names of a module's checks without importing it.

    Args:
        module: A file with `__all__`.
    """
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and "__all__" in map(ast.unparse, node.targets):
            shown = ast.literal_eval(node.value)
            return [n.removeprefix("check_") for n in shown if n.startswith("check_")]
    return []


def _lesson(module: Path, folder: Path | None) -> Lesson:
    """Join what the checks know with what the lesson's sources say."""
    number = module.stem.removeprefix("lesson_")
    names = checks_of(module)
    sources = sorted((folder / "lessons").glob(f"{number}_*.py")) if folder else []
    if not sources:
        return Lesson(number, "", "", tuple(Exercise(number, name) for name in names))
    told, title = {}, ""
    for source in sources:
        text = source.read_text(encoding="utf-8")
        told.update({each.name: each for each in _headings(text, number)})
        first = re.search(rf"^# # {number} · (.+)$", text, re.MULTILINE)
        title = title or (first[1] if first else "")
    ordered = [name for name in told if name in names]
    ordered += [name for name in names if name not in told]
    exercises = tuple(told.get(name, Exercise(number, name)) for name in ordered)
    return Lesson(number, sources[0].stem.removesuffix("_exercises"), title, exercises)


def _headings(text: str, number: str) -> Iterator[Exercise]:
    """Give each exercise with the heading above the cell that runs its check."""
    heading = Exercise(number, "")
    for line in text.split("\n"):
        if found := HEADING.fullmatch(line):
            heading = replace(heading, number=found[1], title=found[2])
        elif found := CALL.match(line):
            yield replace(heading, name=found[1])
