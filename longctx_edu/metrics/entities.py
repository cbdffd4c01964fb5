"""Read entities off IOB2 tags, strictly: an entity starts at `B-` and nowhere else."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, order=True)
class Entity:
    """One entity: where it stands and what it is.

    Args:
        start: First token, counted from 0.
        stop: The token after the last one.
        type: The entity's class: "PER".
    """

    start: int
    stop: int
    type: str


def entities(tags: Sequence[str]) -> list[Entity]:
    """Read the entities of one text, in order.

    `B-X` opens an entity, each `I-X` right behind it continues it, anything else
    closes it. An `I-` that continues nothing of its own type is no entity and part
    of none: a model that writes it loses the entity.

    Args:
        tags: One IOB2 tag a token.

    Raises:
        ValueError: If a tag is not O, B-TYPE or I-TYPE.

    Example:
        >>> entities(["B-PER", "I-PER", "I-LOC", "O", "I-PER"])
        [Entity(start=0, stop=2, type='PER')]

    Source: The IOB2 tags of Tjong Kim Sang and Veenstra 1999, section 2; the same
    reading as seqeval's strict mode. Built in lesson 09.
    """
    found: list[Entity] = []
    start, type_ = 0, ""  # no type: no entity is open
    for token, tag in enumerate(tags):
        prefix, tag_type = parts(tag)
        if prefix == "I" and tag_type == type_:
            continue
        if type_:
            found.append(Entity(start, token, type_))
        start, type_ = (token, tag_type) if prefix == "B" else (0, "")
    if type_:
        found.append(Entity(start, len(tags), type_))
    return found


@lru_cache(maxsize=1024)
def parts(tag: str) -> tuple[str, str]:
    """Part a tag into its prefix and its type.

    Args:
        tag: O, B-TYPE or I-TYPE.

    Raises:
        ValueError: If it is none of these.

    Example:
        >>> parts("B-creative-work"), parts("O")
        (('B', 'creative-work'), ('O', ''))
    """
    prefix, _, type_ = tag.partition("-")
    if tag != "O" and not (prefix in ("B", "I") and type_):
        raise ValueError(f"need tags O, B-TYPE or I-TYPE, got {tag!r}")
    return prefix, type_
