"""How fast each pair of numbers turns: what rotary positions are made of."""

from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Tensor

from longctx_edu.positions.inputs import check_theta, check_width


@dataclass(frozen=True, eq=False)
class Frequencies:
    """How far each pair of numbers turns from one token to the next.

    Attributes:
        radians: Turn of each pair, in radians a token, the fastest pair first.
        attention_factor: Factor on cosine and sine of every angle. Queries and keys
            are both multiplied by it, so scores grow by its square.
    """

    radians: Float64[Tensor, " pair"]
    attention_factor: int | float = 1.0


def rotary_frequencies(d_rotary: int, *, theta: int | float = 10_000.0) -> Frequencies:
    """Let pair i turn by `theta ** (-2 i / d_rotary)` radians a token.

    The first pair turns by 1 radian, so once in 6.3 tokens; the last hardly turns
    within a text. `interpolate`, `ntk_aware`, `yarn` and their like slow them down for
    texts longer than those of the training.

    Args:
        d_rotary: Numbers of each head that turn: `d_head`, or fewer.
        theta: Base: the larger, the slower the last pairs.

    Raises:
        ValueError: If the width is odd, or theta is not above 1.

    Example:
        >>> rotary_frequencies(4, theta=100.0).radians.tolist()
        [1.0, 0.1]

    Source: RoFormer (Su et al. 2021), section 3.2.2, equation 15. Built in lesson 06.
    """
    check_width("d_rotary", d_rotary)
    check_theta(theta)
    return Frequencies(frequencies_of(d_rotary, theta))


def frequencies_of(width: int, theta: int | float) -> Float64[Tensor, " pair"]:
    """Return `theta ** (-2 i / width)` for each pair, in float64.

    Args:
        width: Numbers in the vector.
        theta: Base.

    Example:
        >>> frequencies_of(4, 100.0).tolist()
        [1.0, 0.1]
    """
    return theta ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
