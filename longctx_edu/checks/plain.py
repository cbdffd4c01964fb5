"""Lists, tuples and numbers of plain Python in a check: asked for, taken, compared."""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor

from longctx_edu.checks.report import CheckFailed, require, stopped
from longctx_edu.checks.show import LETTERS, repr_of

MOST_BITS = 1000
Near = tuple[Any, str]
"""What a known misconception gives, and its hint."""


def ask_plain(answer: Callable, *given: Any, **named: Any) -> Any:
    """Call a learner's function on copies, and refuse one that changes a list.

    Args:
        answer: The function.
        given: What it gets, numbers and lists.
        named: What it gets by name.

    Raises:
        CheckFailed: If an input is another after the call.

    Example:
        >>> ask_plain(sorted, [2, 1])
        [1, 2]
    """
    copies = copy.deepcopy(given)
    came = answer(*copies, **named)
    require(
        copies == given,
        "the input stays as it is",
        came=repr(copies),
        expected=repr(given),
        hint=".sort(), .pop() and x[i] = ... change the caller's list; sorted(x) and "
        "list(x) make a new one",
    )
    return came


def list_of(value: object, what: str) -> list:
    """Take an answer for a list, or say what it is.

    Args:
        value: What a learner's function gave; a tuple is as good.
        what: What it holds: "tags".

    Raises:
        CheckFailed: If it is no list.

    Example:
        >>> list_of(("O", "O"), "tags")
        ['O', 'O']
    """
    hints = {
        "NoneType": "a function without return gives None: end it with return",
        "Tensor": ".tolist() makes a list of a tensor",
        "generator": "yield makes a generator; collect in a list and return it",
    }
    name = type(value).__name__
    require(
        isinstance(value, list | tuple),
        f"the result is a list of {what}",
        came=name,
        expected="list",
        hint=hints.get(name, "start with an empty list and append to it"),
    )
    return list(value)


def numbers_of(value: object, names: Sequence[str]) -> list[float]:
    """Take an answer for so many numbers, or say what it is.

    Args:
        value: What a learner's function gave.
        names: What each number is.

    Raises:
        CheckFailed: If it is anything else.

    Example:
        >>> numbers_of((1, 0.5), ["precision", "recall"])
        [1.0, 0.5]
    """
    parts = list(value) if isinstance(value, list | tuple) else [value]
    fine = len(parts) == len(names) and all(map(is_number, parts))
    several = "return them with a comma between, in this order"
    nothing = "a function without return gives None: end it with return"
    require(
        fine,
        f"the result is {' and '.join([', '.join(names[:-1]), names[-1]])}"
        if len(names) > 1
        else f"the result is one number, {names[0]}",
        came=value,
        expected=f"{len(names)} numbers" if len(names) > 1 else "a number",
        hint=nothing if value is None else several if len(names) > 1 else "a plain one",
    )
    return [float(part) for part in parts]


def is_number(value: object) -> bool:
    """Tell a number, or a tensor of one, from anything else."""
    if isinstance(value, Tensor):
        return value.numel() == 1 and not (value.is_meta or value.is_complex())
    if isinstance(value, int) and value.bit_length() > MOST_BITS:
        return False  # no float holds it
    return isinstance(value, int | float) and not isinstance(value, bool)


def plain_numbers(values: list) -> list:
    """Turn whole floats and tensors of one number into numbers of Python.

    Args:
        values: What a learner's function gave; what is no number stays.

    Example:
        >>> plain_numbers([1.0, 0.5, None])
        [1, 0.5, None]
    """
    numbers = [v.item() if is_number(v) and hasattr(v, "item") else v for v in values]
    whole = [is_number(v) and float(v).is_integer() for v in numbers]
    return [int(v) if w else v for v, w in zip(numbers, whole, strict=True)]


@contextmanager
def on_kind(kind: type[Exception], hint: str) -> Iterator[None]:
    """Add a hint where one kind of error stops a learner's function.

    Args:
        kind: ZeroDivisionError, for example.
        hint: One sentence about the likely misconception.

    Raises:
        CheckFailed: In place of the learner's own exception.
    """
    try:
        yield
    except kind as error:
        said = stopped(error)
        said += "" if "hint:" in said else f"\n  hint: {hint}"
        raise CheckFailed(said) from None


def equal(
    prop: str,
    came: Any,
    expected: Any,
    *,
    hint: str,
    mistakes: Sequence[Near] = (),
    given: Any = None,
) -> None:
    """Go on if values agree; else stop with the hint of the mistake that fits.

    Args:
        prop: What holds, in words.
        came: What a learner's function gave, lists or numbers.
        expected: An independent result.
        hint: What to say where no known mistake fits.
        mistakes: Results of known misconceptions, each with its own hint.
        given: The input.

    Raises:
        CheckFailed: If the values differ.

    Example:
        >>> equal("one more", [0.1 + 0.2], [0.3], hint="add")
    """
    fits = (words for result, words in mistakes if alike(came, result))
    require(
        alike(came, expected),
        prop,
        came=written(came),
        expected=written(expected),
        hint=next(fits, hint),
        given=given,
    )


def alike(one: Any, other: Any) -> bool:
    """Tell whether values are equal, floats to six places."""
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        pairs = zip(one, other, strict=False)
        return len(one) == len(other) and all(alike(a, b) for a, b in pairs)
    if is_number(one) and is_number(other):
        return abs(float(one) - float(other)) < 1e-6
    try:
        return bool(one == other)
    except Exception:  # arrays, and whatever else answers no such question
        return False


def written(value: Any) -> str:
    """Write a value with its floats rounded."""
    if isinstance(value, list):
        return f"[{', '.join(map(written, value[:LETTERS]))}]"
    return f"{value:.4g}" if isinstance(value, float) else repr_of(value)
