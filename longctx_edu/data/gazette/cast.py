"""Choose who appears: the names of an article and the passers-by of its sections."""

from random import Random

from longctx_edu.data.gazette.deck import Deck
from longctx_edu.data.gazette.names import Name, world
from longctx_edu.data.gazette.tables import TYPES, vocabulary

PASSING = {"PER": 3, "ORG": 2, "LOC": 2, "WORK": 2}
SHARE_OF_TWO_WORDS = 0.15


class Cast:
    """Names for one article, none twice.

    Args:
        split: Whose stems to use.
        generator: Where chance comes from.
    """

    def __init__(self, split: str, generator: Random):
        self.world, self.generator = world(split), generator
        self.random = generator.random
        self.stems = Deck(self.world.stems, generator)
        self.titles = Deck(self.world.titles, generator)
        self.taken: set[str] = set()

    def pick(self, items):
        """Return one of the items."""
        return items[int(self.random() * len(items))]

    def ambiguous(self, type: str) -> Name:
        """Invent a name that does not tell its type; the type changes nothing in it."""
        form = self.pick(self.world.ambiguous)
        while form in self.taken:
            form = self.pick(self.world.ambiguous)
        self.taken.add(form)
        kind = self.random() / SHARE_OF_TWO_WORDS
        words = (form,)
        if kind < 0.5:
            words = (*self.pick(vocabulary("ambiguous.before")), form)
        elif kind < 1:
            words = (form, *self.pick(vocabulary("ambiguous.after")))
        return Name(words, type, True)

    def plain(self, type: str, topic: str) -> Name:
        """Invent a name that tells its type by itself."""
        if type == "PER":
            region = int(self.random() * len(self.world.given))
            given = self.pick(self.world.given[region])
            return Name((given, self.pick(self.world.family[region])), "PER")
        if type == "WORK":
            return Name(self.titles.draw(), "WORK")
        stem = self.stems.draw()
        if type == "ORG":
            return Name((stem, *self.pick(vocabulary(f"company.{topic}"))), "ORG")
        if self.random() < 0.4:
            return Name((*self.pick(vocabulary("place.before")), stem), "LOC")
        return Name((stem, *self.pick(vocabulary("place.after"))), "LOC")

    def introduced(self, n_names: int, share: float, topic: str) -> list[Name]:
        """Invent the names that an article introduces, as many of each type.

        Args:
            n_names: How many.
            share: Which part of them is ambiguous.
            topic: The section of life that organisations belong to.
        """
        types = Deck(TYPES, self.generator)
        order = [types.draw() for _ in range(n_names)]
        self.shuffle(order)
        n_ambiguous = int(share * n_names + self.random())
        is_ambiguous = [i < n_ambiguous for i in range(n_names)]
        self.shuffle(is_ambiguous)
        return [
            self.ambiguous(type) if hidden else self.plain(type, topic)
            for type, hidden in zip(order, is_ambiguous, strict=True)
        ]

    def passing(self, topic: str, known: list[Name]) -> dict[str, Deck[Name]]:
        """Invent the passers-by of a section, by type.

        Args:
            topic: The section of life.
            known: Names that the article introduces; those that tell their type join.
        """
        return {
            type: Deck(
                [self.plain(type, topic) for _ in range(count)]
                + [n for n in known if n.type == type and not n.ambiguous],
                self.generator,
            )
            for type, count in PASSING.items()
        }

    def shuffle(self, items: list) -> None:
        """Put a list in random order, in place."""
        for i in range(len(items) - 1, 0, -1):
            j = int(self.random() * (i + 1))
            items[i], items[j] = items[j], items[i]
