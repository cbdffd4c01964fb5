"""What a learner reads: a verdict in words, never a traceback of ours.

A check is a function with `require(...)` calls in teaching order under `@check(...)`.
The first that does not hold speaks; the learner's own exceptions become sentences.
"""

import functools
import html
import linecache
import re
import sysconfig
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Literal

from longctx_edu.checks.limit import TookTooLong, at_most, limit_s
from longctx_edu.checks.show import short, show
from longctx_edu.course.standing import after_check

Status = Literal["passed", "failed", "not started"]
SIGN: dict[str, str] = {"passed": "✓", "failed": "✗", "not started": "○"}
COLOUR = {"passed": "#009E73", "failed": "#D55E00", "not started": "#8A8F98"}
OURS = str(Path(__file__).resolve().parents[1])
WORDS = 4000  # letters of a message
CALL = re.compile(r"positional argument|keyword argument|takes (?:no|exactly|at)")
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
        progress: A line of HTML for the page, about the lesson so far; or nothing.
    """

    name: str
    status: Status
    message: str
    progress: str = field(default="", compare=False)

    def __repr__(self) -> str:
        return self.message

    def _repr_html_(self) -> str:
        frame = f"border-left: 4px solid {COLOUR[self.status]}; padding: 4px 10px"
        looks = f"{frame}; font-family: monospace; line-height: 1.35"
        return f'<pre style="{looks}">{html.escape(self.message)}</pre>{self.progress}'


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
            line = after_check(body.__module__, name, status)
            return Verdict(name, status, f"{SIGN[status]} {name}: {words}", line)

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
        with warnings.catch_warnings(), at_most(limit_s()):
            warnings.simplefilter("ignore")  # what torch deprecates is no verdict
            body(answer)
    except CheckFailed as failed:
        return "failed", short(str(failed), WORDS)
    except TookTooLong as error:
        return "failed", too_long(error)
    except KeyboardInterrupt:  # the learner's own wish, not a mistake
        raise
    except BaseException as error:  # SystemExit too would end the notebook's kernel
        if isinstance(error, NotImplementedError) and not error.args:
            return "not started", "not started. Write it in the cell above."
        return "failed", stopped(error)
    return "passed", shows


def stopped(error: BaseException) -> str:
    """Say what stopped the learner's function, and in which of their lines.

    Args:
        error: As it was caught, with its traceback.
    """
    what = f"{type(error).__name__}: {text_of(error)}".rstrip(": ")
    place = learners_line(error)
    if place is not None:
        return f"your function stopped with an error\n  {what}\n  {place}"
    if isinstance(error, TypeError) and CALL.search(what):
        return (
            f"the call itself failed\n  {what}\n  hint: keep the parameters of the "
            "stub, their names and their order"
        )
    return (
        f"your function, or what it gave, does not fit here\n  {what}\n  hint: keep "
        "the parameters of the stub, and return what the box asks for"
    )


def too_long(error: TookTooLong) -> str:
    """Say that the time was over, and where the learner's function was by then."""
    place = learners_line(error)
    return (
        f"your function took more than {limit_s():g} s"
        + (f"\n  {place}" if place else "")
        + "\n  hint: does each loop come to its end? If it does, and your machine is "
        "slow, the variable LONGCTX_CHECK_SECONDS gives it longer"
    )


def text_of(error: BaseException) -> str:
    """Write an error's text, shortened; some do not let themselves be written."""
    try:
        return short(str(error))
    except Exception:
        return "its text cannot be shown"


def learners_line(error: BaseException) -> str | None:
    """Quote the last line of the learner's own on the way to an error."""
    for each in (error, error.__context__):  # raised, and looked at, elsewhere
        if quoted := getattr(each, "learners_line", None):
            return quoted
    found, trace = None, error.__traceback__
    while trace is not None:
        if is_learners(trace.tb_frame):
            found = (trace.tb_frame.f_code.co_filename, trace.tb_lineno)
        trace = trace.tb_next
    if found is None:
        return None
    return f"in line {found[1]}: {short(linecache.getline(*found).strip())}"


def is_learners(frame: FrameType) -> bool:
    """Tell a frame of the learner's from the library's, Python's and a package's."""
    file = frame.f_code.co_filename
    generated = file.startswith("<") and not linecache.getlines(file)
    return not generated and not file.startswith((OURS, *INSTALLED))


def indented(text: str) -> str:
    """Set each line four columns in."""
    return "\n".join("    " + line for line in text.split("\n"))
