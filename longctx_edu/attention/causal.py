"""Attention of a decoder: nobody looks ahead, by the quickest way that is exact."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from longctx_edu.attention.dense import dense_attention
from longctx_edu.attention.inputs import check_flags, check_heads, same_format
from longctx_edu.attention.online import online_attention
from longctx_edu.attention.window import window_attention
from longctx_edu.masks import check_window, window


def causal_attention(
    q: Float[Tensor, "batch head query d_head"],
    k: Float[Tensor, "batch kv_head key d_head"],
    v: Float[Tensor, "batch kv_head key d_value"],
    *,
    left: int | None = None,
    keep: Bool[Tensor, "batch key"] | None = None,
    bias: Float[Tensor, "*#batch #query #key"] | None = None,
    scale: float | None = None,
) -> Float[Tensor, "batch head query d_value"]:
    """Attend to the token itself and to those before it.

    The last query stands at the last key, so fewer queries than keys are the end of
    the text. Equals `dense_attention` under `causal(n_key - n_query)`, and a window
    where asked for. With a bias, or a window over fewer queries than keys, the square
    of scores is formed.

    Args:
        q: What each token asks for.
        k: What each token offers; with fewer heads, each serves a group of q's.
        v: What each token gives.
        left: Keys visible before the query, itself not counted; None for all.
        keep: True where a key is a real token, False where it is padding.
        bias: Added to the scores before the softmax.
        scale: Factor on the scores; `1 / sqrt(d_head)` by default.

    Raises:
        ValueError: If the tensors do not fit each other, or there are more queries
            than keys.

    Example:
        >>> x = torch.arange(4.0).reshape(1, 1, 4, 1)
        >>> causal_attention(0 * x, 0 * x, x, left=1).flatten().tolist()
        [0.0, 0.5, 1.5, 2.5]

    Source: Vaswani et al. 2017, section 3.2.3. Built in lesson 02.
    """
    q, k, v = same_format(q, k, v)
    check_heads(q, k, v)
    check_flags("keep", keep, k)
    check_window(left, 0, 1)
    n_query, n_key = q.shape[2], k.shape[2]
    if n_query > n_key:
        raise ValueError(f"need as many keys as queries, got {n_key} and {n_query}")
    if bias is not None or (left is not None and n_query < n_key):
        return _dense(q, k, v, left=left, keep=keep, bias=bias, scale=scale)
    if left is not None:
        return window_attention(q, k, v, left=left, right=0, keep=keep, scale=scale)
    # The fused kernel forms the square where values have another width.
    if keep is None and n_query == n_key and q.shape[3] == v.shape[3]:
        grouped = q.shape[1] > k.shape[1]
        return F.scaled_dot_product_attention(
            q, k, v, is_causal=True, scale=scale, enable_gqa=grouped
        )
    return online_attention(q, k, v, causal=True, keep=keep, scale=scale)


def _dense(q, k, v, *, left, keep, bias, scale):
    """Form the mask and the square, with keys of their own for each head."""
    n_query, n_key = q.shape[2], k.shape[2]
    places = torch.arange(n_key, device=q.device)
    near = window(left=left, right=0)(places[n_key - n_query :, None], places)
    mask = near if keep is None else near & keep[:, None, None, :]
    group = q.shape[1] // k.shape[1]
    k, v = (x.repeat_interleave(group, dim=1) for x in (k, v))
    return dense_attention(q, k, v, mask=mask, bias=bias, scale=scale)
