"""Gradient descent: plain, with momentum, with Nesterov's look ahead."""

from collections.abc import Callable, Iterable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.optim import Optimizer

from longctx_edu.optim.settings import moving, need


def momentum_direction(
    gradient: Float[Tensor, "*axes"],
    velocity: Float[Tensor, "*axes"] | None,
    *,
    momentum: float,
    nesterov: bool = False,
) -> tuple[Float[Tensor, "*axes"], Float[Tensor, "*axes"]]:
    """Add a gradient to the velocity, which forgets a share of itself at each step.

    Nesterov's step goes where the velocity is about to go: it adds the share once more.

    Args:
        gradient: Of this step.
        velocity: What the last step gave; None before the first.
        momentum: Share of the velocity that stays.
        nesterov: Look ahead.

    Returns:
        The direction to step against, and the new velocity.

    Example:
        >>> one = torch.tensor(1.0)
        >>> momentum_direction(one, torch.tensor(2.0), momentum=0.5)
        (tensor(2.), tensor(2.))
        >>> momentum_direction(one, torch.tensor(2.0), momentum=0.5, nesterov=True)[0]
        tensor(2.)

    Source: Sutskever et al. 2013, equations 1 to 4, in the form with the rate outside.
    Built in lesson 08.
    """
    velocity = gradient.clone() if velocity is None else momentum * velocity + gradient
    return gradient + momentum * velocity if nesterov else velocity, velocity


class SGD(Optimizer):
    """Step against the gradient: `theta <- theta - lr (grad + weight_decay theta)`.

    Args:
        params: Parameters, or groups of them with settings of their own.
        lr: The learning rate.
        momentum: Share of the velocity that stays; 0 = none is kept.
        nesterov: Look ahead; needs momentum.
        weight_decay: Of the penalty `weight_decay / 2 * theta ** 2`, the L2 penalty.

    Raises:
        ValueError: If a setting is outside its range.

    Example:
        >>> theta = torch.tensor([4.0], requires_grad=True)
        >>> optimizer = SGD([theta], lr=0.25)
        >>> theta.square().sum().backward()  # a gradient of 8
        >>> optimizer.step()
        >>> theta.detach()
        tensor([2.])

    Source: Sutskever et al. 2013, section 2. Built in lesson 08.
    """

    def __init__(
        self,
        params: Iterable,
        lr: float = 1e-3,
        *,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ):
        need(lr=lr, momentum=momentum, weight_decay=weight_decay)
        if nesterov and momentum == 0:
            raise ValueError("need momentum > 0 for nesterov=True, got momentum=0")
        defaults = {"lr": lr, "momentum": momentum, "nesterov": nesterov}
        super().__init__(params, {**defaults, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable | None = None) -> Tensor | None:
        """Move each parameter that has a gradient.

        Args:
            closure: Computes the loss anew, and its gradient.
        """
        loss = None if closure is None else torch.enable_grad()(closure)()
        for group, theta, state in moving(self):
            direction = theta.grad + group["weight_decay"] * theta
            if group["momentum"]:
                direction, state["velocity"] = momentum_direction(
                    direction,
                    state.get("velocity"),
                    momentum=group["momentum"],
                    nesterov=group["nesterov"],
                )
            theta -= group["lr"] * direction
        return loss
