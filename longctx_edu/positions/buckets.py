"""Relative positions by T5: one learned number for each range of distances and head."""

import math

import torch
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor

from longctx_edu.positions.inputs import check_count


def distance_buckets(
    distances: Int[Tensor, "*batch query key"],
    *,
    n_buckets: int = 32,
    max_distance: int = 128,
    causal: bool = False,
) -> Int[Tensor, "*batch query key"]:
    """Sort distances into ranges: one token wide when near, ever wider when far.

    The first half of the buckets holds one distance each; the second half grows
    geometrically up to `max_distance`, and the last takes all that lies beyond. In both
    directions, half of the buckets are for keys before the query and the other half for
    keys after it.

    Args:
        distances: Tokens from key to query, negative where the key comes later.
        n_buckets: Number of ranges; a multiple of 4, or of 2 if causal.
        max_distance: From where on all distances share a bucket, in tokens.
        causal: Spend all buckets on keys before the query; later keys get bucket 0.

    Raises:
        ValueError: If the buckets do not divide, or do not reach up to the distance.

    Example:
        >>> near = torch.tensor([[0, 1, 2, 3, 4, 8, 99, -1, -4]])
        >>> distance_buckets(near, n_buckets=8, max_distance=8).tolist()
        [[0, 1, 2, 2, 3, 3, 3, 5, 7]]

    Source: T5 (Raffel et al. 2020), section 2.1.
    """
    each = _buckets_each_way(n_buckets, max_distance, causal)
    far = distances.clamp(min=0) if causal else distances.abs()
    exact = each // 2
    # In float32, as the published models were trained.
    grown = torch.log(far.clamp(min=exact).float() / exact) / math.log(
        max_distance / exact
    )
    wide = (exact + (grown * (each - exact)).long()).clamp(max=each - 1)
    bucket = torch.where(far < exact, far, wide)
    return bucket if causal else bucket + each * (distances < 0)


def bucketed_bias(
    table: Float[Tensor, "bucket head"], buckets: Int[Tensor, "*batch query key"]
) -> Float[Tensor, "*batch head query key"]:
    """Read the number of each head and bucket: a bias for `dense_attention`.

    T5 adds it to scores that are not divided by `sqrt(d_head)`: `scale=1`.

    Args:
        table: A learned number for each bucket and head.
        buckets: Bucket of each query and key, from `distance_buckets`.

    Raises:
        ValueError: If a bucket has no row.

    Example:
        >>> table = torch.tensor([[0.0], [5.0]])
        >>> bucketed_bias(table, torch.tensor([[0, 1]])).int().tolist()
        [[[0, 5]]]

    Source: T5 (Raffel et al. 2020), section 2.1.
    """
    if buckets.numel() and not 0 <= buckets.min() <= buckets.max() < len(table):
        raise ValueError(
            f"need buckets from 0 to {len(table) - 1}, one for each row of the table, "
            f"got {buckets.min()} to {buckets.max()}"
        )
    return rearrange(table[buckets], "... query key head -> ... head query key")


def _buckets_each_way(n_buckets: int, max_distance: int, causal: bool) -> int:
    """Check the numbers, and say how many buckets one direction has."""
    check_count("max_distance", max_distance)
    unit = 2 if causal else 4
    if type(n_buckets) is not int or n_buckets < unit or n_buckets % unit:
        raise ValueError(
            f"need n_buckets that is a multiple of {unit}, got {n_buckets}"
        )
    each = n_buckets if causal else n_buckets // 2
    if max_distance <= each // 2:
        raise ValueError(
            f"need a max_distance above the {each // 2} distances with a bucket of "
            f"their own, got {max_distance}"
        )
    return each
