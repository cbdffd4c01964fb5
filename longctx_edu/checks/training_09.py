"""Checks of lesson 09: how fast, and when to stop."""

from collections.abc import Callable

import torch

from longctx_edu.checks.plain import ask_plain, equal, numbers_of, on_kind
from longctx_edu.checks.report import check

__all__ = ["check_rate_at", "check_stop_at"]

MISTIMED = [
    (
        [0.0, 0.5, 1.0, 0.75, 0.5, 0.25],
        "the first step would not move: step + 1",
    ),
    ([0.5, 1.0, 1.0, 1.0, 1.0, 1.0], "after the warm-up it falls"),
    ([1.0, 1.0, 1.0, 0.75, 0.5, 0.25], "during the warm-up it rises"),
    (
        [0.5, 1.0, 4 / 6, 3 / 6, 2 / 6, 1 / 6],
        "the fall begins at 1, behind the warm-up: divide by total - warmup",
    ),
    (
        [0.5, 1.0, 0.75, 0.5, 0.25, 0.0],
        "at step = warmup the share is still 1: it reaches 0 at step = total",
    ),
    ([0, 1, 1, 0, 0, 0], "// throws the fraction away: /"),
    ([0.5, 1.0, 2.0, 1.5, 1.0, 0.5], "the fall starts from the peak, from 1"),
]


@check("Up in equal parts, down in a straight line, and never below 0.")
def check_rate_at(rate_at: Callable):
    """Six steps with a warm-up of two; without one; beyond the end."""
    steps = ["the share of the peak"]
    zero = "warmup=0 means no rise: the first step takes the whole peak"

    def rates(count: int, total: int, warmup: int) -> list[float]:
        return [
            numbers_of(ask_plain(rate_at, step, total, warmup), steps)[0]
            for step in range(count)
        ]

    equal(
        "with 6 steps and a warm-up of 2: two up, four down",
        rates(6, 6, 2),
        [0.5, 1.0, 1.0, 0.75, 0.5, 0.25],
        given={"step": "0, 1, 2, 3, 4, 5", "total": 6, "warmup": 2},
        hint="two cases: (step + 1) / warmup, then what is left of the fall",
        mistakes=MISTIMED,
    )
    with on_kind(ZeroDivisionError, zero):
        equal(
            "without a warm-up it falls from the first step",
            rates(4, 4, 0),
            [1.0, 0.75, 0.5, 0.25],
            given={"step": "0, 1, 2, 3", "total": 4, "warmup": 0},
            hint=zero,
        )
    equal(
        "at the end and after it the rate is 0",
        rates(6, 4, 1)[4:],
        [0.0, 0.0],
        given={"step": "4, 5", "total": 4, "warmup": 1},
        hint="a negative rate would climb the loss: max(0.0, ...)",
    )


# scores, patience, property, hint, what misconceptions give
STOPS = (
    (
        [0.5, 0.7, 0.6, 0.65, 0.6, 0.9],
        2,
        "after 2 epochs without a better score it stops: the 0.9 is never trained",
        "compare with the best so far, after each epoch",
        [
            ((6, 6), "it looked ahead, or forgot the best: 0.65 does not beat 0.7"),
            ((6, 4), "the best is taken from the scores it has seen, the first four"),
            ((1, 3), "count epochs from 1"),
            ((2, 3), "patience is 2: two epochs in a row, not one"),
            ((2, 5), "patience is 2: stop after the second, not the third"),
            ((4, 2), "the best epoch comes first, then the last"),
            ((4, 4), "the best epoch, not the last one, is kept"),
        ],
    ),
    (
        [0.5, 0.5, 0.5],
        2,
        "an equal score does not beat the best",
        "an equal score is no progress: >, not >=",
        [],
    ),
    (
        [0.1, 0.2, 0.15, 0.3, 0.25, 0.4],
        2,
        "a better score sets the patience back",
        "start counting anew at every new best: in a row",
        [],
    ),
    (
        [0.3, 0.2, 0.1],
        2,
        "the first epoch can be the best",
        "begin with the first score as the best; a start of 0 or 2 hides it",
        [],
    ),
    (
        [-0.9, -0.5, -0.7],
        5,
        "where patience lasts, the last epoch is the last one there is",
        "any score can be a best, also one below 0; at the end return len(scores)",
        [],
    ),
)


@check("It stops after so many epochs in a row without a better score.")
def check_stop_at(stop_at: Callable):
    """One case for each way to get it wrong, then many scores."""
    names = ["the best epoch", "the last epoch"]
    for scores, patience, prop, hint, mistakes in STOPS:
        equal(
            prop,
            numbers_of(ask_plain(stop_at, scores, patience), names),
            slow_stop(scores, patience),
            given={"scores": scores, "patience": patience},
            hint=hint,
            mistakes=mistakes,
        )
    for seed in range(20):
        scores = torch.rand(8, generator=torch.Generator().manual_seed(seed))
        few = [round(score, 1) for score in scores.tolist()]
        equal(
            "any scores",
            numbers_of(ask_plain(stop_at, few, 1 + seed % 3), names),
            slow_stop(few, 1 + seed % 3),
            given={"scores": few, "patience": 1 + seed % 3},
            hint="go through it with a pencil: which is the best after each epoch?",
        )


def slow_stop(scores: list[float], patience: int) -> list[int]:
    """Try every end: the first whose last `patience` scores do not beat the rest."""
    for last in range(patience + 1, len(scores) + 1):
        before, recent = scores[: last - patience], scores[last - patience : last]
        if max(recent) <= max(before):
            return [1 + before.index(max(before)), last]
    return [1 + scores.index(max(scores)), len(scores)]
