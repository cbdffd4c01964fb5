"""The check of lesson 09 on the loss that leaves pieces out."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from longctx_edu.checks.ask import ask, on_error, tensor_of
from longctx_edu.checks.compare import agree
from longctx_edu.checks.oracles import drawn
from longctx_edu.checks.report import check, require

__all__ = ["check_masked_cross_entropy"]

# Shares of 3/4, 1/2 and, where nothing is asked, 1/10.
ROWS = torch.tensor([[1.0, 3.0], [2.0, 2.0], [1.0, 9.0]]).log()
LABELS = torch.tensor([1, 0, -100])
CUT = ".item(), .detach() and torch.tensor(...) cut the way back to the weights"
NOT_A_CLASS = "-100 is no column: keep the labelled rows first, then look up"


def slow_losses(logits: Tensor, labels: Tensor, ignore: int = -100) -> list[float]:
    """Compute the loss of each labelled row in plain Python.

    Example:
        >>> round(slow_losses(torch.zeros(2, 4), torch.tensor([1, -100]))[0], 4)
        1.3863
    """
    losses = []
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        if label != ignore:
            top = max(row)
            parts = sum(math.exp(logit - top) for logit in row)
            losses.append(math.log(parts) + top - row[label])
    return losses


A, B, AS_O = math.log(4 / 3), math.log(2), math.log(10)
MISCOUNTED = [
    (torch.tensor((A + B + AS_O) / 3), "-100 was counted as label 0: leave it out"),
    (torch.tensor((A + B) / 3), "divide by the labelled pieces, not by all"),
    (torch.tensor(A + B), "this is the sum: take the mean"),
    (torch.tensor(-(A + B) / 2), "the sign: -log of a share is positive"),
    (torch.tensor((A + B) / 2 / B), "the natural logarithm, in nats: log"),
    (torch.tensor(-5 / 8), "the log is missing: -log(share)"),
    (torch.tensor(5 / 8), "the log is missing: -log(share)"),
    (torch.tensor(-(math.log(3) + B) / 2), "logits are no shares: softmax, then log"),
]


@check("The mean over the labelled pieces, at any size of logits, with a gradient.")
def check_masked_cross_entropy(masked_cross_entropy: Callable):
    """Shares on paper, then large logits, another ignore_index, and the gradient."""
    with on_error(NOT_A_CLASS):
        got = mean_of(ask(masked_cross_entropy, ROWS, LABELS))
    agree(
        "the loss is the mean of -log(share) over the pieces with a label",
        got,
        torch.tensor((A + B) / 2),
        given={"labels": LABELS, "logits (log of 1 3, 2 2, 1 9)": ROWS},
        hint="-log of the label's share, then the mean over the labelled pieces",
        mistakes=MISCOUNTED,
    )
    for large, label in ((1000.0, 1), (-1000.0, 0)):
        logits, labels = torch.tensor([[large, 0.0]]), torch.tensor([label])
        got = mean_of(ask(masked_cross_entropy, logits, labels))
        agree(
            "logits of any size give a loss",
            got,
            torch.tensor(slow_losses(logits, labels)[0]),
            given={"logits": logits, "labels": labels},
            hint="exp(1000) is inf, and log(0) is -inf: torch.logsumexp subtracts the "
            "maximum first",
        )
    logits, labels = drawn(7, 5), torch.tensor([1, -1, 4, 0, -1, 2, 2])
    with on_error("use the parameter ignore_index; -100 is only its default"):
        got = ask(masked_cross_entropy, logits, labels, ignore_index=-1)
    losses = slow_losses(logits, labels, -1)
    agree(
        "ignore_index says which label is left out",
        mean_of(got),
        torch.tensor(sum(losses) / len(losses)),
        given={"labels": labels, "ignore_index": -1},
        hint="use the parameter ignore_index; -100 is only its default",
    )
    gradient_reaches(masked_cross_entropy)


def mean_of(value: object) -> Tensor:
    """Take an answer for a mean loss, or say what it is."""
    require(
        not isinstance(value, float),
        "the loss is a tensor, so that training can follow it back",
        came=value,
        expected="a tensor without axes",
        hint=CUT,
    )
    return tensor_of(
        value, (), "none: it is one mean", hint="take the mean over pieces"
    )


def gradient_reaches(masked_cross_entropy: Callable) -> None:
    """See that the loss moves the labelled rows, and no other."""
    logits = ROWS.clone().requires_grad_()
    loss = masked_cross_entropy(logits, LABELS.clone())
    require(
        loss.requires_grad,
        "the loss has a gradient",
        came="a tensor without one",
        expected="a tensor that remembers how it was computed",
        hint=CUT,
    )
    loss.backward()
    agree(
        "a labelled row is moved by (share - 1 at its label) / 2, another not at all",
        logits.grad,
        [[0.125, -0.125], [-0.25, 0.25], [0.0, 0.0]],
        given={"labels": LABELS},
        hint="rows without a label must not reach the mean",
    )
