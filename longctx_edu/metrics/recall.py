"""How often is an answer right, by the distance to its evidence?"""

from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Bool, Int
from torch import Tensor

from longctx_edu.metrics.distance import BUCKETS


@dataclass(frozen=True)
class RecallScore:
    """Answers counted.

    Args:
        right: How many are right.
        count: How many were due.
    """

    right: int
    count: int

    @property
    def accuracy(self) -> float | None:
        """The share of right answers; None where none was due."""
        return self.right / self.count if self.count else None


@dataclass(frozen=True)
class RecallScores:
    """Answers counted, all together and apart by distance.

    Args:
        overall: All answers.
        by_distance: Those of each bucket, under its smallest and largest distance.
    """

    overall: RecallScore
    by_distance: dict[tuple[int, int | None], RecallScore]


def score_recall(
    predicted: Int[Tensor, "*batch token"],
    answers: Int[Tensor, "*batch token"],
    distances: Int[Tensor, "*batch token"],
    *,
    buckets: Sequence[tuple[int, int | None]] = BUCKETS,
) -> RecallScores:
    """Count right answers by distance, an answer's every token for itself.

    Args:
        predicted: The ids that a model says, `logits.argmax(-1)`.
        answers: The ids that are due; below 0 where nothing is asked.
        distances: Tokens from the evidence to each answer.
        buckets: Smallest and largest distance of each, in tokens, None for no end;
            `[(d, d) for d in distances]` for each distance by itself.

    Raises:
        ValueError: If the shapes differ, or an answer has no distance.

    Example:
        >>> import torch
        >>> answers, distances = torch.tensor([[-100, 8, 7, 7], [-1, 2, 2, 9]])
        >>> predicted = torch.tensor([7, 8, 8, 7])
        >>> scores = score_recall(
        ...     predicted, answers, distances, buckets=[(1, 4), (5, 8), (9, None)])
        >>> [score.accuracy for score in scores.by_distance.values()]
        [0.5, None, 1.0]
        >>> scores.overall
        RecallScore(right=2, count=3)

    Source: Built in lesson 06.
    """
    if not predicted.shape == answers.shape == distances.shape:
        raise ValueError(
            "need predicted, answers and distances of one shape, got "
            f"{tuple(predicted.shape)}, {tuple(answers.shape)} and "
            f"{tuple(distances.shape)}"
        )
    due = answers >= 0
    if (distances[due] < 0).any():
        raise ValueError(
            "need a distance >= 0 at each answer, got "
            f"{int(distances[due].min())} at one"
        )
    right = due & (predicted == answers)
    inside = {
        (low, high): due & (distances >= low) & (high is None or distances <= high)
        for low, high in buckets
    }
    return RecallScores(
        counted(right, due),
        {bucket: counted(right, where) for bucket, where in inside.items()},
    )


def counted(
    right: Bool[Tensor, "*batch token"], where: Bool[Tensor, "*batch token"]
) -> RecallScore:
    """Count the answers at these places, and the right ones among them."""
    return RecallScore(int((right & where).sum()), int(where.sum()))
