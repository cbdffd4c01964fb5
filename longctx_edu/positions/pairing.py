"""The two orders in which rotary positions pair the numbers of a head."""

import torch
from einops import rearrange
from jaxtyping import Shaped
from torch import Tensor

from longctx_edu.positions.inputs import check_width


def to_interleaved(
    x: Shaped[Tensor, "*batch d_head"], *, d_rotary: int | None = None
) -> Shaped[Tensor, "*batch d_head"]:
    """Put the partners of a pair side by side: `a a b b` from `a b a b`.

    Turning commutes with it: `rotate(to_interleaved(x), turned, interleaved=True)`
    equals `to_interleaved(rotate(x, turned))`. Queries and keys that are both in the
    same order give the same scores. For the weights of a projection, apply it to the
    axis of the head's numbers, which must come last.

    Args:
        x: Vectors whose pairs lie `d_rotary / 2` apart.
        d_rotary: Numbers of each head that turn; all by default. The rest stays.

    Raises:
        ValueError: If the width is odd, or more than there are numbers.

    Example:
        >>> to_interleaved(torch.tensor([0, 1, 2, 3, 9]), d_rotary=4).tolist()
        [0, 2, 1, 3, 9]

    Source: RoFormer (Su et al. 2021), section 3.2.2, equation 15, pairs neighbours.
    Built in lesson 06.
    """
    return _reorder(x, d_rotary, "... (two pair) -> ... (pair two)")


def to_halves(
    x: Shaped[Tensor, "*batch d_head"], *, d_rotary: int | None = None
) -> Shaped[Tensor, "*batch d_head"]:
    """Put first partners into one half and second partners into the other.

    The inverse of `to_interleaved`: `a b a b` from `a a b b`.

    Args:
        x: Vectors whose pairs are neighbours.
        d_rotary: Numbers of each head that turn; all by default. The rest stays.

    Raises:
        ValueError: If the width is odd, or more than there are numbers.

    Example:
        >>> to_halves(torch.tensor([0, 2, 1, 3, 9]), d_rotary=4).tolist()
        [0, 1, 2, 3, 9]

    Source: RoFormer (Su et al. 2021), section 3.2.2, equation 15, pairs neighbours.
    Built in lesson 06.
    """
    return _reorder(x, d_rotary, "... (pair two) -> ... (two pair)")


def _reorder(x: Tensor, d_rotary: int | None, order: str) -> Tensor:
    """Reorder the first numbers of each vector."""
    width = x.shape[-1] if d_rotary is None else d_rotary
    check_width("d_rotary", width)
    if width > x.shape[-1]:
        raise ValueError(f"need d_rotary <= d_head={x.shape[-1]}, got {width}")
    return torch.cat([rearrange(x[..., :width], order, two=2), x[..., width:]], dim=-1)
