"""Invent the names of the Gazette's world, from syllables.

The names that tell their type by themselves ("Ada Brennick", "Port Ellisade") are made
from stems of their own; the ambiguous ones come from one pool for all four types.
No stem belongs to two splits.
"""

from dataclasses import dataclass
from functools import lru_cache

from longctx_edu.data.gazette.tables import (
    TOPICS,
    Words,
    sections,
    share,
    shuffled,
    vocabulary,
    word_list,
)

REGIONS = ("estmark", "calluna", "veresk", "orsund")
GIVEN = (40, 20, 20)
FAMILY = (80, 30, 30)


@dataclass(frozen=True)
class Name:
    """A name of the world.

    Args:
        words: Its tokens.
        type: PER, ORG, LOC or WORK.
        ambiguous: True where the words do not tell the type.
    """

    words: Words
    type: str
    ambiguous: bool = False

    @property
    def text(self) -> str:
        """The words as one string."""
        return " ".join(self.words)


@dataclass(frozen=True)
class World:
    """The stems of one split.

    Args:
        given: Given names, a tuple for each region.
        family: Family names, a tuple for each region.
        stems: What places and companies are named after.
        titles: Titles of works.
        ambiguous: Names that any type can bear.
    """

    given: tuple[tuple[str, ...], ...]
    family: tuple[tuple[str, ...], ...]
    stems: tuple[str, ...]
    titles: tuple[Words, ...]
    ambiguous: tuple[str, ...]


@lru_cache
def english() -> frozenset[str]:
    """Return the words of all vocabularies and patterns, in lower case."""
    files = ("vocabulary", "relations", "lead", "general", *TOPICS)
    parts = [part for file in files for part in sections(file).values()]
    lines = [line for part in parts for line in part]
    return frozenset(" ".join(lines).replace(",", " ").lower().split())


@lru_cache
def forms(section: str) -> tuple[str, ...]:
    """Join the starts and ends of a section of names.txt, but for what reads badly."""
    made = {
        start + end
        for start in word_list("names", f"{section}.start")
        for end in word_list("names", f"{section}.end")
        if start[-1] != end[0] and (len(start) < 4 or len(end) < 5)
    }
    return tuple(sorted(m for m in made if m.lower() not in english()))


@lru_cache
def owned(section: str) -> tuple[str, ...]:
    """Return the forms of a section that no earlier section has."""
    order = [f"{r}.{part}" for part in ("given", "family") for r in REGIONS]
    order += ["place", "ambiguous"]
    earlier = {f for s in order[: order.index(section)] for f in forms(s)}
    return tuple(form for form in forms(section) if form not in earlier)


def titles() -> list[Words]:
    """Return all titles of works: The Glass Heron, The Heron and the Kettle."""
    first = [w for (w,) in vocabulary("title.first")]
    second = [w for (w,) in vocabulary("title.second")]
    plain = [("The", a, b) for a in first for b in second if a != b]
    pairs = [(a, b) for a in second for b in second if a < b]
    return plain + [("The", a, "and", "the", b) for a, b in pairs]


@lru_cache
def world(split: str) -> World:
    """Return the stems that belong to a split.

    Example:
        >>> [len(names) for names in world("train").family]
        [80, 80, 80, 80]
    """

    def part(items, key: str) -> tuple:
        n = len(items)
        sizes = (n * 3 // 5, n // 5, n // 5)
        return share(items, key, sizes, split)

    def people(what: str, sizes: tuple[int, int, int]) -> tuple:
        return tuple(
            share(owned(f"{r}.{what}"), f"{r}.{what}", sizes, split) for r in REGIONS
        )

    return World(
        given=people("given", GIVEN),
        family=people("family", FAMILY),
        stems=part(owned("place"), "place"),
        titles=tuple(shuffled(part(titles(), "title"), "titles")),
        ambiguous=part(owned("ambiguous"), "ambiguous"),
    )
