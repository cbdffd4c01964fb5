"""Which mistakes a tagger makes in a text, each with the entities that it concerns."""

from collections.abc import Sequence
from dataclasses import dataclass

from longctx_edu.metrics.entities import Entity, entities
from longctx_edu.metrics.scores import check_pairs

MISTAKES = (
    "wrong type",
    "wrong boundary",
    "wrong boundary and type",
    "missed",
    "spurious",
)
"""What can go wrong with an entity, the nearest to right first."""


@dataclass(frozen=True)
class Mistake:
    """One gold entity that was not found, or one prediction that is made up.

    Args:
        kind: One of `MISTAKES`.
        gold: The entity that is there; None where there is none.
        predicted: All predictions that overlap it, in order; or the one made up.
    """

    kind: str
    gold: Entity | None
    predicted: tuple[Entity, ...]

    @property
    def place(self) -> Entity:
        """The gold entity, or the prediction where there is no gold one."""
        return self.predicted[0] if self.gold is None else self.gold


def mistakes(gold: Sequence[str], predicted: Sequence[str]) -> list[Mistake]:
    """List the mistakes in one text, in the order of the text.

    A gold entity without a correct prediction has a wrong type (its exact tokens were
    found), a wrong boundary (a prediction of its type overlaps it), both (only others
    do), or was missed. A prediction that overlaps no gold entity is spurious.

    Args:
        gold: The IOB2 tags of the text.
        predicted: As many.

    Raises:
        ValueError: If the two differ in length, or a tag is not IOB2.

    Example:
        >>> gold = ["B-PER", "I-PER", "O", "B-LOC"]
        >>> for m in mistakes(gold, ["B-PER", "O", "B-ORG", "B-ORG"]):
        ...     print(m.place.start, m.kind)
        0 wrong boundary
        2 spurious
        3 wrong type

    Source: The idea of Chinchor and Sundheim 1993, with other categories.
    """
    check_pairs([gold], [predicted])
    there, said = entities(gold), entities(predicted)
    there_at, said_at = owners(there, len(gold)), owners(said, len(gold))
    found = []
    for entity in there:
        numbers = dict.fromkeys(said_at[entity.start : entity.stop])
        overlapping = tuple(said[n] for n in numbers if n is not None)
        if entity not in overlapping:
            found.append(Mistake(kind_of(entity, overlapping), entity, overlapping))
    for entity in said:
        if not any(n is not None for n in there_at[entity.start : entity.stop]):
            found.append(Mistake("spurious", None, (entity,)))
    return sorted(found, key=lambda mistake: mistake.place)


def owners(found: Sequence[Entity], n_tokens: int) -> list[int | None]:
    """Say for each token which entity it is part of, by number; None: of none.

    Args:
        found: Entities, no two of which overlap.
        n_tokens: Tokens of the text.

    Example:
        >>> owners([Entity(1, 3, "PER")], 4)
        [None, 0, 0, None]
    """
    at: list[int | None] = [None] * n_tokens
    for number, entity in enumerate(found):
        at[entity.start : entity.stop] = [number] * (entity.stop - entity.start)
    return at


def kind_of(entity: Entity, overlapping: Sequence[Entity]) -> str:
    """Say what went wrong with a gold entity that has no correct prediction.

    Args:
        entity: The gold entity.
        overlapping: The predictions that share a token with it.

    Example:
        >>> kind_of(Entity(0, 2, "PER"), [Entity(1, 2, "LOC")])
        'wrong boundary and type'
    """
    if not overlapping:
        return "missed"
    place = (entity.start, entity.stop)
    if place == (overlapping[0].start, overlapping[0].stop):
        return "wrong type"
    is_type_right = any(said.type == entity.type for said in overlapping)
    return "wrong boundary" if is_type_right else "wrong boundary and type"


def count_mistakes(
    gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]
) -> dict[str, int]:
    """Count the mistakes of each kind over all texts.

    Args:
        gold: One sequence of IOB2 tags a text.
        predicted: As many, each as long.

    Raises:
        ValueError: If the two differ in number or length, or a tag is not IOB2.

    Example:
        >>> count_mistakes([["B-PER", "O"]], [["B-LOC", "O"]])["wrong type"]
        1
    """
    check_pairs(gold, predicted)
    counts = dict.fromkeys(MISTAKES, 0)
    for gold_tags, tags in zip(gold, predicted, strict=True):
        for mistake in mistakes(gold_tags, tags):
            counts[mistake.kind] += 1
    return counts
