"""A course for nbgrader 0.9, made of the exercises' sources, solutions in their marks.

An exercise's cell becomes a solution cell, the cell that runs its check a test cell
with points, and every other cell is locked. nbgrader itself is not needed for it.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from longctx_edu.course.blank import course_source
from longctx_edu.course.outline import Lesson
from longctx_edu.course.put import put_files
from longctx_edu.errors import UserError

CONFIG = '''\
"""Settings for nbgrader; its commands run in this folder.

They run the learners' code with your rights and without a sandbox, on this machine.
Activate the environment that holds longctx_edu: the checks come from there.
"""

import os

c = get_config()
c.CourseDirectory.course_id = "longctx_edu"

# The blank is the course's own. A check says "not started" where it finds this stub.
c.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE\\nraise NotImplementedError"}

# A check gives up after 60 s by itself, and says so in words.
c.Execute.timeout = 300

# nbgrader gives no points where a test cell writes to stderr, be it a warning.
# Our test cells raise an error when a check does not pass: what is written counts not.
c.IgnorePattern.enabled = True
c.IgnorePattern.pattern = "(?s)."

# What learners hand in is not to be noted as the teacher's own progress.
os.environ["LONGCTX_PROGRESS"] = "off"
'''
CALL = re.compile(r"check_(\w+)\(\w+\)")
TEST = """\
from {module} import check_{name}

verdict = {call}
assert verdict.status == "passed", verdict.message
display(verdict)"""


def export(
    chosen: Iterable[Lesson],
    folder: Path,
    course: Path,
    points: Mapping[str, float],
    *,
    overwrite: bool = False,
) -> list[Path]:
    """Write nbgrader's settings, and `source/NN_topic/NN_topic.ipynb` for each lesson.

    Args:
        chosen: The lessons.
        folder: Of longctx_edu's course, with lessons/ in it.
        course: The folder for nbgrader, new or empty.
        points: Of each exercise by its key, "05/window_mask".
        overwrite: Go on in a folder that holds something, and replace there what an
            earlier export wrote.

    Returns:
        What was in the way and was kept: changed since, or not of an export.

    Raises:
        UserError: If a source is missing, or the folder holds something.
        OSError: If a file cannot be written.
    """
    files = {"nbgrader_config.py": CONFIG}
    for lesson in chosen:
        name = f"source/{lesson.stem}/{lesson.stem}.ipynb"
        files[name] = assignment(lesson, folder, points)
    return put_files(course, files, overwrite=overwrite)


def assignment(lesson: Lesson, folder: Path, points: Mapping[str, float]) -> str:
    """Make the instructor's notebook of a lesson's exercises, solutions within.

    Args:
        lesson: Which.
        folder: Of the course.
        points: Of each exercise by its key.

    Raises:
        UserError: If the course's source, or what reads it, is missing, or cannot be
            read as lesson and checks.

    Source: nbgrader 0.9, "nbgrader cell metadata", schema version 3.
    """
    source = folder / "lessons" / f"{lesson.stem}_exercises.py"
    if not source.is_file():
        raise UserError(
            f"need the solutions of lesson {lesson.number} in {source}, got no such "
            "file: export from the whole course, or choose others with --lesson"
        )
    maker = course_source(folder)
    import nbformat

    try:
        notebook = maker.read_source(source)
    except maker.SourceError as error:
        raise UserError(str(error)) from None
    for cell, shown in zip(notebook.cells, maker.blank(notebook).cells, strict=True):
        cell.metadata = shown.metadata  # "Run all" passes cells that raise on a blank
        own = {"grade": False, "solution": False, "locked": True, "grade_id": cell.id}
        if "check" in maker.tags(cell):
            name, cell.source = graded_cell(cell.source, lesson)
            own |= {"grade": True, "grade_id": f"check_{name}"}
            own["points"] = points[f"{lesson.number}/{name}"]
            cell.metadata["tags"] = sorted({*maker.tags(cell), "raises-exception"})
        elif maker.BEGIN in cell.source:
            own |= {"solution": True, "locked": False}
        marks: dict[str, Any] = {**own, "task": False, "schema_version": 3}
        cell.metadata["nbgrader"] = nbformat.from_dict(marks)
    return nbformat.writes(notebook) + "\n"


def graded_cell(call: str, lesson: Lesson) -> tuple[str, str]:
    """Turn the call of a check into a test that raises unless the check passes.

    The check is imported again: a learner's cell may have taken its name.

    Args:
        call: `check_window_mask(window_mask)`.
        lesson: Whose module holds the check.

    Returns:
        The exercise's name, and the cell.

    Raises:
        UserError: If it is no such call.

    Example:
        >>> from longctx_edu.course.outline import Exercise
        >>> lesson = Lesson("05", "05_topic", "", (Exercise("05", "two"),))
        >>> name, cell = graded_cell("check_two(two)", lesson)
        >>> name, cell.splitlines()[0]
        ('two', 'from longctx_edu.checks.lesson_05 import check_two')
    """
    found = CALL.fullmatch(call.strip())
    if not found or found[1] not in {each.name for each in lesson.exercises}:
        raise UserError(
            f"need a call of one of lesson {lesson.number}'s checks in a cell tagged "
            f"check, got {call.strip()!r}"
        )
    module = f"longctx_edu.checks.lesson_{lesson.number}"
    return found[1], TEST.format(module=module, name=found[1], call=found[0])
