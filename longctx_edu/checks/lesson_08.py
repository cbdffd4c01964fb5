"""Checks of lesson 08: all of them, and those of the binary loss."""

import math
from collections.abc import Callable

import torch

from longctx_edu.checks.adam_08 import check_adam_step
from longctx_edu.checks.adamw_08 import check_adamw_step
from longctx_edu.checks.ask import ask, tensor_of
from longctx_edu.checks.compare import agree, close
from longctx_edu.checks.hold_08 import check_clipped, check_drop, check_share_of_peak
from longctx_edu.checks.loss_08 import check_smoothed_gradient, check_token_loss
from longctx_edu.checks.loss_09 import CUT, mean_of
from longctx_edu.checks.momentum_08 import check_momentum_step
from longctx_edu.checks.report import check, require

__all__ = [
    "check_adam_step",
    "check_adamw_step",
    "check_binary_gradient",
    "check_binary_loss",
    "check_clipped",
    "check_drop",
    "check_momentum_step",
    "check_share_of_peak",
    "check_smoothed_gradient",
    "check_token_loss",
]

# Probabilities of 3/4, 1/4, 1/4 and 9/10; the second and the last are wrong.
P = torch.tensor([0.75, 0.25, 0.25, 0.9])
Z = torch.tensor([3.0, 1 / 3, 1 / 3, 9.0]).log()
Y = torch.tensor([1.0, 1.0, 0.0, 0.0])
GIVEN = {"logits (odds 3:1, 1:3, 1:3, 9:1)": Z, "targets": Y}
ONES, ZEROS = Y * P.log(), (1 - Y) * (1 - P).log()
COST = -(ONES + ZEROS)
SWAPPED = -((1 - Y) * P.log() + Y * (1 - P).log())

MISCOUNTED = [
    (COST.sum(), "this is the sum: divide by the number of tokens"),
    (-COST.mean(), "the sign: log of a probability is negative, the loss is not"),
    (-ONES.mean(), "the half for y = 0 is missing: (1-y) log(1-p)"),
    (-ZEROS.mean(), "the half for y = 1 is missing: y log p"),
    (SWAPPED.mean(), "the halves are swapped: log p belongs to y = 1"),
    (COST.mean() / math.log(2), "the natural logarithm, in nats: log"),
]
FORMED = "log(0) is -inf, and exp(10000) is inf: never form p, torch.logaddexp does it"
CLAMPED = "a clamped p makes a sure mistake too cheap: never form p, torch.logaddexp"


@check("The mean of -log p or -log(1-p), for logits of any size.")
def check_binary_loss(binary_loss: Callable):
    """Four words on paper, logits of 10,000, and the way back."""
    agree(
        "the loss is the mean of -[y log p + (1-y) log(1-p)]",
        mean_of(ask(binary_loss, Z, Y)),
        COST.mean(),
        given=GIVEN,
        hint="p = 1 / (1 + exp(-z)); minus the log of what the truth was given; mean",
        mistakes=MISCOUNTED,
    )
    for logit, target, cost in (
        (20, 0, 20),
        (1e4, 0, 1e4),
        (-1e4, 1, 1e4),
        (1e4, 1, 0),
    ):
        z, y = torch.tensor([float(logit)]), torch.tensor([float(target)])
        got = mean_of(ask(binary_loss, z, y))
        require(
            close(got, torch.tensor(float(cost)), atol=1e-3),
            "logits of any size have their loss",
            given={"logits": z, "targets": y},
            came=got,
            expected=torch.tensor(float(cost)),
            hint=CLAMPED if got.isfinite() else FORMED,
        )
    logits = Z.clone().requires_grad_()
    loss = binary_loss(logits, Y.clone())
    require(
        loss.requires_grad,
        "the loss has a gradient",
        came="a tensor without one",
        expected="a tensor that remembers how it was computed",
        hint=CUT,
    )


@check("What was said minus what is true, over the number of tokens.")
def check_binary_gradient(binary_gradient: Callable):
    """Four words on paper, logits of 10,000, and two axes."""
    moved = P - Y
    agree(
        "a logit moves the mean loss by (p - y) / N",
        tensor_of(ask(binary_gradient, Z, Y), (4,), "token"),
        moved / 4,
        given=GIVEN,
        hint="p - y, where p is the sigmoid of the logit, over the number of tokens",
        mistakes=[
            (moved, "the loss is a mean: divide by the number of tokens"),
            (-moved / 4, "the sign: this points downhill; said minus true, p - y"),
            (-moved, "the sign: this points downhill; said minus true, p - y"),
            (moved / (P * (1 - P)) / 4, "this is dl/dp: the chain goes on, p (1-p)"),
            (moved * P * (1 - P) / 4, "p (1-p) cancels against the logarithm's slope"),
            ((Z - Y) / 4, "a logit is no probability: the sigmoid first"),
            (P / 4, "the truth is missing: p - y"),
        ],
    )
    z, y = torch.tensor([1e4, -1e4]), torch.tensor([0.0, 1.0])
    agree(
        "logits of any size have their gradient",
        tensor_of(ask(binary_gradient, z, y), (2,), "token"),
        [0.5, -0.5],
        given={"logits": z, "targets": y},
        hint="y/p divides by 0 where p is 0: use the short form, p - y",
    )
    two = Z.view(2, 2)
    got = tensor_of(ask(binary_gradient, two, Y.view(2, 2)), (2, 2), "batch token")
    by_two = (moved / 2).view(2, 2)
    agree(
        "N counts every logit, whatever the axes",
        got,
        (moved / 4).view(2, 2),
        given={"logits": two},
        hint="numel() counts all, len() only the first axis",
        mistakes=[(by_two, "numel() counts all, len() only the first axis")],
    )
