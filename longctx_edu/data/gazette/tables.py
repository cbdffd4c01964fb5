"""Read the Gazette's word lists and patterns from its text files.

A file holds sections, `[name]` on a line of its own, and lines that start with #
are remarks. A pattern is a line of tokens apart by spaces; `{slot}` is filled later.
Each pattern belongs to one split, one in twelve to all: see `CYCLE`.
"""

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from random import Random

SPLITS = ("train", "dev", "test")
TYPES = ("PER", "ORG", "LOC", "WORK")
TOPICS = ("harbour", "courts", "science", "arts", "sport", "weather", "council")
# Of twelve patterns of a section, those with the rarest words first: to train (T), dev
# (D), test (S), or all three (A). So held-out sentences are new, and their words known.
CYCLE = "TTTTTDSDSDSA"
FEW = "TDSTDSTDSTAA"  # of a section with fewer than twelve
LETTERS = {"train": "TA", "dev": "DA", "test": "SA"}

Words = tuple[str, ...]


@dataclass(frozen=True)
class Pattern:
    """A sentence with slots.

    Args:
        name: File, section and number: "harbour/typed/3".
        parts: Tokens as tuples of words, slots as strings.
        kind: What happens in it, for the event log; empty where nothing does.
        sentiment: 1 good, -1 bad, 0 neither.
    """

    name: str
    parts: tuple[Words | str, ...]
    kind: str = ""
    sentiment: int = 0


@lru_cache
def sections(file: str) -> dict[str, tuple[str, ...]]:
    """Return the lines of each section of a text file of the Gazette."""
    text = files(__package__).joinpath("text", f"{file}.txt").read_text("utf-8")
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("["):
            current = found.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            current.append(line)
    return {name: tuple(lines) for name, lines in found.items()}


def word_list(file: str, section: str) -> tuple[str, ...]:
    """Return the entries of a section that are apart by commas."""
    return tuple(
        entry for line in sections(file)[section] for entry in line.split(", ")
    )


def with_article(words: Words) -> Words:
    """Put "a" or "an" before words.

    Example:
        >>> with_article(("otter",)), with_article(("brass", "plaque"))
        (('an', 'otter'), ('a', 'brass', 'plaque'))
    """
    return ("an" if words[0][0] in "aeiou" else "a", *words)


@lru_cache
def vocabulary(slot: str) -> tuple[Words, ...]:
    """Return what can fill a slot: "goods", or "a:goods" for "a" or "an" before it."""
    article, _, section = slot.rpartition(":")
    entries = tuple(tuple(e.split()) for e in word_list("vocabulary", section))
    return tuple(map(with_article, entries)) if article else entries


def parse(text: str) -> tuple[Words | str, ...]:
    """Cut a pattern into runs of words and slots; {PER2} is just another {PER}.

    Example:
        >>> parse("Also , {x} .")
        (('Also', ','), 'x', ('.',))
    """
    parts: list[Words | str] = []
    for token in text.split():
        if token.startswith("{"):
            parts.append(token[1:-1].rstrip("2"))
        elif parts and isinstance(parts[-1], tuple):
            parts[-1] = (*parts[-1], token)
        else:
            parts.append((token,))
    return tuple(parts)


@lru_cache
def letters() -> dict[tuple[str, str], list[str]]:
    """Share the patterns of every section out among the splits.

    Round by round, a section's patterns are ranked by how many of their words no
    other pattern of the train split has; the first of the ranking go to train.
    """
    files = ("lead", "general", *TOPICS)
    words = {
        (file, name): [set(line.lower().split()) for line in lines]
        for file in files
        for name, lines in sections(file).items()
    }
    given = {key: ["T"] * len(lines) for key, lines in words.items()}
    for _ in range(4):
        for key, lines in words.items():
            rest = Counter(
                word
                for other, sets in words.items()
                for letter, found in zip(given[other], sets, strict=True)
                if other != key and letter in LETTERS["train"]
                for word in found
            )
            rare = [sum(not rest[word] for word in found) for found in lines]
            order = sorted(range(len(lines)), key=lambda i: (-rare[i], i))
            for rank, i in enumerate(order):
                few = len(lines) < 12
                given[key][i] = FEW[rank] if few else CYCLE[rank * 12 // len(lines)]
    return given


@lru_cache
def patterns(file: str, section: str, split: str) -> tuple[Pattern, ...]:
    """Return the patterns of a section that belong to a split."""
    chosen = []
    given = letters()[file, section]
    for i, line in enumerate(sections(file)[section]):
        if given[i] not in LETTERS[split]:
            continue
        kind, sentiment = "", 0
        if section == "typed":
            kind, sign, line = line.split(maxsplit=2)
            sentiment = "-0+".index(sign) - 1
        chosen.append(Pattern(f"{file}/{section}/{i}", parse(line), kind, sentiment))
    return tuple(chosen)


def pattern_count() -> int:
    """Count the sentence patterns of all splits together."""
    return sum(
        len(lines)
        for file in ("lead", "general", *TOPICS)
        for lines in sections(file).values()
    )


@dataclass(frozen=True)
class Relation:
    """What the lead can tell of two names: "PER has bought ORG"."""

    kind: str
    topic: str
    sentiment: int
    actor: str
    object: str
    words: Words


@lru_cache
def relations() -> tuple[Relation, ...]:
    """Return every relation that a lead can tell.

    Example:
        >>> relations()[0].words
        ('is', 'suing')
    """
    found = []
    for line in sections("relations")["relations"]:
        kind, topic, sign, types, words = (cell.strip() for cell in line.split("|"))
        actor, object_ = types.split()
        sentiment = "-0+".index(sign) - 1
        found.append(
            Relation(kind, topic, sentiment, actor, object_, tuple(words.split()))
        )
    return tuple(found)


def shuffled(items, key: str) -> list:
    """Return the items in an order that depends on the key alone."""
    generator = Random(f"gazette/{key}")
    return [item for _, item in sorted((generator.random(), i) for i in items)]


def share(items, key: str, sizes: tuple[int, int, int], split: str) -> tuple:
    """Cut shuffled items into three parts and return that of a split.

    Args:
        items: What to share out, in any order.
        key: Fixes the order.
        sizes: Items for train, dev and test.
        split: Whose part.
    """
    edges = (0, sizes[0], sizes[0] + sizes[1], sum(sizes))
    start, stop = list(pairwise(edges))[SPLITS.index(split)]
    return tuple(shuffled(items, key)[start:stop])
