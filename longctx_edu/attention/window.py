"""Sliding-window attention with global tokens, in linear time and memory.

Three sets of pairs make the pattern: the band of the window (`band`, block by block),
the columns of the global tokens where they lie beyond the band (`global_columns`),
and the rows of the global tokens, which see everything (`tiled`). The first two share
one softmax through their log-sum-exp; the rows replace what stood in their places.
Dilation deals the tokens into streams, in which the window is dense.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from longctx_edu.attention.band import BandAttention
from longctx_edu.attention.blocks import Band
from longctx_edu.attention.dropping import Dropping
from longctx_edu.attention.global_attention import Rows
from longctx_edu.attention.global_columns import Columns
from longctx_edu.attention.global_rows import Globals, find_globals
from longctx_edu.attention.inputs import (
    check_dropout,
    check_flags,
    check_heads,
    check_scale,
    outside_autocast,
    same_format,
)
from longctx_edu.masks import causal as no_looking_ahead
from longctx_edu.masks import check_window, window


def window_attention(
    q: Float[Tensor, "batch head token d_head"],
    k: Float[Tensor, "batch kv_head token d_head"],
    v: Float[Tensor, "batch kv_head token d_value"],
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
        k: What each token offers; with fewer heads, each serves a group of q's.
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
        ValueError: If the window or the dilation has no meaning, or the tensors do
            not fit each other.

    Example:
        >>> x = torch.arange(5.0).reshape(1, 1, 5, 1)
        >>> window_attention(0 * x, 0 * x, x, left=1, right=0).flatten().tolist()
        [0.0, 0.5, 1.5, 2.5, 3.5]

    Source: Longformer (Beltagy et al. 2020), section 3.1; the backward pass:
    FlashAttention (Dao et al. 2022), section 3.1. Built in lesson 05.
    """
    check_window(left, right, dilation)
    q, k, v = same_format(q, k, v)
    check_heads(q, k, v, same_length=True)
    check_flags("global_tokens", global_tokens, k)
    check_flags("keep", keep, k)
    check_dropout(dropout)
    seen = global_tokens
    if global_tokens is not None and keep is not None:
        seen = global_tokens & keep
    pattern = _Pattern(
        left, 0 if causal else right, dilation, causal, keep,
        find_globals(global_tokens), find_globals(seen),
        check_scale(scale, q), Dropping.draw(dropout),
    )  # fmt: skip
    return _Window.apply(q, k, v, pattern)


@dataclass(frozen=True)
class _Pattern:
    """Who sees whom, and how scores become weights."""

    left: int | None
    right: int | None
    dilation: int
    causal: bool
    keep: Tensor | None
    rows: Globals | None
    columns: Globals | None
    scale: float
    dropping: Dropping | None

    def bands(self, q, k):
        """List the streams of each group of heads, and the attention within."""
        n, streams = k.shape[3], min(self.dilation, k.shape[3])
        for stream in range(streams):
            some = slice(stream, None, self.dilation)
            places = -(-(n - stream) // self.dilation)
            for group in range(q.shape[2]):
                dropping = self._dropping(1, stream, group)
                yield some, group, BandAttention(
                    Band.fit(places, self.left, self.right, k.dtype),
                    None if self.keep is None else self.keep[:, some],
                    self.scale, dropping,
                )  # fmt: skip

    def global_columns(self):
        """Return the attention to global tokens beyond the window."""
        outside = ~window(left=self.left, right=self.right, dilation=self.dilation)
        if self.causal:
            outside = outside & no_looking_ahead()
        return Columns(self.columns, outside, self.scale, self._dropping(2))

    def global_rows(self):
        """Return the attention of global tokens."""
        return Rows(self.rows, self.keep, self.causal, self.scale, self._dropping(3))

    def _dropping(self, *part):
        return None if self.dropping is None else self.dropping.of(*part)


class _Window(torch.autograd.Function):
    """Forward and backward over band, columns and rows."""

    @staticmethod
    @outside_autocast
    def forward(ctx, q, k, v, pattern):
        q, k, v = (_at_one_distance(x) for x in (q, k, v))
        q, k, v = q.unflatten(1, (k.shape[1], -1)), k.unsqueeze(2), v.unsqueeze(2)
        wide = torch.promote_types(q.dtype, torch.float32)
        out = q.new_empty(*q.shape[:-1], v.shape[-1])
        if pattern.keep is not None:
            out.zero_()  # else every row sees at least itself, and is written
        lse = q.new_full((*q.shape[:-1], 1), -math.inf, dtype=wide)
        for stream, group, band in pattern.bands(q, k):
            some = (x[:, :, 0, stream] for x in (k, v))
            rows = (x[:, :, group, stream] for x in (q, out, lse))
            band.forward(*rows, *some)
        if pattern.columns is not None:
            pattern.global_columns().add(q, k, v, out, lse)
        if pattern.rows is not None:
            pattern.global_rows().replace(q, k, v, out, lse)
        ctx.save_for_backward(q, k, v, out, lse)
        ctx.pattern = pattern
        return out.flatten(1, 2)

    @staticmethod
    @once_differentiable
    @outside_autocast
    def backward(ctx, grad):
        *inputs, out, lse = ctx.saved_tensors
        pattern = ctx.pattern
        grad = _at_one_distance(grad).unflatten(1, out.shape[1:3])
        sums = [torch.zeros_like(x, dtype=lse.dtype) for x in inputs]
        if pattern.rows is not None:
            pattern.global_rows().backward((grad, out, lse), inputs, sums)
            lse = pattern.rows.fill(lse, math.inf)  # the rest leaves these rows out
        lse = lse.masked_fill(lse == -math.inf, math.inf)  # and rows that see nothing
        if pattern.columns is not None:
            pattern.global_columns().backward((grad, out, lse), inputs, sums)
        for stream, group, band in pattern.bands(*inputs[:2]):
            axes = group, 0, 0
            band.backward(
                [x[:, :, group, stream] for x in (grad, out, lse)],
                [x[:, :, axis, stream] for x, axis in zip(inputs, axes, strict=True)],
                [x[:, :, axis, stream] for x, axis in zip(sums, axes, strict=True)],
            )
        return *(x.flatten(1, 2).to(grad.dtype) for x in sums), None


def _at_one_distance(x):
    """Let texts and heads lie at one distance in memory, and a vector in one piece."""
    whole = x.shape[0] == 1 and x.stride(-1) == 1
    return x if whole else x.contiguous()
