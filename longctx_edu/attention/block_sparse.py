"""Block-sparse attention: a layout says which blocks of keys a block of queries sees.

Rows of the layout that see equally many blocks are computed together, over copies of
the keys and values that they see. The backward pass makes these copies again instead
of keeping them. Time grows with the number of visible blocks, memory with the length.
A layout is a square of bools, so no key can count twice.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from longctx_edu.attention.block_layout import (
    Tile,
    as_blocks,
    as_tokens,
    check_layout,
    tiles,
)
from longctx_edu.attention.dense import dense_attention
from longctx_edu.attention.dropping import Dropping
from longctx_edu.attention.inputs import (
    check_dropout,
    check_flags,
    check_heads,
    check_scale,
    outside_autocast,
    same_format,
)
from longctx_edu.attention.tile import attend_tile, tile_gradients

# Numbers that the keys of a tile fill: on a CPU so many that they stay near the
# processor, elsewhere enough to fill the device.
_CPU_TILE, _TILE = 2**21, 2**26


def block_sparse_attention(
    q: Float[Tensor, "batch head token d_head"],
    k: Float[Tensor, "batch kv_head token d_head"],
    v: Float[Tensor, "batch kv_head token d_value"],
    *,
    layout: Bool[Tensor, "block block"],
    size: int,
    keep: Bool[Tensor, "batch token"] | None = None,
    causal: bool = False,
    scale: float | None = None,
    dropout: float = 0.0,
) -> Float[Tensor, "batch head token d_value"]:
    """Attend to the blocks that a layout marks; equals `dense_attention`.

    The mask that it never forms is, in the words of `longctx_edu.masks`,
    `blocks(layout, size) & padding(keep)`, and `& causal()` where asked for.

    Args:
        q: What each token asks for.
        k: What each token offers; with fewer heads, each serves a group of q's.
        v: What each token gives.
        layout: True where a block of queries may look at a block of keys.
        size: Tokens in a block; the last block may hold fewer.
        keep: True where a token is real, False where it is padding.
        causal: Nobody looks ahead.
        scale: Factor on the scores; `1 / sqrt(d_head)` by default.
        dropout: Share of the weights set to 0, the rest scaled up.

    Returns:
        One vector a query; 0 for a query that may look at no key.

    Raises:
        ValueError: If the layout does not fit the text, or the tensors each other.

    Example:
        >>> x = torch.arange(4.0).reshape(1, 1, 4, 1)
        >>> layout = torch.tensor([[True, False], [True, True]])
        >>> out = block_sparse_attention(0 * x, 0 * x, x, layout=layout, size=2)
        >>> out.flatten().tolist()
        [0.5, 0.5, 1.5, 1.5]

    Source: BigBird (Zaheer et al. 2020), section 2 and appendix D. Built in lesson 05.
    """
    q, k, v = same_format(q, k, v)
    check_heads(q, k, v, same_length=True)
    check_flags("keep", keep, k)
    check_dropout(dropout)
    check_layout(layout, size, q.shape[2])
    scale = check_scale(scale, q)
    if q.shape[0] == 0 or q.shape[2] == 0:
        k, v = (x.repeat_interleave(q.shape[1] // x.shape[1], dim=1) for x in (k, v))
        return dense_attention(q, k, v)  # nothing to cut, and still differentiable
    most = _CPU_TILE if q.device.type == "cpu" else _TILE
    most //= size * k.shape[0] * k.shape[1] * max(k.shape[3], v.shape[3])
    layout = layout.cpu().tril() if causal else layout.cpu()
    plan = _Plan(list(tiles(layout, most)), size, causal, scale, Dropping.draw(dropout))
    return _BlockSparse.apply(q, k, v, keep, plan)


@dataclass(frozen=True)
class _Plan:
    """What forward and backward agree on."""

    tiles: list[Tile]
    size: int
    causal: bool
    scale: float
    dropping: Dropping | None

    def blocks(self, *tensors):
        """Cut several tensors into blocks."""
        return [as_blocks(x, self.size) for x in tensors]

    def options(self, tile, q, k, keep, n):
        """Say how a tile attends."""
        copies = q.shape[2] // (tile.rows.shape[1] * self.size)
        mask = tile.mask(n, self.size, keep, causal=self.causal, device=q.device)
        if mask is not None:
            mask = mask.repeat(len(q) // len(mask), 1, copies, 1)
        options = {"mask": mask, "scale": self.scale}
        if self.dropping is not None:
            shape = (*q.shape[:3], k.shape[2])
            options["factors"] = self.dropping.factors(shape, q, int(tile.rows[0, 0]))
        return options


class _BlockSparse(torch.autograd.Function):
    """Forward and backward over the same tiles."""

    @staticmethod
    @outside_autocast
    def forward(ctx, q, k, v, keep, plan):
        n, n_kv = q.shape[2], k.shape[1]
        q_blocks, k_blocks, v_blocks = plan.blocks(q, k, v)
        out = q_blocks.new_empty(*q_blocks.shape[:-1], v.shape[-1])
        wide = torch.promote_types(q.dtype, torch.float32)
        lse = q_blocks.new_empty(*q_blocks.shape[:-1], 1, dtype=wide)
        for tile in plan.tiles:
            query = tile.queries(q_blocks, n_kv)
            key, value = tile.keys(k_blocks), tile.keys(v_blocks)
            options = plan.options(tile, query, key, keep, n)
            some, some_lse = attend_tile(query, key, value, **options)
            tile.set_rows(out, some)
            tile.set_rows(lse, some_lse.unsqueeze(-1))
        ctx.save_for_backward(q, k, v, keep, out, lse)
        ctx.plan = plan
        return as_tokens(out, n)

    @staticmethod
    @once_differentiable
    @outside_autocast
    def backward(ctx, grad):
        q, k, v, keep, out, lse = ctx.saved_tensors
        plan, n, n_kv = ctx.plan, q.shape[2], k.shape[1]
        lse = lse.masked_fill(lse == -math.inf, math.inf)  # rows that see nothing
        grad, q_blocks, k_blocks, v_blocks = plan.blocks(grad, q, k, v)
        # A block that all rows see adds up one gradient a row: more than a short
        # number format can hold.
        sums = [torch.zeros_like(x, dtype=lse.dtype) for x in (k_blocks, v_blocks)]
        grad_q = torch.empty_like(q_blocks)
        for tile in plan.tiles:
            query = tile.queries(q_blocks, n_kv)
            key, value = tile.keys(k_blocks), tile.keys(v_blocks)
            rows = (tile.queries(x, n_kv) for x in (grad, out, lse))
            some_grad, some_out, some_lse = rows
            parts = tile_gradients(
                some_grad, some_out, some_lse.squeeze(-1), query, key, value,
                **plan.options(tile, query, key, keep, n),
            )  # fmt: skip
            tile.set_rows(grad_q, parts[0])
            for total, part in zip(sums, parts[1:], strict=True):
                tile.add_to_keys(total, part)
        grads = (as_tokens(x, n).to(q.dtype) for x in (grad_q, *sums))
        return *grads, None, None
