"""`longctx progress`: what is done, what is open, the next step; kept in one file."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from longctx_edu.course.outline import Exercise, Lesson, find_lesson, lessons
from longctx_edu.course.progress import as_text, change, progress_file, read_progress
from longctx_edu.course.record import Progress, merged
from longctx_edu.course.standing import count, next_step, status_of
from longctx_edu.errors import UserError
from longctx_edu.writing import write_whole

WHICH = typer.Argument(help="A lesson, by number or name, to see each exercise.")
WHAT = typer.Option("--export", help="Write all that is noted to a file of your own.")
FROM = typer.Option("--import", help="Add what such a file says; done wins.")
AS_JSON = typer.Option("--json", help="Print one JSON object instead of a table.")
SIGNS = {"done": "✓", "started": "…", "open": "○"}
COLOURS = {"done": "green", "started": "yellow", "open": "dim"}


def progress(
    lesson: Annotated[str | None, WHICH] = None,
    export_to: Annotated[Path | None, WHAT] = None,
    import_from: Annotated[Path | None, FROM] = None,
    as_json: Annotated[bool, AS_JSON] = False,
) -> None:
    """Show what is done, what is started, what is open, and the next step.

    Every check in a notebook notes its verdict in one file of your own; nothing is
    sent anywhere. The file moves to another machine by --export and --import.
    """
    known = lessons()
    chosen = find_lesson(lesson, known) if lesson else None
    noted = brought_in(import_from) if import_from else current()
    if export_to:
        write_export(noted, export_to)
    if as_json:
        shown = [chosen] if chosen else known
        typer.echo(json.dumps(as_object(shown, known, noted), indent=2))
    else:
        from rich.console import Console

        console = Console()
        console.print(exercises_of(chosen, noted) if chosen else table(known, noted))
        console.print(f"\n{next_line(known, noted)}", markup=False, highlight=False)


def current() -> Progress:
    """Read what is noted; a damaged file is put aside, and said."""
    file = progress_file()
    if not file.exists():
        return Progress()
    try:
        return read_progress(file)
    except UserError:
        return told(*change(lambda was: was))


def brought_in(file: Path) -> Progress:
    """Merge a file of progress into what is noted.

    Args:
        file: As --export wrote it.

    Raises:
        UserError: If there is none, or it is damaged; nothing is changed then.
    """
    if not file.is_file():
        raise UserError(f"need a file that --export wrote, got no file {file}")
    other = read_progress(file)
    noted = told(*change(lambda was: merged(was, other)))
    n = len(other.exercises)
    typer.echo(f"{n} exercise{'s' * (n != 1)} of {file} merged; done wins", err=True)
    return noted


def told(noted: Progress, note: str) -> Progress:
    """Pass on what the learner should know."""
    if note:
        typer.echo(note, err=True)
    return noted


def write_export(noted: Progress, file: Path) -> None:
    """Write what is noted to a file.

    Args:
        noted: All of it.
        file: A new one, or an earlier export.

    Raises:
        UserError: If the file is there and is something else.
    """
    if file.exists():
        try:
            read_progress(file)
        except (UserError, OSError):
            raise UserError(
                f"need a new file or an earlier export, got {file}, which is something "
                "else: name another"
            ) from None
    write_whole(file, lambda path: path.write_text(as_text(noted), encoding="utf-8"))
    typer.echo(f"progress is written to {file}", err=True)


def table(known: list[Lesson], noted: Progress) -> Any:
    """Draw a row for each lesson.

    Args:
        known: All lessons.
        noted: What is noted.
    """
    from rich.markup import escape
    from rich.table import Table

    drawn = Table(box=None, pad_edge=False, show_footer=True)
    drawn.add_column("lesson", footer="all", no_wrap=True)
    for status in SIGNS:
        total = sum(count(lesson, noted, status) for lesson in known)
        drawn.add_column(status, footer=str(total), justify="right")
    drawn.add_column("self-test", footer="", justify="right")
    for lesson in known:
        counts = [str(count(lesson, noted, status)) for status in SIGNS]
        tested = noted.self_tests.get(lesson.number)
        score = f"{tested.right} of {tested.questions}" if tested else ""
        title = escape(f"{lesson.number} {lesson.title}".strip())
        drawn.add_row(title, *counts, score)
    return drawn


def exercises_of(lesson: Lesson, noted: Progress) -> Any:
    """Draw a row for each exercise of a lesson.

    Args:
        lesson: Which.
        noted: What is noted.
    """
    from rich.markup import escape
    from rich.table import Table

    drawn = Table(box=None, pad_edge=False)
    for name in ("exercise", "function", "status"):
        drawn.add_column(name, no_wrap=name != "exercise")
    drawn.add_column("tries", justify="right")
    for each in lesson.exercises:
        status, tried = status_of(each, noted), noted.exercises.get(each.key)
        said = f"[{COLOURS[status]}]{SIGNS[status]} {status}[/]"
        title = escape(f"{each.number} {each.title}".strip())
        drawn.add_row(title, each.name, said, str(tried.tries) if tried else "")
    return drawn


def next_line(known: list[Lesson], noted: Progress) -> str:
    """Say the next step: which file, which exercise.

    Args:
        known: All lessons.
        noted: What is noted.
    """
    step = next_step(known, noted)
    if step is None:
        return "All exercises are done."
    title = f", {step.title}" if step.title else ""
    return f"Next: exercise {step}{title}\n      in {notebook_of(step, known)}"


def notebook_of(step: Exercise, known: list[Lesson]) -> str:
    """Find the notebook of an exercise."""
    return next(each.notebook for each in known if each.number == step.lesson)


def as_object(shown: list[Lesson], known: list[Lesson], noted: Progress) -> dict:
    """Put everything into one object for JSON.

    Args:
        shown: The lessons to show.
        known: All lessons.
        noted: What is noted.
    """
    step = next_step(known, noted)
    after = {**asdict(step), "notebook": notebook_of(step, known)} if step else None
    return {
        "file": str(progress_file()),
        "lessons": [_lesson(each, noted) for each in shown],
        "next": after,
    }


def _lesson(lesson: Lesson, noted: Progress) -> dict:
    """Put a lesson into an object."""
    exercises = []
    for each in lesson.exercises:
        tried = noted.exercises.get(each.key)
        more = asdict(tried) if tried else {"status": "open", "tries": 0}
        exercises.append({**asdict(each), **more})
    tested = noted.self_tests.get(lesson.number)
    return {
        "number": lesson.number,
        "title": lesson.title,
        "notebook": lesson.notebook,
        "exercises": exercises,
        "self_test": asdict(tested) if tested else None,
    }
