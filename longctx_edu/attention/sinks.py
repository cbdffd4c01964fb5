"""Attention to a window and to the first tokens, over a whole text at once.

This is what a cache with sinks computes step by step, written down without a cache. It
forms the whole square of scores.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from longctx_edu.attention.dense import dense_attention
from longctx_edu.attention.inputs import check_flags, check_heads, check_scale
from longctx_edu.masks import dense_mask, padding
from longctx_edu.masks.sinks import window_with_sinks


def sink_attention(
    q: Float[Tensor, "batch head token d_head"],
    k: Float[Tensor, "batch kv_head token d_head"],
    v: Float[Tensor, "batch kv_head token d_value"],
    *,
    left: int | None,
    sinks: int,
    q_sinks: Float[Tensor, "batch head token d_head"] | None = None,
    keep: Bool[Tensor, "batch token"] | None = None,
    bias: Float[Tensor, "*#batch #token #token"] | None = None,
    scale: float | None = None,
) -> Float[Tensor, "batch head token d_value"]:
    """Attend to the tokens of a window, and to the first ones: the sinks.

    A query may come in two forms, one for each. Then it meets a key of twice the width
    that is 0 in one half: each key hears the form that is meant for it, and one softmax
    runs over all of them.

    Args:
        q: What each token asks of the window.
        k: What each token offers; with fewer heads, each serves a group of q's.
        v: What each token gives.
        left: Keys visible before the query, itself not counted; None for all.
        sinks: First tokens of the text, which every later query sees.
        q_sinks: What each token asks of the sinks, turned for its place inside the
            cache for example; q by default.
        keep: True where a token is real, False where it is padding.
        bias: Added to the scores before the softmax.
        scale: Factor on the scores; `1 / sqrt(d_head)` by default.

    Raises:
        ValueError: If window and sinks have no meaning, or the tensors do not fit.

    Example:
        >>> x = torch.arange(5.0).reshape(1, 1, 5, 1)
        >>> out = sink_attention(0 * x, 0 * x, x, left=1, sinks=1)
        >>> (6 * out).flatten().int().tolist()  # the last: (0 + 3 + 4) / 3
        [0, 3, 6, 10, 14]

    Source: StreamingLLM (Xiao et al. 2024), section 3.2. Built in lesson 07.
    """
    check_heads(q, k, v, same_length=True)
    check_flags("keep", keep, k)
    visible = window_with_sinks(left=left, sinks=sinks)
    if keep is not None:
        visible = visible & padding(keep[:, None])
    n, group = q.shape[2], q.shape[1] // k.shape[1]
    k, v = (x.repeat_interleave(group, dim=1) for x in (k, v))
    sink = torch.arange(n, device=q.device)[:, None] < sinks
    return dense_attention(
        torch.cat([q if q_sinks is None else q_sinks, q], dim=-1),
        torch.cat([k.masked_fill(~sink, 0.0), k.masked_fill(sink, 0.0)], dim=-1),
        v,
        mask=dense_mask(visible, n, device=q.device),
        bias=bias,
        scale=check_scale(scale, q),
    )
