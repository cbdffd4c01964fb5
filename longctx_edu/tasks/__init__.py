"""From texts to a model's inputs, and from its outputs back to the text."""

from longctx_edu.tasks.context import CONTEXTS, sentence_chunks, widened
from longctx_edu.tasks.crf import (
    collate_chains,
    crf_loss,
    crf_tags,
    labelled_words,
    log_partition,
    negative_log_likelihood,
    row_score,
)
from longctx_edu.tasks.decoding import (
    DECODERS,
    allowed,
    constrained,
    greedy,
    viterbi,
)
from longctx_edu.tasks.pieces import (
    IGNORE,
    Cut,
    Piece,
    collate,
    pieces_of,
    reading_cost,
)
from longctx_edu.tasks.readers import Reader, Reading, SubwordReader, WordReader
from longctx_edu.tasks.tagging import (
    predict_tags,
    tag_logits,
    tag_names,
    tagging_loss,
    weighted_tagging_loss,
)

__all__ = [
    "CONTEXTS",
    "DECODERS",
    "IGNORE",
    "Cut",
    "Piece",
    "Reader",
    "Reading",
    "SubwordReader",
    "WordReader",
    "allowed",
    "collate",
    "collate_chains",
    "constrained",
    "crf_loss",
    "crf_tags",
    "greedy",
    "labelled_words",
    "log_partition",
    "negative_log_likelihood",
    "pieces_of",
    "predict_tags",
    "reading_cost",
    "row_score",
    "sentence_chunks",
    "tag_logits",
    "tag_names",
    "tagging_loss",
    "viterbi",
    "weighted_tagging_loss",
    "widened",
]
