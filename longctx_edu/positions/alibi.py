"""ALiBi: a penalty on the score that grows with the distance, one slope a head."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from longctx_edu.positions.inputs import check_count


def alibi_slopes(
    n_heads: int, *, dtype: torch.dtype = torch.float32
) -> Float[Tensor, " head"]:
    """Give each head its slope: from 1/2, short-sighted, to 1/256, far-sighted.

    For a power of two, the slopes are a geometric sequence that ends at `2 ** -8`. For
    another number, the next lower power of two comes first, then every other slope of
    the next higher one.

    Args:
        n_heads: Number of heads.
        dtype: Format of the slopes, and so of the bias.

    Raises:
        ValueError: If there is no head.

    Example:
        >>> (1 / alibi_slopes(8)).int().tolist()
        [2, 4, 8, 16, 32, 64, 128, 256]

    Source: ALiBi (Press et al. 2022), section 3. Built in lesson 06.
    """
    check_count("n_heads", n_heads)
    lower = 2 ** (n_heads.bit_length() - 1)
    exponents = [8 * (h + 1) / lower for h in range(lower)]
    between = [8 * (2 * h + 1) / (2 * lower) for h in range(n_heads - lower)]
    return torch.tensor([2**-e for e in exponents + between], dtype=dtype)


def alibi_bias(
    slopes: Float[Tensor, " head"], distances: Int[Tensor, "*batch query key"]
) -> Float[Tensor, "*batch head query key"]:
    """Subtract slope times distance from each score: a bias for `dense_attention`.

    It is symmetric; a decoder adds a causal mask, under which it is the paper's. The
    distance needs no table and no end.

    Args:
        slopes: Penalty of each head for one token of distance; its format is that of
            the result. bfloat16 has 8 bits: neighbours beyond 256 tokens look alike.
        distances: Tokens from key to query, of either sign.

    Example:
        >>> from longctx_edu.positions import distances
        >>> alibi_bias(torch.tensor([2.0]), distances(3)).int().tolist()
        [[[0, -2, -4], [-2, 0, -2], [-4, -2, 0]]]

    Source: ALiBi (Press et al. 2022), section 3, figure 3. Built in lesson 06.
    """
    # A distance is exact in float32, and rounded once, when the product is.
    exact = torch.promote_types(slopes.dtype, torch.float32)
    far = distances.abs().to(exact)[..., None, :, :]
    return (-slopes.to(exact)[:, None, None] * far).to(slopes.dtype)
