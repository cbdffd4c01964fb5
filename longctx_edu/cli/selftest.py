"""`longctx selftest`: five questions on a lesson, each answer explained."""

import random
from collections.abc import Callable
from typing import Annotated

import typer

from longctx_edu.course.outline import find_lesson, lessons
from longctx_edu.course.progress import (
    change,
    now,
    progress_file,
    read_progress,
    recording,
)
from longctx_edu.course.quiz import Option, Question, questions_of
from longctx_edu.course.record import with_test
from longctx_edu.errors import UserError

WHICH = typer.Argument(help="The lesson: 5, 05 or 05_structured_attention.")
SEED = typer.Option(
    help="Decides the order (another one each time).", show_default=False
)
LETTERS = "abcde"


def selftest(
    lesson: Annotated[str, WHICH],
    seed: Annotated[int | None, SEED] = None,
) -> None:
    """Ask five questions on a lesson, and explain each answer.

    The best result is noted beside the progress.
    """
    chosen = find_lesson(lesson, lessons())
    questions = questions_of(chosen.number)
    order = random.Random(tries_so_far(chosen.number) if seed is None else seed)
    asked = [shuffled(each, order) for each in order.sample(questions, len(questions))]
    right = 0
    for n, question in enumerate(asked, 1):
        typer.echo(f"\nQuestion {n} of {len(asked)}: {question.text}\n")
        right += ask(question, read_line)
    typer.echo(f"\n{right} of {len(asked)} right.")
    if recording():
        keep(chosen.number, right, len(asked))


def tries_so_far(lesson: str) -> int:
    """Count the self-tests of a lesson that were taken."""
    try:
        tested = read_progress(progress_file()).self_tests.get(lesson)
    except (UserError, OSError):
        return 0
    return tested.tries if tested else 0


def shuffled(question: Question, order: random.Random) -> Question:
    """Put the options of a question in another order."""
    options = order.sample(question.options, len(question.options))
    return Question(question.text, tuple(options))


def ask(question: Question, read: Callable[[str], str]) -> bool:
    """Ask one question; explain the answer, and the right one where it was another.

    Args:
        question: With its options in the order in which they are shown.
        read: Gives what is typed after a prompt.
    """
    letters = LETTERS[: len(question.options)]
    for letter, option in zip(letters, question.options, strict=True):
        typer.echo(f"  {letter}) {option.text}")
    prompt = f"\nyour answer ({', '.join(letters)}): "
    while len(typed := read(prompt).strip().lower().rstrip(").")) != 1 or (
        typed not in letters
    ):
        prompt = f"one of {', '.join(letters)}: "
    chosen = question.options[letters.index(typed)]
    explain(letters, question, chosen)
    return chosen.right


def explain(letters: str, question: Question, chosen: Option) -> None:
    """Say what an answer means, and which one was right."""
    if chosen.right:
        typer.echo(f"Right. {chosen.explanation}")
        return
    typer.echo(f"No. {chosen.explanation}")
    place = [option.right for option in question.options].index(True)
    right = question.options[place]
    typer.echo(f"Right is {letters[place]}) {right.text}\n{right.explanation}")


def read_line(prompt: str) -> str:
    """Read a line that is typed.

    Raises:
        UserError: At the end of the input.
    """
    try:
        return input(prompt)
    except EOFError:
        raise UserError(
            "need an answer to each question, got the end of input: nothing is noted"
        ) from None


def keep(lesson: str, right: int, questions: int) -> None:
    """Note a result; where that fails, say so and go on."""
    try:
        _, note = change(lambda was: with_test(was, lesson, right, questions, now()))
    except (OSError, UserError, NotImplementedError) as error:
        note = f"the result is not noted: {' '.join(str(error).split())}"
    if note:
        typer.echo(note, err=True)
