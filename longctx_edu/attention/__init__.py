"""Attention: every variant is `f(q, k, v, *, ...) -> output`.

`dense` is the definition; the others equal it under the mask that they claim.
"""

from longctx_edu.attention.block_sparse import block_sparse_attention
from longctx_edu.attention.causal import causal_attention
from longctx_edu.attention.cost import (
    attention_operations,
    input_output_bytes,
    kv_cache_bytes,
    score_bytes,
)
from longctx_edu.attention.dense import attention_weights, dense_attention
from longctx_edu.attention.full import full_attention
from longctx_edu.attention.merge import merge
from longctx_edu.attention.online import online_attention
from longctx_edu.attention.pairs import (
    block_pairs,
    chunk_pairs,
    full_pairs,
    window_pairs,
)
from longctx_edu.attention.sinks import sink_attention
from longctx_edu.attention.window import window_attention

__all__ = [
    "attention_operations",
    "attention_weights",
    "block_pairs",
    "block_sparse_attention",
    "causal_attention",
    "chunk_pairs",
    "dense_attention",
    "full_attention",
    "full_pairs",
    "input_output_bytes",
    "kv_cache_bytes",
    "merge",
    "online_attention",
    "score_bytes",
    "sink_attention",
    "window_attention",
    "window_pairs",
]
