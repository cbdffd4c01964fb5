"""Exceptions on their way between processes: a name, a text, the learner's line."""

import builtins
from typing import Any

import torch

from longctx_edu.grading.writer import without_addresses

__all__ = ["Remote", "rebuilt", "written_fault"]

LONGEST = 2000
OTHERS = {"OutOfMemoryError": torch.OutOfMemoryError}
KNOWN = {
    name: kind
    for name, kind in {**vars(builtins), **OTHERS}.items()
    if isinstance(kind, type) and issubclass(kind, Exception)
}


class Remote:
    """Marks an exception that was raised in another process.

    Attributes:
        learners_line: Where in their own code it was, in words; None where not.
    """

    learners_line: str | None = None
    said = said_repr = ""

    def __str__(self) -> str:
        return self.said

    def __repr__(self) -> str:
        return self.said_repr


def written_fault(error: BaseException, place: str | None) -> list:
    """Write an exception.

    Args:
        error: As it was caught.
        place: Where it was in the learner's code, in words.
    """
    names = [kind.__name__ for kind in type(error).__mro__]
    try:
        said, said_repr = map(without_addresses, (str(error), repr(error)))
    except Exception:
        said = said_repr = names[0]
    return [names[:20], said[:LONGEST], said_repr[:LONGEST], place]


def rebuilt(tree: Any) -> Exception:
    """Make an exception of the nearest class that is known here.

    Args:
        tree: What `written_fault` wrote.

    Raises:
        ValueError: If it is no exception.
    """
    names, said, said_repr, place = tree
    texts = [*names, said, said_repr]
    if not names or not all(isinstance(text, str) for text in texts):
        raise ValueError("need the names and texts of an exception")
    base = next((KNOWN[name] for name in names if name in KNOWN), Exception)
    if issubclass(base, ExceptionGroup):
        base = Exception
    kind = type(names[0][:80], (Remote, base), {"__module__": "builtins"})
    error = kind.__new__(kind)
    error.said, error.said_repr = said[:LONGEST], said_repr[:LONGEST]
    error.args = (said,) if said else ()
    error.learners_line = None if place is None else str(place)[:LONGEST]
    return error
