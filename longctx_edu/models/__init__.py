"""Modules that receive their attention; nothing here knows a task's data."""

from longctx_edu.models.attention_layer import MultiHeadAttention
from longctx_edu.models.build import ATTENTIONS, attention_named, build_tagger
from longctx_edu.models.config import EncoderConfig
from longctx_edu.models.encoder import Encoder, EncoderBlock, WordEmbedding
from longctx_edu.models.heads import TokenClassifier

__all__ = [
    "ATTENTIONS",
    "Encoder",
    "EncoderBlock",
    "EncoderConfig",
    "MultiHeadAttention",
    "TokenClassifier",
    "WordEmbedding",
    "attention_named",
    "build_tagger",
]
