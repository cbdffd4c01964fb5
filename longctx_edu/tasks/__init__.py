"""From texts to a model's inputs, and from its outputs back to the text."""

from longctx_edu.tasks.decoding import DECODERS, constrained, greedy
from longctx_edu.tasks.pieces import IGNORE, Cut, Piece, collate, pieces_of
from longctx_edu.tasks.readers import Reader, Reading, SubwordReader, WordReader
from longctx_edu.tasks.tagging import (
    predict_tags,
    tag_logits,
    tag_names,
    tagging_loss,
)

__all__ = [
    "DECODERS",
    "IGNORE",
    "Cut",
    "Piece",
    "Reader",
    "Reading",
    "SubwordReader",
    "WordReader",
    "collate",
    "constrained",
    "greedy",
    "pieces_of",
    "predict_tags",
    "tag_logits",
    "tag_names",
    "tagging_loss",
]
