"""Sinusoidal positions: waves of different lengths, read at each token's place."""

import torch
from einops import rearrange
from jaxtyping import Float, Real
from torch import Tensor

from longctx_edu.positions.frequencies import frequencies_of
from longctx_edu.positions.inputs import check_theta, check_width
from longctx_edu.positions.rotary import turn


def sinusoidal(
    positions: Real[Tensor, "*batch token"],
    d_model: int,
    *,
    theta: int | float = 10_000.0,
    dtype: torch.dtype = torch.float32,
) -> Float[Tensor, "*batch token d_model"]:
    """Describe each place by the sine and the cosine of `d_model / 2` angles.

    Pair i turns by `theta ** (-2 i / d_model)` radians a token and stands side by side:
    number 2 i is its sine, number 2 i + 1 its cosine. The product of two places
    depends on their distance alone. `to_halves` puts all sines before all cosines, as
    Transformer-XL has it.

    Args:
        positions: Place of each token, in tokens; a distance may be negative.
        d_model: Numbers in the vector of a token.
        theta: Base of the frequencies: the slowest wave takes nearly
            `2 pi theta` tokens.
        dtype: Format of the result; the angles are formed in float64.

    Raises:
        ValueError: If the width is odd, theta is not above 1, or the positions come in
            half precision.

    Example:
        >>> sinusoidal(torch.tensor([0, 11]), 2).round().tolist()
        [[0.0, 1.0], [-1.0, 0.0]]

    Source: Vaswani et al. 2017, section 3.5. Built in lesson 06.
    """
    check_width("d_model", d_model)
    check_theta(theta)
    cos, sin = turn(positions, frequencies_of(d_model, theta), 1.0, dtype)
    return rearrange([sin, cos], "two ... pair -> ... (pair two)")
