"""Checks of lesson 05: how many pairs a window has, and who hears of whom."""

from collections.abc import Callable

import torch
from torch import Tensor

from longctx_edu.checks.ask import ask, on_error, tensor_of
from longctx_edu.checks.compare import agree
from longctx_edu.checks.largest import largest_tensor
from longctx_edu.checks.patterns_05 import band_of
from longctx_edu.checks.plain import ask_plain, equal, numbers_of
from longctx_edu.checks.report import check, require

__all__ = ["check_band_pairs", "check_heard_after"]

PAIRS = ["the number of pairs"]
STICKS_OUT = "the ends of the text: what sticks out there does not count"
ITSELF = "a query sees itself too: left + 1 + right keys"

# n_token, left, right; property; hint; what misconceptions give
WINDOWS = (
    (
        (5, 1, 1),
        "5 tokens, one neighbour on each side: 3 rows of 3 and 2 rows of 2",
        "n_token rows of left + 1 + right, less what sticks out at both ends",
        [(15, STICKS_OUT), (8, ITSELF), (10, ITSELF),
         (14, "both ends: the first row lacks a left key, the last a right one"),
         (25, "this is full attention"),
         (11, "each end lacks 1 pair here, not 2")],
    ),
    (
        (10, 3, 1),
        "10 tokens, left=3: the first rows lack 3, 2 and 1 keys",
        "a triangle on the left of 3 + 2 + 1, one on the right of 1",
        [(50, STICKS_OUT),
         (46, "a triangle, not one side: 3 + 2 + 1 keys are missing"),
         (40, "half of left * (left + 1), and itself: 3 + 2 + 1, not 3 * 3"),
         (36, "half of left * (left + 1): 3 + 2 + 1, not 3 * 4"),
         (47, "half of left * (left + 1), not half of left * (left - 1)"),
         (58, "right has its own number"),
         (28, "left has its own number"),
         (44, "the right end lacks keys too"),
         (49, "the left end lacks keys too"),
         (33, ITSELF)],
    ),
)  # fmt: skip


def counted(n: int, left: int, right: int) -> int:
    """Count the pairs row by row.

    Example:
        >>> counted(5, 1, 1), counted(3, 9, 9)
        (13, 9)
    """
    rows = range(n)
    return sum(min(left, row) + 1 + min(right, n - 1 - row) for row in rows)


@check("So many keys a row, less two triangles: linear in the text.")
def check_band_pairs(band_pairs: Callable):
    """Five tokens, different sides, windows longer than the text; no square."""

    def asked(*given: int) -> list[float]:
        return numbers_of(ask_plain(band_pairs, *given), PAIRS)

    for given, prop, hint, mistakes in WINDOWS:
        equal(
            prop,
            asked(*given),
            [counted(*given)],
            given=dict(zip(("n_token", "left", "right"), given, strict=True)),
            hint=hint,
            mistakes=[([number], words) for number, words in mistakes],
        )
    for given in ((3, 9, 9), (4, 9, 0), (6, 0, 5), (1, 2, 2), (7, 0, 0), (4, 3, 3)):
        equal(
            "a window longer than the text sees the whole text",
            asked(*given),
            [counted(*given)],
            given=dict(zip(("n_token", "left", "right"), given, strict=True)),
            hint="no side is longer than n_token - 1: min(left, n_token - 1)",
        )
    want = [counted(2000, 16, 8)]
    equal("2,000 tokens", asked(2000, 16, 8), want, hint="any length")
    largest = largest_tensor(band_pairs, 2000, 16, 8)
    require(
        largest <= 20_000,
        "counting forms no square",
        given={"n_token": 2000, "left": 16, "right": 8},
        came=f"a tensor of {largest} numbers",
        expected="no tensor at all, or one that grows with the text",
        hint="dense in disguise: three numbers are enough for a formula",
    )


@check("After L layers a token hears along ways of L steps.")
def check_heard_after(heard_after: Callable):
    """A window to the left, no layer, a circle, and more ways than fit a number."""
    mask = band_of(6, 1, 0)
    product = mask.int() @ mask.int()
    agree(
        "left=1, two layers: two tokens back",
        heard_asked(heard_after, mask, 2),
        band_of(6, 2, 0),
        given={"mask": mask, "n_layers": 2},
        hint="(mask.int() @ hears.int()) > 0, once a layer",
        mistakes=[
            (mask, "nothing was added: @ is the matrix product; * and ** work on "
             "each square alone"),
            (band_of(6, 3, 0), "one layer too many: the first layer is the mask "
             "itself"),
            (band_of(6, 2, 0).mT, "is it the transpose? rows are queries"),
            (band_of(6, 2, 2), "the ways have a direction: mask @ mask, not its "
             "transpose"),
            (band_of(6, 1, 1), "the ways have a direction: mask @ mask, not its "
             "transpose"),
            (product == 1, "one way is enough, and so are two: > 0, not == 1"),
            (product > 1, "one way is enough: > 0, not > 1"),
        ],
    )  # fmt: skip
    own_steps(heard_after, mask)
    full = torch.ones(4, 4).bool()
    agree(
        "100 layers of full attention hear all",
        heard_asked(heard_after, full, 100),
        full,
        given={"mask": full, "n_layers": 100},
        hint="there are 4 to the power of 99 ways, more than a number holds: make "
        "bools of them after each layer",
    )


def own_steps(heard_after: Callable, mask: Tensor) -> None:
    """No layer at all, and tokens that do not look at themselves."""
    agree(
        "without a layer a token knows itself only",
        heard_asked(heard_after, mask, 0),
        torch.eye(6),
        given={"mask": mask, "n_layers": 0},
        hint="start with torch.eye(...), and multiply once a layer",
        mistakes=[(mask, "the start is one layer too far: begin with torch.eye(...)")],
    )
    circle = torch.eye(5).roll(1, dims=1).bool()
    agree(
        "in a circle, where each sees the next alone, two layers are two steps",
        heard_asked(heard_after, circle, 2),
        circle.roll(1, dims=1),
        given={"mask": circle, "n_layers": 2},
        hint="only ways of exactly n_layers steps count",
        mistakes=[
            (circle | circle.roll(1, dims=1), "a token that does not look at itself "
             "forgets itself: no | with the layer before"),
            (circle | circle.roll(1, dims=1) | torch.eye(5).bool(), "a token that "
             "does not look at itself forgets itself: no | with the layer before"),
            (circle.roll(-2, dims=1) | circle.roll(1, dims=1), "the ways have a "
             "direction"),
        ],
    )  # fmt: skip


def heard_asked(answer: Callable, mask: Tensor, n_layers: int) -> Tensor:
    """Ask who hears of whom."""
    with on_error("torch multiplies no matrices of bools: mask.int() or mask.float()"):
        try:
            got = ask(answer, mask, n_layers)
        except NotImplementedError as error:
            if not str(error):
                raise
            # The words are torch's: a stub that waits for its learner has none.
            raise RuntimeError(str(error)).with_traceback(error.__traceback__) from None
    return tensor_of(got, tuple(mask.shape), "query key", dtype=torch.bool)
