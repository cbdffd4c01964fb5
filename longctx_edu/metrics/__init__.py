"""How good is a tagger or a language model: scores by entity, token, distance; bits."""

from longctx_edu.metrics.bootstrap import (
    Comparison,
    entity_counts,
    paired_bootstrap,
)
from longctx_edu.metrics.distance import (
    BUCKETS,
    BucketScore,
    count_spurious,
    scores_by_distance,
)
from longctx_edu.metrics.entities import Entity, entities
from longctx_edu.metrics.kinds import KINDS, errors_by_kind
from longctx_edu.metrics.language import bits_per_byte, bits_per_token, perplexity
from longctx_edu.metrics.length import LENGTHS, LengthScore, scores_by_length
from longctx_edu.metrics.mistakes import MISTAKES, Mistake, count_mistakes, mistakes
from longctx_edu.metrics.novelty import (
    NOVELTY,
    known_forms,
    novelty,
    scores_by_novelty,
)
from longctx_edu.metrics.recall import RecallScore, RecallScores, score_recall
from longctx_edu.metrics.scores import Score, entity_scores
from longctx_edu.metrics.spread import OverSeeds, over_seeds
from longctx_edu.metrics.tokens import confusion, token_accuracy, token_scores

__all__ = [
    "BUCKETS",
    "KINDS",
    "LENGTHS",
    "MISTAKES",
    "NOVELTY",
    "BucketScore",
    "Comparison",
    "Entity",
    "LengthScore",
    "Mistake",
    "OverSeeds",
    "RecallScore",
    "RecallScores",
    "Score",
    "bits_per_byte",
    "bits_per_token",
    "confusion",
    "count_mistakes",
    "count_spurious",
    "entities",
    "entity_counts",
    "entity_scores",
    "errors_by_kind",
    "known_forms",
    "mistakes",
    "novelty",
    "over_seeds",
    "paired_bootstrap",
    "perplexity",
    "score_recall",
    "scores_by_distance",
    "scores_by_length",
    "scores_by_novelty",
    "token_accuracy",
    "token_scores",
]
