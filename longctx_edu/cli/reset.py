"""`longctx reset`: a fresh blank of a lesson's exercises; the old file is kept."""

from typing import Annotated

import typer

from longctx_edu.course.outline import find_lesson, lessons, need_course_folder
from longctx_edu.course.progress import change
from longctx_edu.course.record import without_lesson

WHICH = typer.Argument(help="The lesson: 5, 05 or 05_structured_attention.")
FORGET = typer.Option("--progress", help="Forget what is noted of this lesson as well.")


def reset(
    lesson: Annotated[str, WHICH],
    forget: Annotated[bool, FORGET] = False,
) -> None:
    """Put a fresh blank in the place of a lesson's exercises, and keep the old file.

    The old notebook stays beside it as NN_topic.before-1.ipynb, or the next free
    number. It works from the course's folder, without git.
    """
    from longctx_edu.course.blank import reset as fresh_blank

    folder = need_course_folder()
    chosen = find_lesson(lesson, lessons(folder))
    kept = fresh_blank(chosen, folder)
    typer.echo(f"{chosen.notebook} is a fresh blank")
    if kept:
        typer.echo(f"what was there is kept as {kept.relative_to(folder).as_posix()}")
        typer.echo("if it is open in JupyterLab: File, Reload Notebook from Disk")
    if forget:
        _, note = change(lambda was: without_lesson(was, chosen.number))
        typer.echo(note or f"what was noted of lesson {chosen.number} is forgotten")
