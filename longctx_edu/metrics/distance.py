"""Scores by distance: how well are entities found whose evidence stands far away?"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from longctx_edu.metrics.entities import Entity, entities
from longctx_edu.metrics.scores import Score

BUCKETS = ((0, 0), (1, 127), (128, 511), (512, 1023), (1024, None))
"""Smallest and largest distance of each bucket, in tokens; None means no end."""


@runtime_checkable
class Located(Protocol):
    """A gold entity that knows how far away the evidence for its type stands."""

    start: int
    stop: int
    type: str
    distance: int | None


@dataclass(frozen=True)
class BucketScore:
    """The score of the entities whose evidence lies within one range of distances.

    Args:
        low: Smallest distance, in tokens.
        high: Largest distance, in tokens, included; None where there is no end.
        score: The score of these entities alone.
    """

    low: int
    high: int | None
    score: Score


def scores_by_distance(
    mentions: Sequence[Sequence[Located]],
    predicted: Sequence[Sequence[str]],
    *,
    buckets: Sequence[tuple[int, int | None]] = BUCKETS,
    only: Callable[[Located], bool] | None = None,
) -> list[BucketScore]:
    """Score entities apart by the distance of their evidence.

    A prediction counts in the bucket of the gold entity that it overlaps most, the
    earlier of two that it overlaps alike. One that overlaps none belongs to no
    distance: `count_spurious` counts those. Mentions without a distance, or whose
    distance is in no bucket, stay out.

    Args:
        mentions: The gold entities of each document; no two of them overlap.
        predicted: One sequence of IOB2 tags a document.
        buckets: Smallest and largest distance of each, in tokens.
        only: Says which mentions count, the ambiguous ones for example; all if None.

    Raises:
        ValueError: If documents differ in number, or a mention ends behind the tags.

    Example:
        >>> from longctx_edu.data.documents import Mention
        >>> near = Mention(0, 1, "PER", distance=0)
        >>> far = Mention(2, 3, "LOC", distance=9)
        >>> tags = ["B-PER", "O", "B-PER"]
        >>> for bucket in scores_by_distance([[near, far]], [tags])[:2]:
        ...     print(bucket.low, bucket.high, bucket.score.f1)
        0 0 1.0
        1 127 0.0

    Source: Built in lesson 10.
    """
    right, said, there = Counter(), Counter(), Counter()
    for gold, tags in paired(mentions, predicted):
        numbers = [bucket_of(mention, buckets, only) for mention in gold]
        there.update(numbers)
        for entity, nearest in with_nearest(entities(tags), gold, len(tags)):
            if nearest is None:
                continue
            said[numbers[nearest]] += 1
            right[numbers[nearest]] += entity == as_entity(gold[nearest])
    return [
        BucketScore(low, high, Score.from_counts(right[n], said[n], there[n]))
        for n, (low, high) in enumerate(buckets)
    ]


def count_spurious(
    mentions: Sequence[Sequence[Located]], predicted: Sequence[Sequence[str]]
) -> int:
    """Count the predicted entities that overlap no gold one.

    Args:
        mentions: The gold entities of each document.
        predicted: One sequence of IOB2 tags a document.

    Raises:
        ValueError: If documents differ in number, or a mention ends behind the tags.

    Example:
        >>> count_spurious([[]], [["B-PER", "O"]])
        1
    """
    return sum(
        nearest is None
        for gold, tags in paired(mentions, predicted)
        for _, nearest in with_nearest(entities(tags), gold, len(tags))
    )


def paired(
    mentions: Sequence[Sequence[Located]], predicted: Sequence[Sequence[str]]
) -> list[tuple[Sequence[Located], Sequence[str]]]:
    """Put each document's mentions beside its predicted tags."""
    if len(mentions) != len(predicted):
        raise ValueError(
            f"need mentions and tags of the same documents, got {len(mentions)} "
            f"documents with mentions and {len(predicted)} with tags"
        )
    pairs = list(zip(mentions, predicted, strict=True))
    for number, (gold, tags) in enumerate(pairs):
        stop = max((mention.stop for mention in gold), default=0)
        if stop > len(tags):
            raise ValueError(
                f"need mentions inside the text, got stop={stop} and {len(tags)} tags "
                f"in document {number}"
            )
    return pairs


def bucket_of(
    mention: Located,
    buckets: Sequence[tuple[int, int | None]],
    only: Callable[[Located], bool] | None,
) -> int | None:
    """Return the number of the mention's bucket; None where it stays out."""
    if mention.distance is None or (only is not None and not only(mention)):
        return None
    for number, (low, high) in enumerate(buckets):
        if low <= mention.distance and (high is None or mention.distance <= high):
            return number
    return None


def with_nearest(
    found: Sequence[Entity], gold: Sequence[Located], n_tokens: int
) -> list[tuple[Entity, int | None]]:
    """Put beside each entity the number of the gold one that it overlaps most."""
    at: list[int | None] = [None] * n_tokens  # the mention that each token belongs to
    for number, mention in enumerate(gold):
        at[mention.start : mention.stop] = [number] * (mention.stop - mention.start)
    pairs: list[tuple[Entity, int | None]] = []
    for entity in found:
        shared = Counter(n for n in at[entity.start : entity.stop] if n is not None)
        pairs.append((entity, shared.most_common(1)[0][0] if shared else None))
    return pairs


def as_entity(mention: Located) -> Entity:
    """Keep what decides whether a prediction is right."""
    return Entity(mention.start, mention.stop, mention.type)
