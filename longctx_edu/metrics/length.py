"""Scores by length: how well are entities found in short texts, and in long ones?"""

from collections.abc import Sequence
from dataclasses import dataclass

from longctx_edu.metrics.scores import Score, Tags, check_pairs, entity_scores

LENGTHS = (
    (0, 15),
    (16, 63),
    (64, 255),
    (256, 1023),
    (1024, 4095),
    (4096, 16383),
    (16384, None),
)
"""Smallest and largest length of each bucket, in tokens; None means no end."""


@dataclass(frozen=True)
class LengthScore:
    """The score of the texts whose length lies within one range.

    Args:
        low: Smallest length, in tokens.
        high: Largest length, in tokens, included; None where there is no end.
        documents: How many texts are that long.
        score: The score of the entities in these texts, all together.
    """

    low: int
    high: int | None
    documents: int
    score: Score


def scores_by_length(
    gold: Tags,
    predicted: Tags,
    *,
    buckets: Sequence[tuple[int, int | None]] = LENGTHS,
) -> list[LengthScore]:
    """Score entities apart by the length of the text that they stand in.

    A text whose length is in no bucket stays out.

    Args:
        gold: One sequence of IOB2 tags a text.
        predicted: As many, each as long.
        buckets: Smallest and largest length of each, in tokens.

    Raises:
        ValueError: If the two differ in number or length, or a tag is not IOB2.

    Example:
        >>> short, long = ["B-PER"], ["B-PER"] + 19 * ["O"]
        >>> for row in scores_by_length([short, long], [short, 20 * ["O"]])[:2]:
        ...     print(row.low, row.high, row.documents, row.score.f1)
        0 15 1 1.0
        16 63 1 0.0

    Source: The idea of Fu et al. 2020, who part sentences by their length.
    """
    check_pairs(gold, predicted)
    rows = []
    for low, high in buckets:
        inside = [
            pair
            for pair in zip(gold, predicted, strict=True)
            if low <= len(pair[0]) and (high is None or len(pair[0]) <= high)
        ]
        scores = entity_scores([g for g, _ in inside], [p for _, p in inside])
        rows.append(LengthScore(low, high, len(inside), scores["micro"]))
    return rows
