"""Checks of lesson 08 on the softmax: a weighted mean, and a smoothed gradient."""

import math
from collections.abc import Callable

import torch

from longctx_edu.checks.ask import ask, on_error, tensor_of
from longctx_edu.checks.compare import agree
from longctx_edu.checks.loss_09 import CUT, NOT_A_CLASS, mean_of, slow_losses
from longctx_edu.checks.oracles import drawn
from longctx_edu.checks.report import check, require

__all__ = ["check_smoothed_gradient", "check_token_loss"]

# Shares of 3/8, 1/4, 3/4 at the labels; the third token is padding.
ROWS = torch.tensor([[1.0, 3, 4], [2, 2, 4], [1, 1, 8], [6, 1, 1]]).log()
LABELS = torch.tensor([1, 0, -100, 0])
WEIGHTS = torch.tensor([1.0, 3.0, 5.0])
A, B, C, PAD = (math.log(x) for x in (8 / 3, 4, 4 / 3, 10))
SUM = 3 * A + B + C

MISCOUNTED = [
    (torch.tensor(SUM / 3), "divide by the sum of the weights, not by the tokens"),
    (torch.tensor(SUM / 4), "the mean is over padding: divide by the real weights"),
    (torch.tensor((A + B + C) / 3), "each token counts as its label's weight"),
    (torch.tensor((A + B + C) / 5), "the weights belong on top as well"),
    (torch.tensor((A + B + C) / 4), "the mean is over padding, nothing is weighted"),
    (torch.tensor((SUM + PAD) / 6), "padding was counted as label 0: leave it out"),
    (torch.tensor((SUM + PAD) / 4), "padding was counted as label 0: leave it out"),
    (torch.tensor(SUM), "this is the sum: divide by the weights that counted"),
    (torch.tensor(SUM / 9), "divide by the weights of the tokens, not of the labels"),
    (torch.tensor(-SUM / 5), "the sign: -log of a share is positive"),
]  # fmt: skip


@check("A weighted mean over real tokens, for logits of any size.")
def check_token_loss(token_loss: Callable):
    """Shares on paper; large logits; another ignore_index; the way back."""
    with on_error(NOT_A_CLASS):
        got = mean_of(ask(token_loss, ROWS, LABELS, WEIGHTS))
    agree(
        "each token counts as its label's weight, and padding not at all",
        got,
        torch.tensor(SUM / 5),
        given={
            "logits (log of these)": ROWS.exp(),
            "labels": LABELS,
            "class_weights": WEIGHTS,
        },
        hint="(weights * costs).sum() / weights.sum(), over the tokens with a label",
        mistakes=MISCOUNTED,
    )
    logits, labels = torch.tensor([[1e4, 0.0], [0.0, -1e4]]), torch.tensor([1, 0])
    agree(
        "logits of any size give a loss",
        mean_of(ask(token_loss, logits, labels, torch.ones(2))),
        torch.tensor(5000.0),
        given={"logits": logits, "labels": labels},
        hint="exp(10000) is inf, and log(0) is -inf: logsumexp takes the maximum out",
    )
    logits, labels = drawn(7, 5), torch.tensor([0, 1, 4, 0, 1, 2, 2])
    name = "use the parameter ignore_index; -100 is only its default"
    with on_error(name):
        got = ask(token_loss, logits, labels, torch.ones(5), ignore_index=0)
    losses = slow_losses(logits, labels, 0)
    agree(
        "ignore_index says which label is left out",
        mean_of(got),
        torch.tensor(sum(losses) / len(losses)),
        given={"labels": labels, "ignore_index": 0},
        hint=name,
    )
    loss = token_loss(ROWS.clone().requires_grad_(), LABELS.clone(), WEIGHTS.clone())
    require(
        loss.requires_grad,
        "the loss has a gradient",
        came="a tensor without one",
        expected="a tensor that remembers how it was computed",
        hint=CUT,
    )


# Shares in eighths and quarters.
LOGITS = torch.tensor([[1.0, 1, 2, 4], [3, 3, 3, 3]]).log()
SHARES = torch.tensor([[1.0, 1, 2, 4], [2, 2, 2, 2]]) / 8
RIGHT = torch.tensor([3, 0])
ONE_HOT = torch.eye(4)[RIGHT]
FIVE = 0.2  # smoothing of a fifth


@check("Said minus true, where a share of the truth is spread over all labels.")
def check_smoothed_gradient(smoothed_gradient: Callable):
    """Without smoothing, with a fifth, and for large logits."""
    hint = "softmax of each row, minus 1 at its label, over the number of tokens"
    given = {"logits (log of these)": LOGITS.exp(), "labels": RIGHT}
    got = ask(smoothed_gradient, LOGITS, RIGHT, 0.0)
    plain = SHARES - ONE_HOT
    agree(
        "without smoothing it is (softmax - 1 at the label) / N",
        tensor_of(got, (2, 4), "token label"),
        plain / 2,
        given={**given, "smoothing": 0.0},
        hint=hint,
        mistakes=[
            (plain, "the loss is a mean: divide by the number of tokens"),
            (-plain / 2, "the sign: said minus true"),
            (-plain, "the sign: said minus true"),
            (plain / 8, "N is the number of tokens, not of logits"),
            (plain / 4, "N is the number of tokens, not of labels"),
            (SHARES / 2, "the truth is missing: minus 1 at the label"),
            ((LOGITS - ONE_HOT) / 2, "logits are no shares: softmax first"),
            ((LOGITS.softmax(0) - ONE_HOT) / 2, "softmax over the labels, dim=1"),
        ],
    )
    smoothed(smoothed_gradient, given)
    logits = torch.tensor([[1e4, 0.0]])
    agree(
        "logits of any size have their gradient",
        ask(smoothed_gradient, logits, torch.tensor([1]), 0.0),
        [[1.0, -1.0]],
        given={"logits": logits, "labels": torch.tensor([1])},
        hint="exp(10000) is inf: torch's softmax takes the maximum out first",
    )


def smoothed(smoothed_gradient: Callable, given: dict) -> None:
    """Spread a fifth of the truth: a twentieth for each of four labels."""
    targets = {
        "the truth ignores smoothing": ONE_HOT,
        "spread over all labels, the right one too: smoothing / n_labels": ONE_HOT
        * (1 - FIVE)
        + (1 - ONE_HOT) * FIVE / 3,
        "the right label gets its part of the spread share too: +=, not =": ONE_HOT
        * (1 - FIVE)
        + (1 - ONE_HOT) * FIVE / 4,
        "the share is taken from the label: 1 - smoothing there": ONE_HOT + FIVE / 4,
        "divide the share among the labels: smoothing / n_labels": ONE_HOT * (1 - FIVE)
        + FIVE,
        "the spread share is missing: + smoothing / n_labels": ONE_HOT * (1 - FIVE),
    }
    got = ask(smoothed_gradient, LOGITS, RIGHT, FIVE)
    agree(
        "with smoothing 0.2, four labels share a fifth: 0.85 at the label, 0.05 else",
        tensor_of(got, (2, 4), "token label"),
        (SHARES - 0.8 * ONE_HOT - 0.05) / 2,
        given={**given, "smoothing": FIVE},
        hint="smoothing / n_labels everywhere, and 1 - smoothing more at the label",
        mistakes=[((SHARES - target) / 2, why) for why, target in targets.items()],
    )
