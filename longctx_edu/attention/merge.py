"""Merge attention over parts of the keys into attention over all of them."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor


def merge(
    parts: Sequence[tuple[Float[Tensor, "*batch d_value"], Float[Tensor, " *batch"]]],
) -> tuple[Float[Tensor, "*batch d_value"], Float[Tensor, " *batch"]]:
    """Join results over disjoint sets of keys, in any order.

    A part with the log-sum-exp `lse` counts `exp(lse)`: so many exponentials it has
    summed. A part that saw nothing, with -inf, changes nothing.

    Args:
        parts: Outputs with the log-sum-exp of each row's scores.

    Returns:
        The output and the log-sum-exp over all keys; 0 and -inf where no part saw any.

    Raises:
        ValueError: If there is no part.

    Example:
        >>> one = torch.tensor([[2.0]]), torch.tensor([0.0])
        >>> three = torch.tensor([[6.0]]), torch.tensor([3.0]).log()
        >>> out, lse = merge([one, three])
        >>> round(out.item(), 3), round(lse.exp().item(), 3)
        (5.0, 4.0)

    Source: FlashDecoding (Dao et al. 2023), its last step; ring attention (Liu et al.
    2023), section 3. Built in lesson 03.
    """
    if not parts:
        raise ValueError("need at least one part to merge, got none")
    lses = torch.stack([lse for _, lse in parts])
    peak = lses.detach().amax(dim=0)
    peak = peak.masked_fill(peak == -math.inf, 0.0)
    counts = (lses - peak).exp()
    total = counts.sum(dim=0)
    shares = counts / total.masked_fill(total == 0, 1.0)
    outs = torch.stack([out for out, _ in parts])
    out = (outs * shares.unsqueeze(-1)).sum(dim=0).to(outs.dtype)
    # log(0) with a gradient that is no number: such a row takes another way.
    empty = total == 0
    lse = total.masked_fill(empty, 1.0).log() + peak
    return out, lse.masked_fill(empty, -math.inf)
