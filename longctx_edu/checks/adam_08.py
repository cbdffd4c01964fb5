"""The check of lesson 08 on a step of Adam."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from longctx_edu.checks.ask import ask
from longctx_edu.checks.compare import agree, close
from longctx_edu.checks.momentum_08 import parts_of
from longctx_edu.checks.report import check, require

__all__ = ["check_adam_step"]


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
