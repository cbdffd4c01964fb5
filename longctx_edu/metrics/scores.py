"""Precision, recall and F1 by entity: the numbers that the task counts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from longctx_edu.metrics.entities import entities

Tags = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Score:
    """Precision, recall and F1, each from 0 to 1, and 0 where it is undefined.

    Args:
        precision: Share of what was predicted that is right.
        recall: Share of what is there that was found.
        f1: Their harmonic mean.
        support: How many there are.
    """

    precision: float
    recall: float
    f1: float
    support: int

    @classmethod
    def from_counts(cls, true_positive: int, predicted: int, gold: int) -> "Score":
        """Compute the three shares from three counts.

        Args:
            true_positive: Predicted and right.
            predicted: Predicted, right or wrong.
            gold: There to be found.

        Example:
            >>> Score.from_counts(true_positive=1, predicted=2, gold=2)
            Score(precision=0.5, recall=0.5, f1=0.5, support=2)

        Source: van Rijsbergen 1979, chapter 7. Built in lesson 09.
        """
        precision = true_positive / predicted if predicted else 0.0
        recall = true_positive / gold if gold else 0.0
        f1 = 2 * true_positive / (predicted + gold) if predicted + gold else 0.0
        return cls(precision, recall, f1, gold)


def entity_scores(gold: Tags, predicted: Tags) -> dict[str, Score]:
    """Score entities: right are those with the right first and last token and type.

    Args:
        gold: One sequence of IOB2 tags a text.
        predicted: As many, each as long.

    Raises:
        ValueError: If the two differ in number or length, or a tag is not IOB2.

    Returns:
        A score for each type in alphabetical order; "micro", over all entities;
        and "macro", the plain mean over the types.

    Example:
        >>> gold, predicted = ["B-PER", "I-PER", "B-LOC"], ["B-PER", "O", "B-LOC"]
        >>> scores = entity_scores([gold], [predicted])
        >>> scores["PER"].f1, scores["LOC"].f1, scores["micro"].f1
        (0.0, 1.0, 0.5)

    Source: Tjong Kim Sang and De Meulder 2003, section 2. Built in lesson 09.
    """
    check_pairs(gold, predicted)
    right, said, there = Counter(), Counter(), Counter()
    for gold_tags, predicted_tags in zip(gold, predicted, strict=True):
        gold_entities = set(entities(gold_tags))
        predicted_entities = set(entities(predicted_tags))
        there.update(entity.type for entity in gold_entities)
        said.update(entity.type for entity in predicted_entities)
        right.update(entity.type for entity in gold_entities & predicted_entities)
    types = sorted(there | said)
    scores = {t: Score.from_counts(right[t], said[t], there[t]) for t in types}
    total = Score.from_counts(right.total(), said.total(), there.total())
    return {**scores, "micro": total, "macro": mean_score(scores.values())}


def mean_score(scores: Iterable[Score]) -> Score:
    """Average scores, each with the same weight; the supports are added.

    Args:
        scores: The scores of the types.

    Example:
        >>> mean_score([Score(1.0, 0.5, 0.5, 2), Score(0.0, 0.5, 0.0, 8)])
        Score(precision=0.5, recall=0.5, f1=0.25, support=10)
    """
    scores = list(scores)
    n = max(1, len(scores))
    return Score(
        precision=sum(score.precision for score in scores) / n,
        recall=sum(score.recall for score in scores) / n,
        f1=sum(score.f1 for score in scores) / n,
        support=sum(score.support for score in scores),
    )


def check_pairs(gold: Tags, predicted: Tags) -> None:
    """Refuse predictions that do not stand beside the gold tags one to one.

    Args:
        gold: One sequence of tags a text.
        predicted: The same for the predictions.

    Raises:
        ValueError: If the two differ in number or length.
    """
    if len(gold) != len(predicted):
        raise ValueError(
            f"need as many predicted texts as gold ones, got {len(predicted)} "
            f"predicted and {len(gold)} gold"
        )
    for number, (gold_tags, tags) in enumerate(zip(gold, predicted, strict=True)):
        if len(gold_tags) != len(tags):
            raise ValueError(
                f"need one predicted tag a gold tag, got {len(tags)} predicted and "
                f"{len(gold_tags)} gold in text {number}"
            )
