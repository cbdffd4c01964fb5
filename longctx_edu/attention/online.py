"""Exact attention in linear memory: tile by tile, with a running maximum and sum.

Time still grows with the square of the length, as every pair is scored; but only one
tile of scores exists at a time, forward and backward. The backward pass makes the
weights again from the log-sum-exp of each row instead of keeping them.
"""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from longctx_edu.attention.inputs import (
    check_flags,
    check_heads,
    check_scale,
    outside_autocast,
    same_format,
)
from longctx_edu.attention.tiled import stretches, tiled_backward, tiled_forward
from longctx_edu.masks import causal as no_looking_ahead


def online_attention(
    q: Float[Tensor, "batch head query d_head"],
    k: Float[Tensor, "batch kv_head key d_head"],
    v: Float[Tensor, "batch kv_head key d_value"],
    *,
    causal: bool = False,
    keep: Bool[Tensor, "batch key"] | None = None,
    scale: float | None = None,
    block: int | None = None,
    return_lse: bool = False,
) -> (
    Float[Tensor, "batch head query d_value"]
    | tuple[
        Float[Tensor, "batch head query d_value"], Float[Tensor, "batch head query"]
    ]
):
    """Attend to every key without ever forming the square of scores.

    Equals `dense_attention` under `padding(keep)`, and under
    `causal(n_key - n_query)` where asked for: the last query sees all keys.

    Args:
        q: What each token asks for.
        k: What each token offers; with fewer heads, each serves a group of q's.
        v: What each token gives.
        causal: Nobody looks ahead; the last query stands at the last key.
        keep: True where a key is a real token, False where it is padding.
        scale: Factor on the scores; `1 / sqrt(d_head)` by default.
        block: Most queries, and most keys, of a tile; chosen by default, so that the
            scores of a tile stay in a processor's cache.
        return_lse: Return the log-sum-exp of each row's scores as well; `merge`
            needs it.

    Returns:
        One vector a query, 0 for one that may look at no key; with `return_lse` also
        the logarithm of its summed exponentials, -inf for such a one.

    Raises:
        ValueError: If shapes, number formats or devices do not fit each other, or
            `block` is no whole number >= 1.

    Example:
        >>> x = torch.arange(4.0).reshape(1, 1, 4, 1)
        >>> online_attention(0 * x, 0 * x, x, causal=True, block=2).flatten().tolist()
        [0.0, 0.5, 1.0, 1.5]

    Source: FlashAttention (Dao et al. 2022), algorithms 1 and 2; self-attention in
    O(1) extra memory a query: Rabe and Staats 2021. Built in lesson 03.
    """
    q, k, v = same_format(q, k, v)
    check_heads(q, k, v)
    check_flags("keep", keep, k)
    if block is None:
        block = _block(q)
    elif type(block) is not int or block < 1:
        raise ValueError(f"need a block that is a whole number >= 1, got {block}")
    scale = check_scale(scale, q)
    out, lse = _Online.apply(q, k, v, keep, causal, scale, block)
    return (out, lse) if return_lse else out


class _Online(torch.autograd.Function):
    """Forward and backward over the same tiles."""

    @staticmethod
    @outside_autocast
    def forward(ctx, q, k, v, keep, causal, scale, block):
        # A group of query heads shares its keys: an axis of its own.
        q, k, v = q.unflatten(1, (k.shape[1], -1)), k.unsqueeze(2), v.unsqueeze(2)
        ctx.options = {
            "tiles": _tiles(q.shape[3], k.shape[3], keep, causal, block, q.device),
            "block": block,
            "scale": scale,
        }
        out, lse = tiled_forward(q, k, v, **ctx.options)
        ctx.save_for_backward(q, k, v, out, lse)
        return out.flatten(1, 2), lse.flatten(1, 2)

    @staticmethod
    @once_differentiable
    @outside_autocast
    def backward(ctx, grad, grad_lse):
        *inputs, out, lse = ctx.saved_tensors
        sums = [torch.zeros_like(x, dtype=lse.dtype) for x in inputs]
        grad = grad.unflatten(1, out.shape[1:3])
        means = (grad.to(lse.dtype) * out).sum(dim=-1) - grad_lse.view_as(lse)
        tiled_backward(grad, means, lse, inputs, sums, **ctx.options)
        grads = (x.flatten(1, 2).to(grad.dtype) for x in sums)
        return *grads, None, None, None, None


def _block(q):
    """Choose a side of a tile: its scores, of all heads, fill 8 MB; 128 on a GPU."""
    scores = 2**21 if q.device.type == "cpu" else 2**25
    side = math.isqrt(scores // max(1, q.shape[0] * q.shape[1]))
    return min(max(2 ** (side.bit_length() - 1) if side else 64, 64), 1024)


def _tiles(n_query, n_key, keep, causal, block, device):
    """Say which tiles a stretch of queries meets, and who sees whom in them."""
    offset = n_key - n_query  # the last query stands at the last key

    def tiles(rows):
        for columns in stretches(n_key, block):
            mask = None if keep is None else keep[:, None, None, None, columns]
            if causal and columns.start >= rows.stop + offset:
                return  # nobody here looks so far ahead
            if causal and columns.stop > rows.start + offset + 1:
                query = torch.arange(rows.start, rows.stop, device=device)[:, None]
                key = torch.arange(columns.start, columns.stop, device=device)
                past = no_looking_ahead(offset)(query, key)
                mask = past if mask is None else mask & past
            yield columns, mask, None

    return tiles
