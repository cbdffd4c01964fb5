"""How good is a tagger or a language model: scores by entity, token, distance; bits."""

from longctx_edu.metrics.distance import (
    BUCKETS,
    BucketScore,
    count_spurious,
    scores_by_distance,
)
from longctx_edu.metrics.entities import Entity, entities
from longctx_edu.metrics.kinds import KINDS, errors_by_kind
from longctx_edu.metrics.language import bits_per_byte, bits_per_token, perplexity
from longctx_edu.metrics.recall import RecallScore, RecallScores, score_recall
from longctx_edu.metrics.scores import Score, entity_scores
from longctx_edu.metrics.tokens import confusion, token_accuracy, token_scores

__all__ = [
    "BUCKETS",
    "KINDS",
    "BucketScore",
    "Entity",
    "RecallScore",
    "RecallScores",
    "Score",
    "bits_per_byte",
    "bits_per_token",
    "confusion",
    "count_spurious",
    "entities",
    "entity_scores",
    "errors_by_kind",
    "perplexity",
    "score_recall",
    "scores_by_distance",
    "token_accuracy",
    "token_scores",
]
