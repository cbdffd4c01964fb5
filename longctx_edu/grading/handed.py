"""What one process has handed to the other during a call, by number.

Both sides count in the same order. So a result that is an argument, and an argument
that was changed, are told by number.
"""

import weakref
from typing import Any

__all__ = ["Handed"]


class Handed:
    """Things by number, and numbers by thing.

    Example:
        >>> handed, row = Handed(), [1, 2]
        >>> handed.add(row), handed.number(row), handed.number([1, 2])
        (0, 0, None)
    """

    def __init__(self) -> None:
        self.things: dict[int, Any] = {}
        self.numbers: dict[int, int] = {}
        self.count = 0
        self.gone: list[int] = []

    def add(self, thing: Any, *, hold: bool = True) -> int:
        """Give a thing the next number.

        Args:
            thing: It.
            hold: Keep it alive; otherwise its end is noted in `gone`.
        """
        number, self.count = self.count, self.count + 1
        place = id(thing)
        if hold or not hasattr(type(thing), "__weakref__"):
            self.things[number] = lambda: thing
        else:
            self.things[number] = weakref.ref(thing)
            weakref.finalize(thing, self.ended, number, place).atexit = False
        self.numbers[place] = number
        return number

    def ended(self, number: int, place: int) -> None:
        """Note that a thing is gone."""
        self.drop(number)
        if self.numbers.get(place) == number:
            del self.numbers[place]
        self.gone.append(number)

    def drop(self, number: int) -> None:
        """Let a thing go."""
        self.things.pop(number, None)

    def number(self, thing: Any) -> int | None:
        """Give the number of this very thing, None where it has none."""
        number = self.numbers.get(id(thing))
        if number is None or number not in self.things:
            return None
        return number if self.things[number]() is thing else None

    def thing(self, number: int) -> Any:
        """Give the thing of a number; None where there is none any more."""
        found = self.things.get(number)
        return found() if found else None

    def living(self) -> list[tuple[int, Any]]:
        """List the things that are still there."""
        pairs = [(number, get()) for number, get in list(self.things.items())]
        return [(number, thing) for number, thing in pairs if thing is not None]
