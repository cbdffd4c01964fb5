"""Checks of lesson 08 on what holds a training in hand: clipping, rate, dropout."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from longctx_edu.checks.ask import ask, is_tensor, same, tensor_of
from longctx_edu.checks.compare import agree, close, likely
from longctx_edu.checks.oracles import drawn
from longctx_edu.checks.plain import ask_plain, equal, list_of, numbers_of, on_kind
from longctx_edu.checks.report import check, require

__all__ = ["check_clipped", "check_drop", "check_share_of_peak"]

# Squares of 1, 4, 4 and 16: a length of 5.
PIECES = [torch.tensor([1.0, 2.0]), torch.tensor([[2.0, 4.0]])]
WHOLE = torch.tensor([1.0, 2.0, 2.0, 4.0])


@check("One length for all pieces, one factor, and the direction stays.")
def check_clipped(clipped: Callable):
    """Two pieces of length 5 in all: too long, short enough, another limit, zeros."""
    alone = torch.cat([p.flatten() / p.norm() for p in PIECES])
    agree(
        "a gradient of length 5 with a limit of 1 is divided by 5",
        clipped_flat(clipped, PIECES, 1.0),
        WHOLE / 5,
        given={"gradients": "[1 2] and [[2 4]]", "max_norm": 1.0},
        hint="the root of the sum of all squares, of all pieces together",
        mistakes=[
            (alone, "each piece was clipped alone: the pieces are one gradient"),
            (WHOLE.clamp(max=1.0), "each number was cut: that turns the direction"),
            (WHOLE / 25, "the root is missing: the length is sqrt of the squares' sum"),
            (WHOLE / 9, "the length is the root of squares, not the sum of sizes"),
            (WHOLE / 4, "the length is the root of squares, not the largest number"),
            (WHOLE / (math.sqrt(5) + math.sqrt(20)), "lengths of pieces do not add up, "
             "squares do"),
            (WHOLE, "nothing was clipped"),
        ],
    )  # fmt: skip
    agree(
        "a gradient that is short enough stays as it is",
        clipped_flat(clipped, PIECES, 10.0),
        WHOLE,
        given={"gradients": "[1 2] and [[2 4]]", "max_norm": 10.0},
        hint="only shorten: the factor is at most 1",
        mistakes=[
            (WHOLE * 2, "a short gradient was made longer: at most a factor of 1")
        ],
    )
    agree(
        "with a limit of 2 the length is 2",
        clipped_flat(clipped, PIECES, 2.0),
        WHOLE * 0.4,
        given={"gradients": "[1 2] and [[2 4]]", "max_norm": 2.0},
        hint="the factor is max_norm / norm",
        mistakes=[(WHOLE / 5, "the length became 1, not max_norm: max_norm / norm")],
    )
    agree(
        "a gradient of zeros stays",
        clipped_flat(clipped, [torch.zeros(2), torch.zeros(1, 2)], 1.0),
        torch.zeros(4),
        given={"gradients": "[0 0] and [[0 0]]", "max_norm": 1.0},
        hint="0 / 0 is nan: divide only where the norm is over the limit",
    )


def clipped_flat(clipped: Callable, pieces: list[Tensor], max_norm: float) -> Tensor:
    """Ask for clipped pieces, and lay their numbers in a row."""
    copies = [piece.clone() for piece in pieces]
    with on_kind(ZeroDivisionError, "0 / 0: divide only where the norm is over it"):
        came = list_of(clipped(copies, max_norm), "tensors")
    require(
        all(same(a, b) for a, b in zip(pieces, copies, strict=True)),
        "the gradients that came stay as they are",
        came=torch.cat([copy.flatten() for copy in copies]),
        expected=torch.cat([piece.flatten() for piece in pieces]),
        hint="g *= factor writes into the caller's tensor; factor * g makes a new one",
    )
    for part in came:
        is_tensor(part)
    require(
        [part.shape for part in came] == [piece.shape for piece in pieces],
        "as many tensors come back, of the same shapes",
        came=str([tuple(part.shape) for part in came]),
        expected=str([tuple(piece.shape) for piece in pieces]),
        hint="one factor for all, one new tensor for each",
    )
    return torch.cat([part.flatten() for part in came])


QUARTER = (1 + math.cos(math.pi / 4)) / 2
LATE = [(1 + math.cos(math.pi * n / 6)) / 2 for n in (2, 3, 4, 5)]
MISTIMED = [
    ([0.0, 0.5, 1.0, QUARTER, 0.5, 1 - QUARTER],
     "the first step stands still: step + 1"),
    ([0.5, 1.0, 1.0, 0.75, 0.5, 0.25], "this is a straight line: bend it with cos"),
    ([0.5, 1.0, 1.0, 0.5, 0.0, 0.5], "half a wave, from 0 to pi: not 2 pi"),
    ([0.5, 1.0, *(math.cos(math.pi / 2 * n / 4) for n in range(4))],
     "half a wave, from 0 to pi: this is a quarter"),
    ([0.5, 1.0, *(math.cos(math.pi * n / 4) for n in range(4))],
     "the cosine goes from 1 to -1: shift and halve it, (1 + cos) / 2"),
    ([0.5, 1.0, *((1 - math.cos(math.pi * n / 4)) / 2 for n in range(4))],
     "it falls: 1 + cos, not 1 - cos"),
    ([0.5, 1.0, *LATE],
     "the fall begins behind the warm-up: (step - warmup) / (total - warmup)"),
    ([1.0, QUARTER, 0.5, 1 - QUARTER, 0.0, 0.0], "during the warm-up it rises"),
    ([0.5, 1.0, 1.0, 1.0, 1.0, 1.0], "after the warm-up it falls"),
]  # fmt: skip


@check("Up in equal parts, down along half a cosine, and 0 from the end on.")
def check_share_of_peak(share_of_peak: Callable):
    """Six steps with a warm-up of two; without one; beyond the end."""
    zero = "warmup=0 means no rise: the first step takes the whole peak"

    def shares(steps: range, total: int, warmup: int) -> list[float]:
        return [
            numbers_of(ask_plain(share_of_peak, s, total, warmup), ["the share"])[0]
            for s in steps
        ]

    equal(
        "with 6 steps and a warm-up of 2: two up, four down",
        shares(range(6), 6, 2),
        [0.5, 1.0, 1.0, QUARTER, 0.5, 1 - QUARTER],
        given={"step": "0, 1, 2, 3, 4, 5", "total": 6, "warmup": 2},
        hint="two cases: (step + 1) / warmup, then (1 + cos(pi * done)) / 2",
        mistakes=MISTIMED,
    )
    with on_kind(ZeroDivisionError, zero):
        equal(
            "without a warm-up it falls from the first step",
            shares(range(4), 4, 0),
            [1.0, QUARTER, 0.5, 1 - QUARTER],
            given={"step": "0, 1, 2, 3", "total": 4, "warmup": 0},
            hint=zero,
        )
    equal(
        "at the end and after it the share is 0",
        shares(range(4, 8), 4, 1),
        [0.0, 0.0, 0.0, 0.0],
        given={"step": "4, 5, 6, 7", "total": 4, "warmup": 1},
        hint="a cosine rises again behind its half: done is at most 1",
    )


@check("A share is lost, each number on its own, and the mean stays.")
def check_drop(drop: Callable):
    """What is lost, what the others become, whose luck it is; in use nothing."""
    x = drawn(200, 50).abs() + 0.1
    given = {"x": "200 rows of 50 numbers", "share": 0.25, "training": True}
    got = dropped(drop, x)
    lost = (got == 0).double()
    need_share(lost, given)
    want = torch.where(got == 0, 0.0, x / 0.75)
    few = (slice(0, 1), slice(0, 6))
    require(
        close(got, want),
        "what is not lost grows, so that the mean stays",
        given={**given, "x": x[few]},
        came=got[few],
        expected=want[few],
        hint=likely(
            got,
            [
                (want * 0.75, "what is left must grow: / (1 - share)"),
                (want * 0.75**2, "divide by 1 - share, do not multiply"),
                (want * 3, "divide by what is left, 1 - share, not by what is lost"),
            ],
            "divide by the share that is left, 1 - share",
        ),
    )
    generator = torch.Generator().manual_seed(0)
    first, second = (ask(drop, x, 0.25, True, generator) for _ in range(2))
    require(
        not same(first, second),
        "another call loses other numbers",
        came="the same numbers twice",
        expected="the generator goes on",
        hint="no seed inside: draw from the generator as it stands",
    )
    require(
        same(dropped(drop, x), got),
        "the same seed loses the same numbers",
        came="other numbers",
        expected="the same",
        hint="draw from the generator that is given: generator=generator",
    )
    used = ask(drop, x, 0.25, False, torch.Generator())
    agree(
        "in use nothing is lost and nothing grows",
        tensor_of(used, (200, 50), "token feature"),
        x,
        given={**given, "training": False},
        hint="without training, return x before anything is drawn",
        mistakes=[(x * 0.75, "the scaling is done in training: in use return x")],
    )


def dropped(drop: Callable, x: Tensor) -> Tensor:
    """Ask for a quarter to be lost, always by the same luck."""
    came = ask(drop, x, 0.25, True, torch.Generator().manual_seed(0))
    return tensor_of(came, tuple(x.shape), "token feature")


def need_share(lost: Tensor, given: dict) -> None:
    """Hold that each number is lost on its own, and how many are lost in all."""
    for axis, name in ((1, "row"), (0, "column")):
        require(
            lost.mean(dim=axis).max() < 1,
            "each number is lost on its own",
            given=given,
            came=f"a {name} that is lost whole",
            expected="about 0.25 of each row and column",
            hint="draw one number for each number of x: torch.rand(x.shape, ...)",
        )
    share = lost.mean().item()
    hints = {0.75: "share is what is lost, not what is kept", 0.0: "nothing was lost"}
    near = [words for at, words in hints.items() if abs(share - at) < 0.03]
    require(
        abs(share - 0.25) < 0.03,
        "a quarter of the numbers is lost",
        given=given,
        came=f"{share:.2f} lost",
        expected="0.25 lost",
        hint=near[0] if near else "keep where a number drawn from 0 to 1 is >= share",
    )
