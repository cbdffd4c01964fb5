"""Gradient clipping: a step may have any direction, but no more than this length."""

from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor

ROUNDING = 1e-6
"""Added to the norm, as torch does: the result is never longer than was asked for."""


def clip_gradients(parameters: Iterable[Tensor], max_norm: float) -> Float[Tensor, ""]:
    """Scale all gradients down together, in place, if their common norm is too long.

    One factor for all: the direction stays. Parameters without a gradient are left out.

    Args:
        parameters: Whose gradients.
        max_norm: The longest norm that is left as it is.

    Raises:
        ValueError: If the norm is not above 0, or no parameter has a gradient.

    Returns:
        The norm before.

    Example:
        >>> theta = torch.zeros(2, requires_grad=True)
        >>> (theta * torch.tensor([3.0, 4.0])).sum().backward()
        >>> clip_gradients([theta], max_norm=1.0), theta.grad
        (tensor(5.), tensor([0.6000, 0.8000]))

    Source: Pascanu, Mikolov and Bengio 2013, algorithm 1. Built in lesson 08.
    """
    if not max_norm > 0:
        raise ValueError(f"need max_norm > 0, got {max_norm}")
    gradients = [p.grad for p in parameters if p.grad is not None]
    if not gradients:
        raise ValueError("need a parameter with a gradient, got none")
    norm = torch.stack([gradient.square().sum() for gradient in gradients]).sum().sqrt()
    factor = (max_norm / (norm + ROUNDING)).clamp(max=1.0)
    for gradient in gradients:
        gradient *= factor
    return norm
