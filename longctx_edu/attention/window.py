"""Sliding-window attention with global tokens, in linear time and memory.

The score matrix is cut into blocks of queries. A block needs the keys from `left`
before its first query to `right` after its last one, and the global keys: one small
dense problem a block, all blocks side by side, one softmax over both kinds of keys.
Dilation first deals the tokens into `dilation` streams, in which the window is dense.
Rows of global tokens, which see everything, are computed on their own.
"""

import torch
import torch.nn.functional as F
from einops import rearrange, repeat
from jaxtyping import Bool, Float
from torch import Tensor

from longctx_edu.attention.blocks import Pattern, band_blocks, block_mask, query_blocks
from longctx_edu.attention.dense import dense_attention
from longctx_edu.attention.global_rows import (
    find_globals,
    global_rows,
    replace_rows,
    take_tokens,
)
from longctx_edu.masks import check_window


def window_attention(
    q: Float[Tensor, "batch head token d_head"],
    k: Float[Tensor, "batch head token d_head"],
    v: Float[Tensor, "batch head token d_value"],
    *,
    left: int | None,
    right: int | None,
    dilation: int = 1,
    global_tokens: Bool[Tensor, "batch token"] | None = None,
    keep: Bool[Tensor, "batch token"] | None = None,
    causal: bool = False,
    scale: float | None = None,
    dropout: float = 0.0,
) -> Float[Tensor, "batch head token d_value"]:
    """Attend within a window and to global tokens; equals `dense_attention`.

    The mask that it never forms is, in the words of `longctx_edu.masks`,
    `(window(left, right, dilation) | global_tokens) & padding(keep)`, and
    `& causal()` where asked for.

    Args:
        q: What each token asks for.
        k: What each token offers.
        v: What each token gives.
        left: Keys visible before the query, itself not counted; None for all.
        right: Keys visible after the query, itself not counted; None for all.
        dilation: Distance between neighbouring visible keys, in tokens.
        global_tokens: True for a token that sees all and is seen by all.
        keep: True where a token is real, False where it is padding.
        causal: Nobody looks ahead, global tokens included.
        scale: Factor on the scores; `1 / sqrt(d_head)` by default.
        dropout: Share of the weights set to 0, the rest scaled up.

    Raises:
        ValueError: If the window or the dilation has no meaning.

    Example:
        >>> x = torch.arange(5.0).reshape(1, 1, 5, 1)
        >>> window_attention(0 * x, 0 * x, x, left=1, right=0).flatten().tolist()
        [0.0, 0.5, 1.5, 2.5, 3.5]

    Source: Longformer (Beltagy et al. 2020), section 3.1. Built in lesson 05.
    """
    check_window(left, right, dilation)
    n = q.shape[2]
    if n == 0 or q.shape[0] == 0:
        return dense_attention(q, k, v)  # nothing to cut, and still differentiable
    pattern = Pattern.fit(n, left, 0 if causal else right, dilation)
    found = find_globals(global_tokens)
    mask = block_mask(
        pattern, global_tokens, keep, found, causal=causal, device=q.device
    )
    mask = repeat(mask, "texts ... -> (texts copies) ...", copies=len(q) // len(mask))
    mask = rearrange(mask, "batch stream block q k -> (batch stream block) 1 q k")
    k_blocks = _with_globals(band_blocks(k, pattern), k, found, pattern)
    v_blocks = _with_globals(band_blocks(v, pattern), v, found, pattern)
    q_blocks = query_blocks(q, pattern)
    out = attend(q_blocks, k_blocks, v_blocks, mask, scale, dropout)
    out = rearrange(
        out,
        "(batch stream block) head q d -> batch head (block q stream) d",
        stream=dilation,
        block=pattern.n_blocks,
    )[:, :, :n]
    if found is None:
        return out
    rows = global_rows(q, k, v, found, keep, causal, scale, dropout)
    return replace_rows(out, rows, found)


def attend(
    q: Float[Tensor, "batch head query d_head"],
    k: Float[Tensor, "batch head key d_head"],
    v: Float[Tensor, "batch head key d_value"],
    mask: Bool[Tensor, "#batch 1 query key"],
    scale: float | None,
    dropout: float,
) -> Float[Tensor, "batch head query d_value"]:
    """Attend under a mask in torch's fused kernel; a row that sees nothing is 0.

    Args:
        q: What each token asks for.
        k: What each token offers.
        v: What each token gives.
        mask: True where the query may look at the key.
        scale: Factor on the scores; `1 / sqrt(d_head)` where None.
        dropout: Share of the weights set to 0.
    """
    sees = mask.any(dim=-1, keepdim=True)
    out = F.scaled_dot_product_attention(
        q, k, v, attn_mask=mask | ~sees, dropout_p=dropout, scale=scale
    )
    return out.masked_fill(~sees, 0.0)


def _with_globals(blocks, x, found, pattern):
    """Put the global tokens before the band of every block."""
    if found is None:
        return blocks
    chosen = repeat(
        take_tokens(x, found),
        "batch head g d -> (batch copies) head g d",
        copies=pattern.dilation * pattern.n_blocks,
    )
    return torch.cat([chosen, blocks], dim=2)
