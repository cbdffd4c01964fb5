"""Rows of attention over many keys, a tile at a time, forward and backward.

Which tiles there are, and who sees whom in them, is the caller's: `tiles(rows)` lists
the stretches of keys that a stretch of queries meets, each with its mask and its
factors, or None for either.
"""

import math
from collections.abc import Callable, Iterable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from longctx_edu.attention.running import Running
from longctx_edu.attention.tile import gradients_by_formula

Tiles = Callable[[slice], Iterable[tuple[slice, Tensor | None, Tensor | None]]]


def stretches(n: int, block: int) -> list[slice]:
    """Cut `n` tokens into stretches of at most `block`.

    Args:
        n: Number of tokens.
        block: Most tokens of a stretch.

    Example:
        >>> stretches(5, 3)
        [slice(0, 3, None), slice(3, 5, None)]
    """
    return [slice(start, min(start + block, n)) for start in range(0, n, block)]


def tiled_forward(
    q: Float[Tensor, "*batch query d_head"],
    k: Float[Tensor, "*#batch key d_head"],
    v: Float[Tensor, "*#batch key d_value"],
    *,
    tiles: Tiles,
    block: int,
    scale: float,
) -> tuple[Float[Tensor, "*batch query d_value"], Float[Tensor, "*batch query"]]:
    """Return the output and the log-sum-exp of each row.

    Args:
        q: What each token asks for.
        k: What each token offers.
        v: What each token gives.
        tiles: The tiles of a stretch of queries.
        block: Queries in a stretch.
        scale: Factor on the scores.

    Source: FlashAttention (Dao et al. 2022), algorithm 1. Built in lesson 03.
    """
    wide = torch.promote_types(q.dtype, torch.float32)
    out = q.new_empty(*q.shape[:-1], v.shape[-1])
    lse = q.new_empty(q.shape[:-1], dtype=wide)
    for rows in stretches(q.shape[-2], block):
        running = Running(q[..., rows, :].to(wide) * scale, v.shape[-1])
        for columns, mask, factors in tiles(rows):
            some_k, some_v = k[..., columns, :], v[..., columns, :]
            running.absorb(some_k.to(wide), some_v.to(wide), mask=mask, factors=factors)
        out[..., rows, :], lse[..., rows] = running.finish()
    return out, lse


def tiled_backward(
    grad: Float[Tensor, "*batch query d_value"],
    means: Float[Tensor, "*batch query"],
    lse: Float[Tensor, "*batch query"],
    inputs: Sequence[Tensor],
    sums: Sequence[Tensor],
    *,
    tiles: Tiles,
    block: int,
    scale: float,
) -> None:
    """Add the gradients of q, k and v to `sums`; the weights are made again.

    Args:
        grad: Gradient of the output.
        means: `rowsum(grad * out)`, less the gradient of the log-sum-exp if any.
        lse: The log-sum-exp of each row.
        inputs: q, k and v; several query heads may share an axis of one key head.
        sums: Changed in place.
        tiles: The tiles of a stretch of queries.
        block: Queries in a stretch.
        scale: Factor on the scores.

    Source: FlashAttention (Dao et al. 2022), algorithm 4. Built in lesson 03.
    """
    q, k, v = inputs
    lse = lse.masked_fill(lse == -math.inf, math.inf)  # a row that sees nothing
    for rows in stretches(q.shape[-2], block):
        row = grad[..., rows, :], means[..., rows, None], lse[..., rows]
        for columns, mask, factors in tiles(rows):
            tile = q[..., rows, :], k[..., columns, :], v[..., columns, :]
            parts = gradients_by_formula(
                *row, *tile, mask=mask, scale=scale, factors=factors
            )
            sums[0][..., rows, :] += parts[0]
            for total, part in zip(sums[1:], parts[1:], strict=True):
                total = total[..., columns, :]
                total += part.sum_to_size(total.shape)
