"""Classes that show the name of another class, and hold nothing of it."""

import functools

__all__ = ["Opaque", "lookalike"]

BASES: dict[str, type] = {
    kind.__name__: kind for kind in (bool, int, float, complex, str, bytes)
} | {kind.__name__: kind for kind in (list, tuple, dict, set, frozenset)}


class Opaque:
    """Something of the other process that is no plain value: a name and a text."""

    said = "?"

    def __repr__(self) -> str:
        return self.said


@functools.lru_cache(maxsize=1024)
def lookalike(name: str, module: str, base: type) -> type:
    """Make a class of this name that derives from a class we know.

    Args:
        name: Its name.
        module: Where it says that it comes from.
        base: What it is.

    Example:
        >>> kind = lookalike("Score", "checks", float)
        >>> kind.__name__, kind(1.5) + 1
        ('Score', 2.5)
    """
    body: dict[str, object] = {"__module__": module, "__qualname__": name}
    if base in BASES.values():
        body["__repr__"] = said_or_plain
    return type(name, (base,), body)


def said_or_plain(self: object) -> str:
    """Show what the other process showed, or the plain value."""
    said = getattr(self, "said", None)
    return said if said is not None else plain_repr(self)


def plain_repr(value: object) -> str:
    """Show a value as its nearest builtin class does."""
    kind = next(kind for kind in type(value).__mro__ if kind in BASES.values())
    return kind.__repr__(value)
