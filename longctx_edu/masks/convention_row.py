"""A window in our words, and one row of the table of other people's words."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple


class Sides(NamedTuple):
    """A window in this library's words.

    Args:
        left: Keys visible before the query, itself not counted; None for all.
        right: Keys visible after the query, itself not counted; None for all.

    Example:
        >>> Sides(left=2, right=1).keys
        4
    """

    left: int | None
    right: int | None

    @property
    def keys(self) -> int | None:
        """Keys that a token far from both ends sees, itself counted; None for all."""
        if self.left is None or self.right is None:
            return None
        return self.left + 1 + self.right


@dataclass(frozen=True)
class Convention:
    """What one library or paper means by the size of a window.

    Args:
        name: Its name here, by library and option.
        library: The library or the paper.
        option: The option as its user writes it, with the value `W`.
        rule: Which keys a query sees, in plain words.
        source: Where that was read: file and class, section, or issue.
        sides: The rule as a function of `W`; None where no left and right say it.
        least: The smallest `W`.
        even: Whether `W` must be even.
        pair: Whether `W` is two numbers.
        nearest: What to use instead, where `sides` is None.
    """

    name: str
    library: str
    option: str
    rule: str
    source: str
    sides: Callable[..., tuple[int | None, int | None]] | None = field(
        default=None, repr=False
    )
    least: int = 1
    even: bool = False
    pair: bool = False
    nearest: str = ""
