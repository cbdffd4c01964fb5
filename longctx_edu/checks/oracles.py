"""Attention number by number, for checks: slow, in plain Python, and nobody else's.

A check compares a learner's function with these, never with itself and never with a
function of the library, which a notebook could replace.
"""

import math

import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor

__all__: list[str] = []

TURN = ".T turns all axes round, .mT only the last two; dim=-1 is the last axis always"

Matrix = Float[Tensor, "feature_in feature_out"]


def drawn(*shape: int) -> Tensor:
    """Draw random numbers, the same each time."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


def slow_softmax(row: list[float]) -> list[float]:
    """Turn scores into shares; a row of -inf alone gives zeros.

    Example:
        >>> slow_softmax([0.0, math.log(3)])
        [0.25, 0.75]
    """
    top = max(row)
    if top == -math.inf:
        return [0.0] * len(row)
    parts = [math.exp(score - top) for score in row]
    return [part / sum(parts) for part in parts]


def slow_weights(
    scores: Float[Tensor, "query key"], mask: Bool[Tensor, "query key"] | None = None
) -> Float64[Tensor, "query key"]:
    """Turn each row of scores into weights over the keys that it may see."""
    seen = torch.ones_like(scores, dtype=torch.bool) if mask is None else mask
    rows = [
        [score if may else -math.inf for score, may in zip(row, allowed, strict=True)]
        for row, allowed in zip(scores.tolist(), seen.tolist(), strict=True)
    ]
    return torch.tensor([slow_softmax(row) for row in rows], dtype=torch.float64)


def slow_scores(
    q: Float[Tensor, "query d_head"], k: Float[Tensor, "key d_head"], divisor: float
) -> Float64[Tensor, "query key"]:
    """Take each query's dot product with each key, divided by one number."""
    rows = [
        [sum(a * b for a, b in zip(x, y, strict=True)) / divisor for y in k.tolist()]
        for x in q.tolist()
    ]
    return torch.tensor(rows, dtype=torch.float64)


def slow_product(
    left: Float[Tensor, "row inner"], right: Float[Tensor, "inner column"]
) -> Float64[Tensor, "row column"]:
    """Multiply two matrices with three loops."""
    return slow_scores(left, right.mT, 1.0)


def slow_attention(
    q: Float[Tensor, "query d_head"],
    k: Float[Tensor, "key d_head"],
    v: Float[Tensor, "key d_value"],
    mask: Bool[Tensor, "query key"] | None = None,
    divisor: float | None = None,
) -> Float64[Tensor, "query d_value"]:
    """Average the values with the weights of each query."""
    divisor = math.sqrt(q.shape[-1]) if divisor is None else divisor
    return slow_product(slow_weights(slow_scores(q, k, divisor), mask), v)


def slow_heads(
    x: Float[Tensor, "token d_model"],
    w_q: Matrix,
    w_k: Matrix,
    w_v: Matrix,
    n_heads: int,
    divisor: float | None = None,
) -> Float64[Tensor, "token d_model"]:
    """Let each head attend on its own columns, and put the heads side by side."""
    q, k, v = (slow_product(x, w) for w in (w_q, w_k, w_v))
    width = q.shape[1] // n_heads
    cuts = [slice(h * width, (h + 1) * width) for h in range(n_heads)]
    heads = [slow_attention(q[:, c], k[:, c], v[:, c], None, divisor) for c in cuts]
    return torch.cat(heads, dim=1)
