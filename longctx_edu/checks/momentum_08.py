"""The check of lesson 08 on a step with momentum."""

from collections.abc import Callable

import torch
from torch import Tensor

from longctx_edu.checks.ask import ask, is_tensor
from longctx_edu.checks.compare import agree
from longctx_edu.checks.report import check, require

__all__ = ["check_momentum_step"]

THETA, GRADIENT = torch.tensor([1.0, 2.0]), torch.tensor([3.0, -1.0])
VELOCITY, RATE, MOMENTUM = torch.tensor([2.0, 2.0]), 0.1, 0.5
PLAIN = {
    "theta": THETA,
    "gradient": GRADIENT,
    "velocity": VELOCITY,
    "rate": RATE,
    "momentum": MOMENTUM,
}


def parts_of(value: object, names: list[str]) -> list[Tensor]:
    """Take an answer for so many tensors of two numbers, or say what it is."""
    wanted = ", ".join(names)
    require(
        isinstance(value, tuple | list) and len(value) == len(names),
        f"the result is {wanted}",
        came=value if value is None else type(value).__name__,
        expected=f"{len(names)} tensors",
        hint="a function without return gives None: end it with return"
        if value is None
        else f"return {wanted}",
    )
    for part in value:
        is_tensor(part)
    return list(value)


@check("The velocity forgets a share and adds the gradient; Nesterov looks ahead.")
def check_momentum_step(momentum_step: Callable):
    """One step with whole numbers, then Nesterov's."""
    given = (THETA, GRADIENT, VELOCITY, RATE, MOMENTUM)
    theta, velocity = parts_of(ask(momentum_step, *given), ["theta", "velocity"])
    after = MOMENTUM * VELOCITY + GRADIENT
    agree(
        "the new velocity is momentum * velocity + gradient",
        velocity,
        after,
        given=PLAIN,
        hint="momentum * velocity + gradient, nothing else",
        mistakes=[
            (VELOCITY + GRADIENT, "it must forget: momentum * velocity"),
            ((VELOCITY + GRADIENT) / 2, "the gradient comes in whole, no 1 - momentum"),
            (VELOCITY, "return the new velocity, not the old one"),
            (MOMENTUM * VELOCITY - GRADIENT, "the sign: add the gradient here"),
            (MOMENTUM * VELOCITY + RATE * GRADIENT, "the rate comes in the step alone"),
            (GRADIENT, "the velocity is missing: momentum * velocity + gradient"),
            (THETA - RATE * after, "theta comes first, then the velocity"),
        ],
    )  # fmt: skip
    agree(
        "theta goes rate times against the new velocity",
        theta,
        THETA - RATE * after,
        given=PLAIN,
        hint="theta - rate * velocity",
        mistakes=[
            (THETA + RATE * after, "the sign: downhill is against the gradient"),
            (THETA - RATE * VELOCITY, "step with the new velocity, not the old one"),
            (THETA - RATE * GRADIENT, "this steps with the gradient alone"),
            (THETA - after, "the rate is missing"),
        ],
    )
    look_ahead(momentum_step, after)


def look_ahead(momentum_step: Callable, after: Tensor) -> None:
    """Hold Nesterov's step and the velocity that it leaves."""
    down = THETA - RATE * after
    given = (THETA, GRADIENT, VELOCITY, RATE, MOMENTUM)
    got = ask(momentum_step, *given, nesterov=True)
    theta, velocity = parts_of(got, ["theta", "velocity"])
    agree(
        "Nesterov goes against gradient + momentum * new velocity",
        theta,
        THETA - RATE * (GRADIENT + MOMENTUM * after),
        given={**PLAIN, "nesterov": True},
        hint="direction = gradient + momentum * velocity, the new one",
        mistakes=[
            (down, "this is plain momentum: it takes the new velocity once more"),
            (THETA - RATE * (after + MOMENTUM * after), "the gradient once, not twice"),
            (THETA - RATE * (GRADIENT + after), "momentum * the new velocity"),
        ],
    )
    agree(
        "the velocity is the same with Nesterov",
        velocity,
        after,
        given={**PLAIN, "nesterov": True},
        hint="only the direction of the step differs: keep it in a name of its own",
    )
