"""Relative positions by Transformer-XL: scores for each distance, put in their place.

A query's score for a distance is the same whatever key lies there, so the product with
the vectors of all distances is formed once for each query, and its columns are then
shifted under the keys.
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor


def distance_columns(
    n_query: int, n_key: int, *, causal: bool = False
) -> Int[Tensor, " distance"]:
    """List the distances that queries and keys can have, in the order of the shift.

    Args:
        n_query: Number of queries, in tokens: the last of the text.
        n_key: Number of keys, in tokens.
        causal: Leave out the distances to keys that come after the query.

    Raises:
        ValueError: If a number is below 1.

    Example:
        >>> distance_columns(2, 3).tolist()
        [2, 1, 0, -1]
        >>> distance_columns(2, 3, causal=True).tolist()
        [2, 1, 0]

    Source: Transformer-XL (Dai et al. 2019), appendix B. Built in lesson 06.
    """
    if n_query < 1 or n_key < 1:
        raise ValueError(
            f"need n_query and n_key >= 1, got n_query={n_query} and n_key={n_key}"
        )
    return torch.arange(n_key - 1, -1 if causal else -n_query, -1)


def relative_shift(
    by_distance: Float[Tensor, "*batch query distance"], n_key: int
) -> Float[Tensor, "*batch query key"]:
    """Put a score for each distance under the key that lies there.

    The last query stands at the last key. Each row is the one below it, moved by one
    column; a row that is one longer than wanted does so when it is read on into the
    next, with no index. The shift of the paper's own code reads wrong numbers for the
    keys after the query and relies on a mask; here they are right, or 0 where the
    columns hold none.

    Args:
        by_distance: A column for each distance of `distance_columns`.
        n_key: Number of keys, in tokens.

    Raises:
        ValueError: If there are not as many columns as distances.

    Example:
        >>> rows = torch.tensor([[2, 1, 0, -1], [2, 1, 0, -1]]).float()
        >>> relative_shift(rows, 3).int().tolist()
        [[1, 0, -1], [2, 1, 0]]

    Source: Transformer-XL (Dai et al. 2019), appendix B. Built in lesson 06.
    """
    n_query, columns = by_distance.shape[-2:]
    every = n_key + n_query - 1
    if n_query < 1 or n_key < 1 or columns not in (n_key, every):
        raise ValueError(
            f"need a column for each of the {n_key} distances from n_key - 1 to 0, or "
            f"of the {every} to 1 - n_query, got {columns} columns of {n_query} queries"
        )
    # One column more than there are distances: read as rows of `every`, row i begins
    # i columns earlier than the row before.
    padded = F.pad(by_distance, (0, every + 1 - columns)).flatten(-2)
    rows = padded[..., n_query - 1 : n_query - 1 + n_query * every]
    return rows.unflatten(-1, (n_query, every))[..., :n_key]


def relative_bias(
    q: Float[Tensor, "*batch query d_head"],
    r: Float[Tensor, "*#batch distance d_head"],
    n_key: int,
    *,
    scale: float | None = None,
) -> Float[Tensor, "*batch query key"]:
    """Score each key by its distance alone: a bias for `dense_attention`.

    With the two learned vectors u and v of each head, Transformer-XL's attention is
    `dense_attention(q + u, k, v, bias=relative_bias(q + v, r, n_key))`, with a causal
    mask where the text is read forwards. r is made from the distances:
    `sinusoidal(distance_columns(...), d_model)` times a learned matrix.

    Args:
        q: What each token asks for, with the vector v added.
        r: A vector for each distance of `distance_columns`.
        n_key: Number of keys, in tokens.
        scale: Factor on the scores, that of the attention; `1 / sqrt(d_head)` by
            default.

    Raises:
        ValueError: If there are not as many vectors as distances.

    Example:
        >>> r = torch.tensor([[2.0], [1.0], [0.0]])
        >>> relative_bias(torch.ones(3, 1), r, 3, scale=1.0).int().tolist()
        [[0, 0, 0], [1, 0, 0], [2, 1, 0]]

    Source: Transformer-XL (Dai et al. 2019), section 3.3, terms (b) and (d). Built in
    lesson 06.
    """
    scale = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    return relative_shift(q @ r.mT * scale, n_key)
