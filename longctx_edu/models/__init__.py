"""Modules that receive their attention; nothing here knows a task's data."""

from longctx_edu.models.attention_layer import MultiHeadAttention
from longctx_edu.models.build import (
    ATTENTIONS,
    attention_named,
    build_language_model,
    build_tagger,
)
from longctx_edu.models.config import EncoderConfig
from longctx_edu.models.encoder import Encoder, EncoderBlock, WordEmbedding
from longctx_edu.models.heads import TokenClassifier
from longctx_edu.models.language import EncoderDecoder, LanguageModel
from longctx_edu.models.position_layers import (
    AlibiPositions,
    LearnedPositions,
    Positions,
    RotaryPositions,
    SinusoidalPositions,
    positions_of,
)
from longctx_edu.models.self_attention import SelfAttention
from longctx_edu.models.transformer import (
    ShortConvolution,
    Transformer,
    TransformerBlock,
)
from longctx_edu.models.transformer_config import TransformerConfig

__all__ = [
    "ATTENTIONS",
    "AlibiPositions",
    "Encoder",
    "EncoderBlock",
    "EncoderConfig",
    "EncoderDecoder",
    "LanguageModel",
    "LearnedPositions",
    "MultiHeadAttention",
    "Positions",
    "RotaryPositions",
    "SelfAttention",
    "ShortConvolution",
    "SinusoidalPositions",
    "TokenClassifier",
    "Transformer",
    "TransformerBlock",
    "TransformerConfig",
    "WordEmbedding",
    "attention_named",
    "build_language_model",
    "build_tagger",
    "positions_of",
]
