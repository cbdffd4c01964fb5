"""The online softmax: a softmax whose row arrives piece by piece.

A row of queries keeps three numbers' worth of state: the largest score so far, the
sum of exponentials relative to it, and the weighted sum of values relative to it. A
new piece with a larger score shrinks what is there by `exp(old peak - new peak)`.
"""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor


class Running:
    """What some queries have gathered from the keys that they have met so far.

    Args:
        q: What the queries ask for, already multiplied with the scale.
        d_value: Width of a value.

    Example:
        >>> row = Running(torch.zeros(1, 1), d_value=1)
        >>> for value in (2.0, 4.0):
        ...     row.absorb(torch.zeros(1, 1), torch.tensor([[value]]))
        >>> out, lse = row.finish()
        >>> out.item(), round(lse.exp().item())
        (3.0, 2)

    Source: Milakov and Gimelshein 2018, algorithm 3; with values: FlashAttention (Dao
    et al. 2022, algorithm 1). Built in lesson 03.
    """

    def __init__(self, q: Float[Tensor, "*batch query d_head"], d_value: int):
        self.q = q
        self.peak = q.new_full((*q.shape[:-1], 1), -math.inf)
        self.total = q.new_zeros((*q.shape[:-1], 1))
        self.gathered = q.new_zeros((*q.shape[:-1], d_value))

    def absorb(
        self,
        k: Float[Tensor, "*#batch key d_head"],
        v: Float[Tensor, "*#batch key d_value"],
        *,
        mask: Bool[Tensor, "*#batch #query #key"] | None = None,
        factors: Float[Tensor, "*batch query key"] | None = None,
    ) -> None:
        """Meet some more keys.

        Args:
            k: What they offer.
            v: What they give.
            mask: True where the query may look at the key; everywhere by default.
            factors: On the weights after the softmax, as dropout has them.
        """
        scores = self.q @ k.mT
        if mask is not None:
            scores = scores.masked_fill_(~mask, -math.inf)
        peak = torch.maximum(self.peak, scores.amax(dim=-1, keepdim=True))
        # A row that has seen nothing has no peak: relative to 0 all its weights are 0.
        ground = peak.masked_fill(peak == -math.inf, 0.0)
        weights = scores.sub_(ground).exp_()
        shrink = (self.peak - ground).exp()
        self.total = self.total * shrink + weights.sum(dim=-1, keepdim=True)
        if factors is not None:
            weights = weights * factors
        self.gathered = self.gathered * shrink + weights @ v
        self.peak = peak

    def finish(
        self,
    ) -> tuple[Float[Tensor, "*batch query d_value"], Float[Tensor, "*batch query"]]:
        """Give the mean of the values, and the logarithm of the summed exponentials.

        A query that has seen nothing gets 0, and the logarithm -inf.
        """
        seen = self.total.masked_fill(self.total == 0, 1.0)
        lse = self.total.log() + self.peak.masked_fill(self.peak == -math.inf, 0.0)
        return self.gathered / seen, lse.squeeze(-1)
