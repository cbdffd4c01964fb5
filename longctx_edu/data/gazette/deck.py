"""Draw at random without drawing the same thing twice in a row."""

from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")


class Deck(Generic[T]):
    """Items in a row: one near the front is drawn and goes to the end.

    So an item comes back late, and all come equally often. Only `generator.random` is
    used: its numbers are the same in every Python.

    Args:
        items: What to draw from, at least one.
        generator: Where chance comes from.
        front: Share of the deck that can be drawn next; a small one delays repeats.

    Example:
        >>> deck = Deck("ab", Random(0))
        >>> first = deck.draw()
        >>> deck.draw() == first
        False
    """

    __slots__ = ("front", "items", "random")

    def __init__(self, items, generator: Random, front: float = 0.3):
        self.random = generator.random
        cut = int(self.random() * len(items))
        self.items = [*items[cut:], *items[:cut]]
        if len(items) < 16:  # long decks are mixed enough by drawing
            self.items.sort(key=lambda _: self.random())
        self.front = max(1, min(2, len(items) - 1), int(front * len(items)))

    def draw(self) -> T:
        """Return an item and put it last."""
        item = self.items.pop(int(self.random() * self.front))
        self.items.append(item)
        return item
