"""Dropout: numbers are lost at random in training, and none in use."""

import torch
from jaxtyping import Float
from torch import Tensor


def dropout(
    x: Float[Tensor, "*axes"],
    share: float,
    *,
    training: bool = True,
    generator: torch.Generator | None = None,
) -> Float[Tensor, "*axes"]:
    """Set a share of the numbers to 0 and scale the others up to the same mean.

    Args:
        x: What a layer gives.
        share: Of the numbers that are lost, on average.
        training: Without it x comes back as it is.
        generator: Where the randomness comes from; None = torch's own.

    Raises:
        ValueError: If the share is not from 0 to below 1.

    Example:
        >>> kept = dropout(torch.ones(100), 0.75)
        >>> sorted(set(kept.tolist()))
        [0.0, 4.0]

    Source: Srivastava et al. 2014, section 4, with the scaling of section 10 in
    training instead of use. Built in lesson 08.
    """
    if not 0 <= share < 1:
        raise ValueError(f"need a share from 0 to below 1, got {share}")
    if not training:
        return x
    stays = torch.empty_like(x).bernoulli_(1 - share, generator=generator)
    return x * stays / (1 - share)
