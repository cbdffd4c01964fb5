"""`longctx check`: a learner's own file, with the verdicts that a notebook shows."""

from pathlib import Path
from typing import Annotated

import typer


def check(
    file: Annotated[Path, typer.Argument(help="A notebook or a .py file.")],
    lesson: Annotated[
        str | None,
        typer.Option(help="Its lesson, 05; else it tells.", show_default=False),
    ] = None,
) -> None:
    """Run the checks of a lesson on a file, and say what each of them says."""
    from longctx_edu.cli.grade import show
    from longctx_edu.course.outline import find_lesson, lessons
    from longctx_edu.course.standing import after_check
    from longctx_edu.errors import UserError
    from longctx_edu.grading.grader import Grader, Rules
    from longctx_edu.grading.points import read_points
    from longctx_edu.grading.submissions import Found

    known = lessons()
    number = find_lesson(lesson, known).number if lesson else None
    grader = Grader(Rules(read_points(None, known), number))
    try:
        sheet = grader.grade(Found(file.stem, file), "")
    finally:
        grader.close()
    if sheet.refused:
        raise UserError(f"{file}: {sheet.refused}")
    for note in sheet.notes:
        print("\n".join(map(show, note.split("\n"))))
    for mark in sheet.marks:
        print("\n".join(map(show, mark.message.split("\n"))))
        if mark.status in ("passed", "failed"):
            module = f"longctx_edu.checks.lesson_{sheet.lesson}"
            after_check(module, mark.exercise, mark.status)
    passed = sum(mark.status == "passed" for mark in sheet.marks)
    print(f"\n{passed} of {len(sheet.marks)} passed")
    if passed < len(sheet.marks):
        raise typer.Exit(1)
