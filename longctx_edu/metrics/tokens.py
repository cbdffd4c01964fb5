"""Scores by token: accuracy, a row for each tag, who is taken for whom.

They say less than the scores by entity. Most tokens are O, and a model that writes O
alone has a high accuracy and finds nothing.
"""

from collections import Counter

import torch
from jaxtyping import Int
from torch import Tensor

from longctx_edu.metrics.entities import parts
from longctx_edu.metrics.scores import Score, Tags, check_pairs


def token_scores(gold: Tags, predicted: Tags) -> dict[str, Score]:
    """Score tags one token at a time, a score for each tag.

    Args:
        gold: One sequence of IOB2 tags a text.
        predicted: As many, each as long.

    Raises:
        ValueError: If the two differ in number or length, or a tag is not IOB2.

    Returns:
        A score for each tag, O first, then by type; and "micro without O", over
        all tokens that are or were called part of an entity.

    Example:
        >>> scores = token_scores([["B-PER", "I-PER", "O"]], [["B-PER", "O", "O"]])
        >>> scores["O"].precision, scores["micro without O"].recall
        (0.5, 0.5)

    Source: Built in lesson 09, which shows what these rows hide.
    """
    labels, counts = confusion(gold, predicted)
    right, said, there = counts.diagonal(), counts.sum(0), counts.sum(1)
    rows = zip(right.tolist(), said.tolist(), there.tolist(), strict=True)
    scores = {
        label: Score.from_counts(*row) for label, row in zip(labels, rows, strict=True)
    }
    inside = [label != "O" for label in labels]
    totals = (int(count[inside].sum()) for count in (right, said, there))
    return {**scores, "micro without O": Score.from_counts(*totals)}


def token_accuracy(gold: Tags, predicted: Tags) -> float:
    """Return the share of tokens with the right tag, O included; 0 without tokens.

    Args:
        gold: One sequence of tags a text.
        predicted: As many, each as long.

    Raises:
        ValueError: If the two differ in number or length.

    Example:
        >>> token_accuracy([["B-PER", "O", "O", "O"]], [["O", "O", "O", "O"]])
        0.75
    """
    check_pairs(gold, predicted)
    n_tokens = sum(map(len, gold))
    right = sum(
        gold_tag == predicted_tag
        for gold_tags, predicted_tags in zip(gold, predicted, strict=True)
        for gold_tag, predicted_tag in zip(gold_tags, predicted_tags, strict=True)
    )
    return right / n_tokens if n_tokens else 0.0


def confusion(
    gold: Tags, predicted: Tags
) -> tuple[list[str], Int[Tensor, "label label"]]:
    """Count how often each gold tag (row) was predicted as each tag (column).

    Args:
        gold: One sequence of IOB2 tags a text.
        predicted: As many, each as long.

    Raises:
        ValueError: If the two differ in number or length, or a tag is not IOB2.

    Returns:
        The tags that occur, O first, then by type; and the counts, in tokens.

    Example:
        >>> labels, counts = confusion([["B-PER", "O"]], [["O", "O"]])
        >>> labels, counts.tolist()
        (['O', 'B-PER'], [[1, 0], [1, 0]])
    """
    check_pairs(gold, predicted)
    pairs: Counter[tuple[str, str]] = Counter()
    for gold_tags, predicted_tags in zip(gold, predicted, strict=True):
        pairs.update(zip(gold_tags, predicted_tags, strict=True))
    tags = {tag for pair in pairs for tag in pair}
    labels = sorted(tags, key=lambda tag: parts(tag)[::-1])
    place = {label: number for number, label in enumerate(labels)}
    counts = torch.zeros(len(labels), len(labels), dtype=torch.long)
    for (gold_tag, predicted_tag), count in pairs.items():
        counts[place[gold_tag], place[predicted_tag]] = count
    return labels, counts
