"""Adam, and AdamW: each number has its own step size."""

from collections.abc import Callable, Iterable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.optim import Optimizer

from longctx_edu.optim.settings import moving, need


def adam_direction(
    gradient: Float[Tensor, "*axes"],
    first: Float[Tensor, "*axes"],
    second: Float[Tensor, "*axes"],
    step: int,
    *,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
) -> tuple[Float[Tensor, "*axes"], Float[Tensor, "*axes"], Float[Tensor, "*axes"]]:
    """Divide a running mean of the gradient by the root of that of its square.

    Both means start at 0 and are too small at first: the bias correction divides each
    by the share that it has gathered, `1 - beta ** step`.

    Args:
        gradient: Of this step.
        first: Running mean of the gradient; zeros before the first step.
        second: Running mean of its square; zeros before the first step.
        step: Of this update, counted from 1.
        betas: Share of each mean that stays.
        eps: Added to the root, never inside it.

    Returns:
        The direction to step against, and both new means.

    Raises:
        ValueError: If steps are not counted from 1.

    Example:
        >>> zero = torch.tensor(0.0)
        >>> adam_direction(torch.tensor(0.03), zero, zero, 1)[0]  # near 1 for any size
        tensor(1.0000)

    Source: Kingma and Ba 2015, algorithm 1 and section 3. Built in lesson 08.
    """
    if step < 1:
        raise ValueError(f"need steps counted from 1, got step={step}")
    first = betas[0] * first + (1 - betas[0]) * gradient
    second = betas[1] * second + (1 - betas[1]) * gradient**2
    mean = first / (1 - betas[0] ** step)
    mean_square = second / (1 - betas[1] ** step)
    return mean / (mean_square.sqrt() + eps), first, second


class Adam(Optimizer):
    """Step `lr` times the `adam_direction`; weight decay is added to the gradient.

    Args:
        params: Parameters, or groups of them with settings of their own.
        lr: The learning rate, about the length of a step for each number.
        betas: Share that stays, of the mean and of the mean square.
        eps: Added to the root.
        weight_decay: Of the L2 penalty; it passes through the root, unlike `AdamW`'s.

    Raises:
        ValueError: If a setting is outside its range.

    Example:
        >>> theta = torch.tensor([4.0, 4.0], requires_grad=True)
        >>> optimizer = Adam([theta], lr=0.5)
        >>> (theta * torch.tensor([1.0, 1000.0])).sum().backward()
        >>> optimizer.step()
        >>> theta.detach()
        tensor([3.5000, 3.5000])

    Source: Kingma and Ba 2015, algorithm 1. Built in lesson 08.
    """

    decoupled = False

    def __init__(
        self,
        params: Iterable,
        lr: float = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ):
        need(lr=lr, beta_1=betas[0], beta_2=betas[1], eps=eps)
        need(weight_decay=weight_decay)
        defaults = {"lr": lr, "betas": betas, "eps": eps}
        super().__init__(params, {**defaults, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable | None = None) -> Tensor | None:
        """Move each parameter that has a gradient.

        Args:
            closure: Computes the loss anew, and its gradient.
        """
        loss = None if closure is None else torch.enable_grad()(closure)()
        for group, theta, state in moving(self):
            gradient, decay = theta.grad, group["weight_decay"]
            if self.decoupled:
                theta *= 1 - group["lr"] * decay
            else:
                gradient = gradient + decay * theta
            if not state:
                zeros = torch.zeros_like(theta)
                state.update(step=0, first=zeros, second=zeros)
            state["step"] += 1
            direction, state["first"], state["second"] = adam_direction(
                gradient, **state, betas=group["betas"], eps=group["eps"]
            )
            theta -= group["lr"] * direction
        return loss


class AdamW(Adam):
    """Adam with decoupled weight decay: `theta` shrinks beside the step.

    Args:
        params: Parameters, or groups of them with settings of their own.
        lr: The learning rate; it scales the decay as well.
        betas: Share that stays, of the mean and of the mean square.
        eps: Added to the root.
        weight_decay: Each step takes the share `lr * weight_decay` of theta away.

    Raises:
        ValueError: If a setting is outside its range.

    Example:
        >>> theta = torch.tensor([4.0], requires_grad=True)
        >>> optimizer = AdamW([theta], lr=0.5, weight_decay=0.5)
        >>> (0 * theta).sum().backward()  # no slope: the decay alone, 4 - 0.25 * 4
        >>> optimizer.step()
        >>> theta.detach()
        tensor([3.])

    Source: Loshchilov and Hutter 2019, algorithm 2. Built in lesson 08.
    """

    decoupled = True

    def __init__(
        self,
        params: Iterable,
        lr: float = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ):
        super().__init__(params, lr, betas=betas, eps=eps, weight_decay=weight_decay)
