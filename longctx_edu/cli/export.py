"""`longctx export`: the course in the form that another tool of classrooms reads."""

from pathlib import Path
from typing import Annotated

import typer

from longctx_edu.cli.options import flag
from longctx_edu.course.outline import find_lesson, lessons, need_course_folder

COURSE = typer.Argument(help="The folder to write, new or empty.")
WHICH = typer.Option(
    help="5, 05 or 05_structured_attention; again for another (all).",
    show_default=False,
)
POINTS = typer.Option(
    help="A TOML file of points; else each exercise is worth 1.", show_default=False
)


def nbgrader(
    course: Annotated[Path, COURSE],
    lesson: Annotated[list[str] | None, WHICH] = None,
    points: Annotated[Path | None, POINTS] = None,
    overwrite: flag("Replace what an earlier export wrote, unless changed.") = False,
) -> None:
    """Write a course for nbgrader 0.9: its settings, and an assignment for each lesson.

    It runs in the course's folder, where the solutions are. Within COURSE, nbgrader's
    own commands follow: generate_assignment, collect, autograde, generate_feedback.
    """
    from longctx_edu.course.nbgrader import export
    from longctx_edu.grading.points import read_points

    folder = need_course_folder()
    known = lessons(folder)
    chosen = {find_lesson(name, known) for name in lesson} if lesson else set(known)
    ordered = sorted(chosen, key=lambda each: each.number)
    worth = read_points(points, known)
    kept = export(ordered, folder, course, worth, overwrite=overwrite)
    names = ", ".join(each.stem for each in ordered)
    typer.echo(f"{len(ordered)} in {course / 'source'}: {names}")
    for path in kept:
        typer.echo(f"kept {path}: changed since it was exported, or not exported")
    first = ordered[0].stem
    typer.echo(f"next, within {course}: nbgrader generate_assignment {first}")
