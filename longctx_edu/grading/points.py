"""What each exercise is worth: 1, or what a teacher's file says."""

import tomllib
from pathlib import Path
from typing import Any

from longctx_edu.course.outline import Lesson
from longctx_edu.errors import DataError, UserError, unknown_name

__all__ = ["Points", "read_points"]

Points = dict[str, float]
"""Points by the key of an exercise, "05/window_mask"."""


def read_points(path: Path | None, known: list[Lesson]) -> Points:
    """Give the points of every exercise.

    Args:
        path: A TOML file with a table for each lesson; exercises that it does not name
            are worth 1.
        known: All lessons.

    Raises:
        UserError: If the file names what does not exist, or is no such file.
    """
    points = {e.key: 1.0 for lesson in known for e in lesson.exercises}
    if path is None:
        return points
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"need a file of points, got {path}: there is none") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(path, None, f"need TOML, got {error}") from None
    for number, table in tables.items():
        points |= of_lesson(path, str(number), table, known)
    return points


def of_lesson(path: Path, number: str, table: Any, known: list[Lesson]) -> Points:
    """Read the table of one lesson."""
    lessons = {lesson.number: lesson for lesson in known}
    if number not in lessons:
        raise unknown_name("lesson", number, lessons)
    names = [exercise.name for exercise in lessons[number].exercises]
    if not isinstance(table, dict):
        raise DataError(path, None, f'need a table ["{number}"], got {table!r}')
    found = {}
    for name, worth in table.items():
        if name not in names:
            raise unknown_name(f"exercise of lesson {number}", name, names)
        is_number = isinstance(worth, int | float) and not isinstance(worth, bool)
        if not is_number or not 0 <= worth < 1e6:
            raise DataError(path, None, f"need points >= 0, got {name} = {worth!r}")
        found[f"{number}/{name}"] = float(worth)
    return found
