"""Attention: every variant is `f(q, k, v, *, ...) -> output`.

`dense` is the definition; the others equal it under the mask that they claim.
"""

from longctx_edu.attention.dense import attention_weights, dense_attention
from longctx_edu.attention.full import full_attention
from longctx_edu.attention.window import window_attention

__all__ = ["attention_weights", "dense_attention", "full_attention", "window_attention"]
