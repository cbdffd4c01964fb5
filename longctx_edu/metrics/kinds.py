"""What kind of mistake a tagger makes: a wrong type, a wrong boundary, a miss."""

from collections.abc import Sequence

from longctx_edu.metrics.entities import entities
from longctx_edu.metrics.scores import check_pairs

KINDS = ("correct", "wrong type", "wrong boundary", "missed", "spurious")


def errors_by_kind(
    gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]
) -> dict[str, int]:
    """Count what became of the gold entities, and which predictions are made up.

    Each gold entity is one of: correct; wrong type (found with its exact tokens);
    wrong boundary (a prediction overlaps it, whatever its type); missed. A predicted
    entity that overlaps no gold one is spurious.

    Args:
        gold: One sequence of IOB2 tags a text.
        predicted: As many, each as long.

    Raises:
        ValueError: If the two differ in number or length, or a tag is not IOB2.

    Example:
        >>> errors_by_kind([["B-PER", "I-PER", "O"]], [["B-PER", "O", "B-LOC"]])
        {'correct': 0, 'wrong type': 0, 'wrong boundary': 1, 'missed': 0, 'spurious': 1}

    Source: The idea of Chinchor and Sundheim 1993, with fewer categories.
    """
    check_pairs(gold, predicted)
    counts = dict.fromkeys(KINDS, 0)
    for gold_tags, predicted_tags in zip(gold, predicted, strict=True):
        there, said = entities(gold_tags), entities(predicted_tags)
        types = {(entity.start, entity.stop): entity.type for entity in said}
        said_at = {t for entity in said for t in range(entity.start, entity.stop)}
        there_at = {t for entity in there for t in range(entity.start, entity.stop)}
        for entity in there:
            type_ = types.get((entity.start, entity.stop))
            if type_ is not None:
                kind = "correct" if type_ == entity.type else "wrong type"
            else:
                found = not said_at.isdisjoint(range(entity.start, entity.stop))
                kind = "wrong boundary" if found else "missed"
            counts[kind] += 1
        counts["spurious"] += sum(
            there_at.isdisjoint(range(entity.start, entity.stop)) for entity in said
        )
    return counts
