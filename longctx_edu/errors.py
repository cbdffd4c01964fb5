"""Errors that a person reads: one line that says what must hold, what came, what to do.

Core functions raise plain `ValueError`s in the caller's parameter names. The two
classes here are for what a user hands in from outside: flags, names, paths, files.
The command line prints them as one line and ends with exit code 2.
"""

import difflib
from collections.abc import Callable, Iterable
from pathlib import Path


class UserError(ValueError):
    """A mistake in what the user handed in; the message is the whole story."""


class DataError(UserError):
    """A mistake in a file, with the place where it stands.

    Args:
        path: The file.
        line: Its line, counted from 1; None where the whole file is meant.
        message: What must hold, what came, what to do.
        kind: What sort of mistake, in a word, for who counts them.

    Example:
        >>> print(DataError("a.conll", 3, "need 2 columns, got 1"))
        a.conll:3: need 2 columns, got 1
    """

    def __init__(
        self, path: str | Path, line: int | None, message: str, kind: str = "data"
    ):
        place = str(path) if line is None else f"{path}:{line}"
        super().__init__(f"{place}: {message}")
        self.path, self.line, self.message, self.kind = path, line, message, kind


Report = Callable[[UserError], None]
"""What a reader does with a mistake: stop at it, or note it so that it can go on."""


def refuse(error: UserError) -> None:
    """Stop at a mistake: the way of every reader that is not told another.

    Args:
        error: What is wrong.

    Raises:
        UserError: Always.
    """
    raise error


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UserError:
    """Say that a name is unknown, and which known names come nearest.

    Args:
        kind: What is named: "data set", "model".
        name: What came.
        known: The names that exist.

    Example:
        >>> print(unknown_name("data set", "wnut", ["wnut17", "gazette"]))
        unknown data set 'wnut': did you mean wnut17? Known are gazette, wnut17
    """
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=2, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    return UserError(f"unknown {kind} {name!r}: {hint}Known are {', '.join(known)}")
