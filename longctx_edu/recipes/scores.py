"""All scores of a tagger on documents, as one dict that can be written as JSON."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from longctx_edu.data.documents import Document, Mention
from longctx_edu.metrics import (
    confusion,
    count_mistakes,
    entity_scores,
    errors_by_kind,
    scores_by_distance,
    scores_by_length,
    scores_by_novelty,
    token_accuracy,
    token_scores,
)
from longctx_edu.metrics.novelty import Known
from longctx_edu.metrics.scores import Tags

FAR = 128
"""From this distance on, in tokens, evidence counts as far."""


def score_documents(
    documents: Sequence[Document],
    predicted: Sequence[Sequence[str]],
    *,
    known: Known | None = None,
) -> dict[str, Any]:
    """Score predicted tags against the documents' own.

    Args:
        documents: Words with gold tags, and mentions where distances are known.
        predicted: One sequence of IOB2 tags a document.
        known: The types that each form had in training, as `known_forms` says.

    Returns:
        f1, precision and recall of strict entities; accuracy and scores per tag of
        tokens; per type; confusion; kinds of errors; by length; where `known` is
        given, by novelty; and, where distances are known, by distance, and `f1_far`
        of ambiguous names from 128 tokens on.
    """
    gold = [document.tags for document in documents]
    per_type = entity_scores(gold, predicted)
    micro = per_type["micro"]
    labels, counts = confusion(gold, predicted)
    scores = {
        "f1": micro.f1,
        "precision": micro.precision,
        "recall": micro.recall,
        "entities": micro.support,
        "token_accuracy": token_accuracy(gold, predicted),
        "per_type": {name: asdict(score) for name, score in per_type.items()},
        "per_tag": {
            tag: asdict(score) for tag, score in token_scores(gold, predicted).items()
        },
        "confusion": {"labels": list(labels), "counts": counts.tolist()},
        "errors": dict(errors_by_kind(gold, predicted)),
        "mistakes": count_mistakes(gold, predicted),
        "by_length": _by_length(gold, predicted),
    }
    if known is not None:
        tokens = [document.tokens for document in documents]
        by_novelty = scores_by_novelty(tokens, gold, predicted, known)
        scores["by_novelty"] = {name: asdict(s) for name, s in by_novelty.items()}
    if any(mention.distance is not None for d in documents for mention in d.mentions):
        scores |= _by_distance(documents, predicted)
    return scores


def far_f1(documents: Sequence[Document], predicted: Sequence[Sequence[str]]) -> float:
    """Strict F1 of the ambiguous mentions whose evidence is far.

    Args:
        documents: Documents with mentions.
        predicted: One sequence of IOB2 tags a document.
    """
    return _buckets(documents, predicted, [(FAR, None)], _is_ambiguous)[0]["f1"]


def _by_length(gold: Tags, predicted: Tags) -> list[dict[str, Any]]:
    return [
        {"low": row.low, "high": row.high, "documents": row.documents}
        | asdict(row.score)
        for row in scores_by_length(gold, predicted)
    ]


def _by_distance(documents, predicted) -> dict[str, Any]:
    return {
        "by_distance": _buckets(documents, predicted),
        "by_distance_ambiguous": _buckets(documents, predicted, only=_is_ambiguous),
        "f1_far": far_f1(documents, predicted),
    }


def _buckets(
    documents: Sequence[Document],
    predicted: Sequence[Sequence[str]],
    buckets: Sequence[tuple[int, int | None]] | None = None,
    only: Callable[[Mention], bool] | None = None,
) -> list[dict[str, Any]]:
    chosen = {} if buckets is None else {"buckets": buckets}
    mentions = [document.mentions for document in documents]
    found = scores_by_distance(mentions, predicted, only=only, **chosen)
    return [{"low": b.low, "high": b.high, **asdict(b.score)} for b in found]


def _is_ambiguous(mention: Mention) -> bool:
    return mention.ambiguous
