"""`longctx doctor`: what this machine has, what is missing, and how to get it.

A question that fails or does not answer in time becomes a row that says so, never a
traceback. The questions themselves stand in `machine`.
"""

import json
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from longctx_edu.cli.dependencies import LOADING_S
from longctx_edu.cli.finding import Finding, Status
from longctx_edu.cli.machine import QUESTIONS

ANSWER_S = 1.5  # for a question, once torch is loaded
COLOURS = {"ok": "green", "note": "yellow", "missing": "bold red"}


@dataclass(frozen=True)
class Row:
    """What was found out about one part of the machine.

    Args:
        name: The part.
        status: "missing" where a lesson could not run, "note" where one should know.
        value: What there is.
        advice: How to get what is missing; empty where nothing is.
    """

    name: str
    status: Status
    value: str
    advice: str = ""


class Asked(threading.Thread):
    """A question on its way, in a thread that nobody has to wait for."""

    def __init__(self, name: str, find: Callable[[], Finding]):
        super().__init__(daemon=True)
        self.question, self.find, self.row = name, find, None

    def run(self) -> None:
        """Ask, and turn whatever goes wrong into a row."""
        try:
            self.row = Row(self.question, *self.find())
        except Exception as error:
            value = f"not found out: {' '.join(str(error).split())}"
            self.row = Row(self.question, "note", value, "look at what is missing")

    def answer(self, deadline: float) -> Row:
        """Return the row, or after the deadline one that says there is none."""
        self.join(max(0.0, deadline - time.monotonic()))
        value = "no answer in time"
        return self.row or Row(self.question, "note", value, "try again")


def doctor_rows(
    questions: Mapping[str, Callable[[], Finding]] = QUESTIONS,
) -> list[Row]:
    """Ask everything at once, and wait about five seconds at most.

    Args:
        questions: What to ask, by the name of its row.
    """
    asked = {name: Asked(name, find) for name, find in questions.items()}
    started = time.monotonic()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        slow = [asked[name] for name in ("dependencies",) if name in asked]
        for question in slow:
            question.start()
        with suppress(Exception):  # the row of the package says what is wrong
            import torch  # noqa: F401 - loaded once, and not in a thread
        for question in asked.values():
            if question not in slow:
                question.start()
        deadline = max(started + LOADING_S + 0.5, time.monotonic() + ANSWER_S)
        return [question.answer(deadline) for question in asked.values()]


def lessons_can_run(rows: list[Row]) -> bool:
    """Say whether every lesson can run, as far as the rows know.

    Args:
        rows: What was found out.

    Example:
        >>> lessons_can_run([Row("network", "note", "offline")])
        True
    """
    return all(row.status != "missing" for row in rows)


def render(rows: list[Row]) -> Table:
    """Draw the rows as a table.

    Args:
        rows: What was found out.
    """
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for row in rows:
        text = Text(row.value)
        if row.advice:
            text.append(f"\n-> {row.advice}", style=COLOURS[row.status])
        table.add_row(Text(row.status, style=COLOURS[row.status]), row.name, text)
    return table


def command(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object instead of a table.")
    ] = False,
) -> None:
    """Say what this machine has, what is missing, and how to get it.

    Ends with exit code 1 only where a lesson could not run.
    """
    rows = doctor_rows()
    fit = lessons_can_run(rows)
    if as_json:
        report = {"lessons_can_run": fit, "rows": [asdict(row) for row in rows]}
        typer.echo(json.dumps(report, indent=2))
    else:
        console = Console()
        console.print(render(rows))
        verdict = "Every lesson can run here."
        if not fit:
            names = ", ".join(row.name for row in rows if row.status == "missing")
            verdict = f"Some lesson cannot run here until this is put right: {names}."
        console.print(f"\n{verdict}", markup=False)
    if not fit:
        raise typer.Exit(1)
