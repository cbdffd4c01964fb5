"""What a learner reads: a verdict in words, never a traceback of ours.

A check is a function with `require(...)` calls in teaching order under `@check(...)`.
The first that does not hold speaks; the learner's own exceptions become sentences.
"""

import functools
import html
import linecache
import sysconfig
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Literal

from longctx_edu.checks.show import show

Status = Literal["passed", "failed", "not started"]
SIGN: dict[str, str] = {"passed": "✓", "failed": "✗", "not started": "○"}
COLOUR = {"passed": "#009E73", "failed": "#D55E00", "not started": "#8A8F98"}
OURS = str(Path(__file__).resolve().parents[1])
INSTALLED = tuple({sysconfig.get_path(name) for name in ("stdlib", "purelib")})


class CheckFailed(AssertionError):
    """Carries the words that the learner reads."""


@dataclass(frozen=True, repr=False)
class Verdict:
    """What came of a check; at the end of a cell it shows itself.

    Args:
        name: The exercise's function.
        status: "passed", "failed" or "not started".
        message: The words.
    """

    name: str
    status: Status
    message: str

    def __repr__(self) -> str:
        return self.message

    def _repr_html_(self) -> str:
        frame = f"border-left: 4px solid {COLOUR[self.status]}; padding: 4px 10px"
        looks = f"{frame}; font-family: monospace; line-height: 1.35"
        return f'<pre style="{looks}">{html.escape(self.message)}</pre>'


def require(
    holds: object,
    prop: str,
    *,
    came: object,
    expected: object,
    hint: str,
    given: object = None,
) -> None:
    """Go on if a property holds; else stop the check and say what is wrong.

    Args:
        holds: Whether it does.
        prop: The property, in words.
        came: What the learner's function gave.
        expected: What it should have given.
        hint: One sentence about the likely misconception.
        given: The input, the smallest that shows it.

    Raises:
        CheckFailed: If it does not hold.

    Example:
        >>> require(1 + 1 == 2, "sums", came=2, expected=2, hint="count again")
    """
    if holds:
        return
    shown = [("given", given)] if given is not None else []
    shown += [("came", came), ("expected", expected)]
    parts = [f"  {name}:\n{indented(show(value))}" for name, value in shown]
    raise CheckFailed("\n".join([prop, *parts, f"  hint: {hint}"]))


def check(shows: str) -> Callable[[Callable], Callable[[object], Verdict]]:
    """Turn the body of a check into a function that gives a verdict.

    Args:
        shows: What a learner has just shown, in one sentence.

    Example:
        >>> @check("One and one make two.")
        ... def check_two(answer):
        ...     require(answer() == 2, "it is 2", came=answer(), expected=2, hint="add")
        >>> check_two(lambda: 2)
        ✓ two: One and one make two.
        >>> print(check_two(lambda: 3).message)
        ✗ two: it is 2
          came:
            3
          expected:
            2
          hint: add
    """

    def decorate(body: Callable) -> Callable[[object], Verdict]:
        name = body.__name__.removeprefix("check_")

        @functools.wraps(body)
        def run(answer: object) -> Verdict:
            status, words = outcome(body, answer, shows)
            return Verdict(name, status, f"{SIGN[status]} {name}: {words}")

        return run

    return decorate


def outcome(body: Callable, answer: object, shows: str) -> tuple[Status, str]:
    """Run a check's body; put what happened into words."""
    if not callable(answer):
        return "failed", (
            f"need a function, got {type(answer).__name__}\n  hint: hand over the "
            "function itself, its name without brackets"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what torch deprecates is no verdict
            body(answer)
    except CheckFailed as failed:
        return "failed", str(failed)
    except Exception as error:
        if isinstance(error, NotImplementedError) and not str(error):
            return "not started", "not started. Write it in the cell above."
        return "failed", stopped(error)
    return "passed", shows


def stopped(error: Exception) -> str:
    """Say what stopped the learner's function, and in which of their lines.

    Args:
        error: As it was caught, with its traceback.
    """
    what = f"{type(error).__name__}: {error}".rstrip(": ")
    place = learners_line(error)
    if place is None:
        return (
            f"the call itself failed\n  {what}\n  hint: keep the parameters of the "
            "stub, their names and their order"
        )
    number, line = place
    return f"your function stopped with an error\n  {what}\n  in line {number}: {line}"


def learners_line(error: Exception) -> tuple[int, str] | None:
    """Find the last line of the learner's own on the way to an error."""
    found, trace = None, error.__traceback__
    while trace is not None:
        if is_learners(trace.tb_frame):
            found = (trace.tb_frame.f_code.co_filename, trace.tb_lineno)
        trace = trace.tb_next
    return None if found is None else (found[1], linecache.getline(*found).strip())


def is_learners(frame: FrameType) -> bool:
    """Tell a frame of the learner's from the library's, Python's and a package's."""
    file = frame.f_code.co_filename
    generated = file.startswith("<") and not linecache.getlines(file)
    return not generated and not file.startswith((OURS, *INSTALLED))


def indented(text: str) -> str:
    """Set each line four columns in."""
    return "\n".join("    " + line for line in text.split("\n"))
