"""Attention by the book: every query against every key.

This is the definition. Every faster version in this library equals it, forward and
backward. It forms the whole square of scores, so memory grows with the square of the
length.
"""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from longctx_edu.attention.inputs import check_dropout, check_pairs


def attention_weights(
    q: Float[Tensor, "*batch query d_head"],
    k: Float[Tensor, "*batch key d_head"],
    *,
    mask: Bool[Tensor, "*#batch #query #key"] | None = None,
    bias: Float[Tensor, "*#batch #query #key"] | None = None,
    scale: float | None = None,
) -> Float[Tensor, "*batch query key"]:
    """Say how much each query takes from each key: `softmax(q k' * scale + bias)`.

    Each row sums to 1. A row that may look at no key is 0 throughout.

    Args:
        q: What each token asks for.
        k: What each token offers.
        mask: True where the query may look at the key; everywhere by default.
        bias: Added to the scores before the softmax.
        scale: Factor on the scores; `1 / sqrt(d_head)` by default.

    Raises:
        ValueError: If shapes or kinds do not fit each other.

    Example:
        >>> q = torch.zeros(2, 4)
        >>> attention_weights(q, q)
        tensor([[0.5000, 0.5000],
                [0.5000, 0.5000]])

    Source: Vaswani et al. 2017, section 3.2.1, equation 1. Built in lesson 01.
    """
    check_pairs(q, k, mask=mask, bias=bias)
    scale = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    scores = q @ k.mT * scale
    if bias is not None:
        scores = scores + bias
    if mask is None:
        return scores.softmax(dim=-1)
    # -inf, not a large number: a large number would average the forbidden keys
    # where a row sees nothing. Such a row gets finite scores first, so that neither
    # its weights nor its gradient is nan, and then the weight 0.
    sees = mask.any(dim=-1, keepdim=True)
    scores = scores.masked_fill(~mask & sees, -math.inf)
    return scores.softmax(dim=-1).masked_fill(~sees, 0.0)


def dense_attention(
    q: Float[Tensor, "*batch query d_head"],
    k: Float[Tensor, "*batch key d_head"],
    v: Float[Tensor, "*batch key d_value"],
    *,
    mask: Bool[Tensor, "*#batch #query #key"] | None = None,
    bias: Float[Tensor, "*#batch #query #key"] | None = None,
    scale: float | None = None,
    dropout: float = 0.0,
) -> Float[Tensor, "*batch query d_value"]:
    """Give each query the mean of the values, weighted by how well the keys match.

    Args:
        q: What each token asks for.
        k: What each token offers.
        v: What each token gives.
        mask: True where the query may look at the key; everywhere by default.
        bias: Added to the scores before the softmax.
        scale: Factor on the scores; `1 / sqrt(d_head)` by default.
        dropout: Share of the weights set to 0, the rest scaled up; 0 outside training.

    Returns:
        One vector a query; 0 for a query that may look at no key.

    Raises:
        ValueError: If shapes or kinds do not fit each other.

    Example:
        >>> q = k = torch.zeros(3, 4)
        >>> v = torch.tensor([[0.0], [3.0], [6.0]])
        >>> dense_attention(q, k, v).flatten().tolist()
        [3.0, 3.0, 3.0]

    Source: Vaswani et al. 2017, section 3.2.1, equation 1. Built in lesson 01.
    """
    check_dropout(dropout)
    weights = attention_weights(q, k, mask=mask, bias=bias, scale=scale)
    if weights.shape[-1] != v.shape[-2]:
        raise ValueError(
            f"need as many values as keys, got {v.shape[-2]} and {k.shape[-2]}"
        )
    return torch.dropout(weights, dropout, train=dropout > 0) @ v
