"""How good is a tagger: strict entity scores, token scores, scores by distance."""

from longctx_edu.metrics.distance import (
    BUCKETS,
    BucketScore,
    count_spurious,
    scores_by_distance,
)
from longctx_edu.metrics.entities import Entity, entities
from longctx_edu.metrics.kinds import KINDS, errors_by_kind
from longctx_edu.metrics.scores import Score, entity_scores
from longctx_edu.metrics.tokens import confusion, token_accuracy, token_scores

__all__ = [
    "BUCKETS",
    "KINDS",
    "BucketScore",
    "Entity",
    "Score",
    "confusion",
    "count_spurious",
    "entities",
    "entity_scores",
    "errors_by_kind",
    "scores_by_distance",
    "token_accuracy",
    "token_scores",
]
