"""Rotary positions (RoPE): pairs of numbers turn by an angle that grows with the place.

A query at place i and a key at place j are turned before they meet. Their product then
depends on `i - j` alone, with no table and no change to the attention.
"""

from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Float, Float64, Real
from torch import Tensor

from longctx_edu.positions.frequencies import Frequencies
from longctx_edu.positions.inputs import check_positions


@dataclass(frozen=True, eq=False)
class Rotation:
    """Cosine and sine of the angle of each token and pair.

    Attributes:
        cos: Cosine of each angle, times the attention factor.
        sin: Sine of each angle, times the attention factor.
    """

    cos: Float[Tensor, "*batch token pair"]
    sin: Float[Tensor, "*batch token pair"]


def rotation(
    positions: Real[Tensor, "*batch token"],
    frequencies: Frequencies,
    *,
    dtype: torch.dtype = torch.float32,
) -> Rotation:
    """Find the angles of all places, once for all layers and heads.

    The angle is formed in float64: at place 1,000,000 a float32 angle of a head of 128
    is wrong by up to 0.05 radians, three degrees.

    Args:
        positions: Place of each token, in tokens: any, in any order. For texts with
            places of their own, `positions[:, None]`, with an axis for the heads.
        frequencies: Turn of each pair.
        dtype: Format of cosine and sine. float32 also serves queries in bfloat16.

    Raises:
        ValueError: If the positions come in half precision.

    Example:
        >>> from longctx_edu.positions import rotary_frequencies
        >>> half_turns = rotation(torch.tensor([0, 355]), rotary_frequencies(2))
        >>> half_turns.cos.round().flatten().tolist()
        [1.0, -1.0]

    Source: RoFormer (Su et al. 2021), section 3.2.2, equation 15. Built in lesson 06.
    """
    cos, sin = turn(positions, frequencies.radians, frequencies.attention_factor, dtype)
    return Rotation(cos, sin)


def turn(
    positions: Real[Tensor, "*batch token"],
    radians: Float64[Tensor, " pair"],
    factor: int | float,
    dtype: torch.dtype,
) -> tuple[Float[Tensor, "*batch token pair"], Float[Tensor, "*batch token pair"]]:
    """Return cosine and sine of place times frequency, times a factor.

    Args:
        positions: Place of each token, in tokens.
        radians: Turn of each pair, in radians a token.
        factor: Factor on both.
        dtype: Format of the result.

    Raises:
        ValueError: If the positions come in half precision.
    """
    check_positions(positions)
    home = positions.device
    # Apple's GPUs have no float64.
    work = torch.device("cpu") if home.type == "mps" else home
    angles = positions.to(work).double()[..., None] * radians.to(work)
    cos, sin = angles.cos() * factor, angles.sin() * factor
    return cos.to(dtype).to(home), sin.to(dtype).to(home)


def rotate(
    x: Float[Tensor, "*batch token d_head"],
    turned: Rotation,
    *,
    interleaved: bool = False,
) -> Float[Tensor, "*batch token d_head"]:
    """Turn queries or keys, each token by the angles of its place.

    Of each head the first `2 * pairs` numbers turn and the rest stays. Number i makes a
    pair with number `i + pairs`, as in most published weights, or 2 i with 2 i + 1, as
    in the paper; `to_interleaved` and `to_halves` convert between the two.

    Args:
        x: Queries or keys.
        turned: Angles of the tokens' places.
        interleaved: Pair neighbours instead of halves.

    Returns:
        As long vectors, in the format of x; half precision is turned in float32.

    Raises:
        ValueError: If the angles do not fit the vectors.

    Example:
        >>> quarter = Rotation(cos=torch.tensor([[0.0]]), sin=torch.tensor([[1.0]]))
        >>> rotate(torch.tensor([[3.0, 4.0, 5.0]]), quarter).int().tolist()
        [[-4, 3, 5]]

    Source: RoFormer (Su et al. 2021), section 3.4.2, equation 34. Built in lesson 06.
    """
    width = _check_fit(x, turned)
    order = "(pair two)" if interleaved else "(two pair)"
    a, b = rearrange(x[..., :width], f"... {order} -> two ... pair", two=2)
    a, b = a * turned.cos - b * turned.sin, a * turned.sin + b * turned.cos
    pairs = rearrange([a, b], f"two ... pair -> ... {order}")
    return torch.cat([pairs.to(x.dtype), x[..., width:]], dim=-1)


def _check_fit(x: Tensor, turned: Rotation) -> int:
    """Refuse angles that do not fit, and return how many numbers turn."""
    angles = turned.cos.shape
    width = 2 * angles[-1]
    if width > x.shape[-1]:
        raise ValueError(
            f"need d_head >= {width}, two numbers for each of {angles[-1]} angles, got "
            f"d_head={x.shape[-1]}"
        )
    axes = zip(angles[:-1], x.shape[-len(angles) : -1], strict=False)
    fits = len(angles) in (2, x.ndim) and all(a in (1, b) for a, b in axes)
    if not fits or angles[-2] != x.shape[-2]:
        raise ValueError(
            f"need angles of shape (token, pair), or with the {x.ndim} axes of x, "
            f"{tuple(x.shape)}, got {tuple(angles)}: for texts with places of their "
            "own make them of positions[:, None]"
        )
    return width
