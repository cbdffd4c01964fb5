"""`longctx grade`: what a class has handed in, graded one by one in a sandbox."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from longctx_edu.cli.options import flag

if TYPE_CHECKING:
    from longctx_edu.grading.grader import Rules
    from longctx_edu.grading.run import Graded
    from longctx_edu.grading.sheet import Sheet


def grade(
    submissions: Annotated[
        Path,
        typer.Argument(help="A folder with a file, or a folder, for each learner."),
    ],
    out: Annotated[Path, typer.Option(help="Where grades and feedback go.")] = Path(
        "grades"
    ),
    lesson: Annotated[
        str | None,
        typer.Option(
            help="Of all submissions, 05; else each tells its own.", show_default=False
        ),
    ] = None,
    points: Annotated[
        Path | None,
        typer.Option(
            help="A TOML file of points; else each exercise is worth 1.",
            show_default=False,
        ),
    ] = None,
    jobs: Annotated[int, typer.Option(help="Submissions at once.")] = 2,
    seconds: Annotated[
        float, typer.Option(help="Of computing, for a cell or a call.")
    ] = 10.0,
    again: flag("Grade also what was graded before.") = False,
) -> None:
    """Grade submissions that nobody has to trust, and write feedback for each."""
    from longctx_edu.course.outline import find_lesson, lessons
    from longctx_edu.grading.grader import Rules
    from longctx_edu.grading.limits import Limits
    from longctx_edu.grading.points import read_points

    if jobs < 1:
        raise ValueError(f"need jobs >= 1, got jobs={jobs}")
    if not 0 < seconds < 3600:
        raise ValueError(f"need seconds over 0 and below 3600, got seconds={seconds:g}")
    known = lessons()
    number = find_lesson(lesson, known).number if lesson else None
    limits = Limits(call_s=seconds, check_s=3 * seconds, total_s=18 * seconds)
    rules = Rules(read_points(points, known), number, limits)
    came = with_a_bar(submissions, out, rules, jobs, again)
    for line in summary(came, out):
        print(line)


def with_a_bar(
    submissions: Path, out: Path, rules: "Rules", jobs: int, again: bool
) -> "Graded":
    """Grade, and show on stderr how far it is."""
    from rich.console import Console
    from rich.progress import Progress

    from longctx_edu.grading.run import grade_folder

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("grading", total=None)

        def heard(done: int, total: int, sheet: "Sheet") -> None:
            bar.update(task, completed=done, total=total)

        return grade_folder(
            submissions, out, rules, jobs=jobs, again=again, heard=heard
        )


def summary(came: "Graded", out: Path) -> list[str]:
    """Say what came of a folder, and how safe it was.

    Args:
        came: Of grading.
        out: Where it was written.
    """
    refused = [sheet for sheet in came.sheets if sheet.refused]
    review = [
        (sheet, mark)
        for sheet in came.sheets
        for mark in sheet.marks
        if mark.status == "review"
    ]
    n_kept = len(came.sheets) - came.n_new
    lines = [
        f"{len(came.sheets)} submissions: {came.n_new} graded now, {n_kept} before; "
        f"{len(refused)} refused",
        *(f"  {sheet.file}: {' '.join(sheet.refused.split())}" for sheet in refused),
        *(f"  {sheet.file}: look at {mark.exercise}" for sheet, mark in review),
        sandbox_line(came.walls),
        f"grades in {out / 'grades.csv'}, a page for each in {out / 'feedback'}",
    ]
    return [show(line) for line in lines]


def show(line: str) -> str:
    """Escape what a terminal would obey, in names that learners have chosen."""
    text = line.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def sandbox_line(walls: dict[str, str]) -> str:
    """Say how far the sandbox went."""
    if not walls:
        return "sandbox: files, network and processes of their own"
    why = "; ".join(f"{name}: {reason}" for name, reason in walls.items())
    return (
        f"sandbox: NOT COMPLETE, the system allows no namespaces ({why}). Limits, file "
        "rules and a guard inside Python hold, the network is shut by these alone: "
        "grade strangers' code on a machine that holds nothing else"
    )
