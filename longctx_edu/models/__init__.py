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
from longctx_edu.models.generation import generate, stream
from longctx_edu.models.heads import (
    SequenceClassifier,
    SpanClassifier,
    TokenClassifier,
)
from longctx_edu.models.language import EncoderDecoder, LanguageModel
from longctx_edu.models.ngram import NGram
from longctx_edu.models.pooling import POOLINGS, pool
from longctx_edu.models.position_layers import (
    AlibiPositions,
    LearnedPositions,
    Positions,
    RotaryPositions,
    SinusoidalPositions,
    positions_of,
)
from longctx_edu.models.sampling import (
    greedy,
    keep_top_k,
    keep_top_p,
    next_token_probabilities,
    sample,
)
from longctx_edu.models.self_attention import SelfAttention
from longctx_edu.models.spans import Spans, best_span
from longctx_edu.models.transformer import (
    ShortConvolution,
    Transformer,
    TransformerBlock,
)
from longctx_edu.models.transformer_config import TransformerConfig
from longctx_edu.models.transitions import Transitions

__all__ = [
    "ATTENTIONS",
    "POOLINGS",
    "AlibiPositions",
    "Encoder",
    "EncoderBlock",
    "EncoderConfig",
    "EncoderDecoder",
    "LanguageModel",
    "LearnedPositions",
    "MultiHeadAttention",
    "NGram",
    "Positions",
    "RotaryPositions",
    "SelfAttention",
    "SequenceClassifier",
    "ShortConvolution",
    "SinusoidalPositions",
    "SpanClassifier",
    "Spans",
    "TokenClassifier",
    "Transformer",
    "TransformerBlock",
    "TransformerConfig",
    "Transitions",
    "WordEmbedding",
    "attention_named",
    "best_span",
    "build_language_model",
    "build_tagger",
    "generate",
    "greedy",
    "keep_top_k",
    "keep_top_p",
    "next_token_probabilities",
    "pool",
    "positions_of",
    "sample",
    "stream",
]
