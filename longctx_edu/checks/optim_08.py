"""Checks of lesson 08 on one step: momentum, Adam, AdamW."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from longctx_edu.checks.ask import ask, is_tensor
from longctx_edu.checks.compare import agree, close
from longctx_edu.checks.report import check, require

__all__ = ["check_adam_step", "check_adamw_step", "check_momentum_step"]

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
    down = THETA - RATE * after
    agree(
        "theta goes rate times against the new velocity",
        theta,
        down,
        given=PLAIN,
        hint="theta - rate * velocity",
        mistakes=[
            (THETA + RATE * after, "the sign: downhill is against the gradient"),
            (THETA - RATE * VELOCITY, "step with the new velocity, not the old one"),
            (THETA - RATE * GRADIENT, "this steps with the gradient alone"),
            (THETA - after, "the rate is missing"),
        ],
    )
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


def slow_adam(
    gradients: list[float], betas=(0.9, 0.999), eps: float = 1e-8
) -> tuple[float, float, float]:
    """Go through all gradients of one weight; give the last direction and both means.

    Example:
        >>> slow_adam([2.0], betas=(0.5, 0.5), eps=0.0)
        (1.0, 1.0, 2.0)
    """
    first = sum((1 - betas[0]) * g * betas[0] ** n for n, g in ages(gradients))
    second = sum((1 - betas[1]) * g * g * betas[1] ** n for n, g in ages(gradients))
    gathered = [1 - beta ** len(gradients) for beta in betas]
    root = math.sqrt(second / gathered[1])
    return first / gathered[0] / (root + eps), first, second


def ages(gradients: list[float]) -> list[tuple[int, float]]:
    """Number gradients by how long ago they came."""
    return list(enumerate(reversed(gradients)))


G = torch.tensor([2.0, -4.0])
START, NONE, SIGN = torch.tensor([4.0, -2.0]), torch.zeros(2), torch.tensor([1.0, -1.0])
NAMES = ["theta", "first", "second"]
FIRST_STEP = {
    "theta": START, "gradient": G, "first": NONE, "second": NONE, "step": 1, "rate": 0.1
}  # fmt: skip


@check("Mean over root mean square, both corrected: steps of about the rate.")
def check_adam_step(adam_step: Callable):
    """The first step; the third; a tiny gradient; other settings."""
    theta, *means = parts_of(ask(adam_step, START, G, NONE, NONE, 1, 0.1), NAMES)
    need_means(*means)
    require(
        bool(theta.isfinite().all()),
        "the first step is finite",
        given=FIRST_STEP,
        came=theta,
        expected=START - 0.1 * SIGN,
        hint="steps are counted from 1, so beta ** step; with step - 1 it is 0 / 0",
    )
    ratio = 0.1 / math.sqrt(0.001)
    agree(
        "the first step has the length of the rate, whatever the gradient",
        theta,
        START - 0.1 * SIGN,
        given=FIRST_STEP,
        hint="theta - rate * mean / (mean_square.sqrt() + eps), both means corrected",
        mistakes=[
            (START + 0.1 * SIGN, "the sign: downhill is against the gradient"),
            (START - 0.1 * ratio * SIGN, "the bias correction is missing"),
            (START - 0.01 * SIGN, "correct the mean as well: / (1 - beta ** step)"),
            (START - ratio * SIGN, "correct the mean square as well, before the root"),
            (START - 0.1 / G, "the root is missing: mean_square.sqrt()"),
            (START - SIGN, "the rate is missing"),
            (START - 0.1 * G, "this is plain descent: divide by the root mean square"),
            (START - 0.1 * 0.1 / 0.19 * math.sqrt(0.001999 / 0.001) * SIGN,
             "step is counted from 1 already: beta ** step, not step + 1"),
        ],
    )  # fmt: skip
    third_step(adam_step)
    other_settings(adam_step)


def need_means(first: Tensor, second: Tensor) -> None:
    """Hold both running means after one step from zero."""
    for name, came, power, keeps in (
        ("gradient", first, G, 0.9),
        ("gradient's square", second, G**2, 0.999),
    ):
        carried = "the corrected mean is for this step alone: carry on the raw one"
        agree(
            f"the running mean of the {name} takes {1 - keeps:.3g} of the new one",
            came,
            (1 - keeps) * power,
            given=FIRST_STEP,
            hint="beta * old + (1 - beta) * new; betas[0] for the gradient, betas[1] "
            "for its square",
            mistakes=[
                (power, carried),
                (keeps * power, "beta stays of the old, 1 - beta comes of the new"),
                (NONE, "return the new means, not the old ones"),
                ((1 - keeps) * G, "this one averages the square: gradient ** 2"),
                ((1 - keeps) ** 2 * power, "square the gradient, not the whole term"),
                (0.1 * power, "betas[1] is for the square"),
                (0.001 * power, "betas[0] is for the gradient"),
            ],
        )


def third_step(adam_step: Callable) -> None:
    """Two steps lie behind; the correction depends on how many."""
    before = [slow_adam([g, -g / 2]) for g in G.tolist()]
    first, second = (torch.tensor([row[n] for row in before]) for n in (1, 2))
    came = ask(adam_step, START, G, first, second, 3, 0.1)
    theta, after, _ = parts_of(came, NAMES)
    now = [slow_adam([g, -g / 2, g]) for g in G.tolist()]
    want = START - 0.1 * torch.tensor([row[0] for row in now])
    mean, square = (torch.tensor([row[n] for row in now]) for n in (1, 2))
    fixed = mean / 0.1 / (square / 0.001).sqrt()
    linear = mean / 0.3 / (square / 0.003).sqrt()
    given = {"theta": START, "gradient": G, "first": first, "second": second, "step": 3}
    agree(
        "both means keep what came before",
        after,
        mean,
        given=given,
        hint="beta * old + (1 - beta) * new",
    )
    agree(
        "at the third step the correction is 1 - beta ** 3",
        theta,
        want,
        given=given,
        hint="1 - betas[0] ** step below first, 1 - betas[1] ** step below second",
        mistakes=[
            (START - 0.1 * fixed, "the correction fades: beta ** step, not beta"),
            (START - 0.1 * linear, "a power, not a product: beta ** step"),
        ],
    )


def other_settings(adam_step: Callable) -> None:
    """A gradient of 1e-5 shows where eps stands; then betas and eps of our own."""
    tiny = torch.tensor([1e-5, -1e-5])
    theta, *_ = parts_of(ask(adam_step, NONE, tiny, NONE, NONE, 1, 1.0), NAMES)
    inside = 1e-5 / math.sqrt(1e-10 + 1e-8)
    require(
        close(theta, -SIGN, atol=0.01),
        "a gradient of 1e-5 makes a full step too: eps, 1e-8, is far smaller",
        given={"theta": NONE, "gradient": "1e-05 -1e-05", "step": 1, "rate": 1.0},
        came=theta,
        expected=-SIGN,
        hint="eps stands inside the root, where it counts as 1e-4: sqrt(...) + eps"
        if close(theta, -inside * SIGN, atol=0.01)
        else "sqrt(mean square) + eps: the root of the corrected mean, then eps",
    )
    named = {"betas": (0.5, 0.75), "eps": 1.0}
    came = ask(adam_step, START, G, NONE, NONE, 1, 0.1, **named)
    agree(
        "betas and eps are those that are given",
        parts_of(came, NAMES)[0],
        START - 0.1 * G / (G.abs() + 1),
        given={**FIRST_STEP, "betas": (0.5, 0.75), "eps": 1.0},
        hint="use the parameters betas and eps; 0.9, 0.999 and 1e-8 are only defaults, "
        "and eps stands outside the root",
    )


@check("Adam's step, and beside it a share of theta: the means never see the decay.")
def check_adamw_step(adamw_step: Callable):
    """The first step with a decay of a half; then without decay."""
    came = ask(adamw_step, START, G, NONE, NONE, 1, 0.1, 0.5)
    theta, first, second = parts_of(came, NAMES)
    given = {**FIRST_STEP, "decay": 0.5}
    through = "the decay went through the gradient: that is L2; take it off theta"
    for name, mean, want, wrong in (
        ("gradient", first, 0.1 * G, 0.1 * (G + 0.5 * START)),
        ("square", second, 0.001 * G**2, 0.001 * (G + 0.5 * START) ** 2),
    ):
        agree(
            f"the running mean of the {name} sees the gradient alone",
            mean,
            want,
            given=given,
            hint="first and second are Adam's, untouched by the decay",
            mistakes=[(wrong, through)],
        )
    adam = START - 0.1 * SIGN
    agree(
        "theta loses rate * decay of itself, and Adam's step",
        theta,
        adam - 0.05 * START,
        given=given,
        hint="theta - rate * direction - rate * decay * theta",
        mistakes=[
            (adam, "nothing was taken off theta: rate * decay * theta"),
            (adam - 0.5 * START, "the rate scales the decay as well: rate * decay"),
            (adam + 0.05 * START, "the sign: decay pulls towards 0"),
            (0.95 * adam, "the share is of the old theta: before the step, not after"),
            (adam - 0.05, "a share of theta, not a constant: rate * decay * theta"),
            (adam - 0.05 * G, "the share is of theta, not of the gradient"),
            (0.95 * START, "Adam's own step is missing"),
        ],
    )
    came = ask(adamw_step, START, G, NONE, NONE, 1, 0.1, 0.0)
    agree(
        "without decay it is Adam",
        parts_of(came, NAMES)[0],
        adam,
        given={**FIRST_STEP, "decay": 0.0},
        hint="use the parameter decay",
    )
