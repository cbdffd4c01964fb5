"""Checks of lesson 06: a slope for each head, for any number of heads."""

from collections.abc import Callable

from torch import Tensor

from longctx_edu.checks.ask import ask, is_tensor
from longctx_edu.checks.plain import equal, is_number
from longctx_edu.checks.report import check, require

__all__ = ["check_slopes_of"]


def powers(*exponents: int | float) -> list[float]:
    """Return 2 to the power of minus each."""
    return [2.0**-e for e in exponents]


@check("A slope for each head, whatever their number.")
def check_slopes_of(slopes_of: Callable):
    """Eight heads, four heads, six heads; then one and twelve."""
    eight = powers(*range(1, 9))
    equal(
        "8 heads: 1/2, 1/4, ... 1/256",
        slopes_asked(slopes_of, 8),
        eight,
        given={"n_heads": 8},
        hint="head h, from 1, has 2 ** (-8 h / n_heads)",
        mistakes=[
            (powers(*range(8)), "the first slope is 1/2: heads count from 1 here"),
            (eight[::-1], "the first head is the short-sighted one: 1/2 comes first"),
            ([-slope for slope in eight], "slopes are positive; the penalty subtracts"),
            ([2.0**e for e in range(1, 9)], "slopes get smaller: the exponent is "
             "negative"),
            ([1 / h for h in range(1, 9)], "a geometric sequence: each half of the "
             "one before"),
        ],
    )  # fmt: skip
    equal(
        "4 heads end at 1/256 too",
        slopes_asked(slopes_of, 4),
        powers(2, 4, 6, 8),
        given={"n_heads": 4},
        hint="head h, from 1, has 2 ** (-8 h / n_heads)",
        mistakes=[
            (powers(1, 2, 3, 4), "the exponent is -8 h / n_heads: the last slope is "
             "1/256 for 4 heads as well"),
            (powers(0.5, 1, 1.5, 2), "8 is divided by n_heads, not the other way"),
        ],
    )  # fmt: skip
    six(slopes_of)


def six(slopes_of: Callable) -> None:
    """A number of heads that is no power of two."""
    want = powers(2, 4, 6, 8, 1, 3)
    equal(
        "6 heads: the four of 4 heads, then the first and the third of 8",
        slopes_asked(slopes_of, 6),
        want,
        given={"n_heads": 6},
        hint="the next lower power of two first, then every other slope of the next "
        "higher one",
        mistakes=[
            (powers(*(8 * h / 6 for h in range(1, 7))), "6 is no power of two: take "
             "4 heads, then every other of 8"),
            (powers(*range(1, 7)), "the lower power of two comes first: 4 heads"),
            (sorted(want, reverse=True), "the order is kept: first the four, then the "
             "others, not sorted"),
            (powers(2, 4, 6, 8, 2, 4), "every other slope of 8 begins with its first, "
             "1/2: the others are there already"),
            (powers(2, 4, 6, 8, 1, 2), "every other slope: 1/2, then 1/8, not 1/4, "
             "which is there already"),
            (powers(1, 3, 2, 4, 6, 8), "the lower power of two comes first"),
        ],
    )  # fmt: skip
    twelve = powers(*range(1, 9), 0.5, 1.5, 2.5, 3.5)
    for n_heads, slopes in ((1, powers(8)), (3, powers(4, 8, 2)), (12, twelve)):
        equal(
            "any number of heads",
            slopes_asked(slopes_of, n_heads),
            slopes,
            given={"n_heads": n_heads},
            hint="2 ** (n_heads.bit_length() - 1) is the lower power of two",
        )


def slopes_asked(answer: Callable, n_heads: int) -> list[float]:
    """Ask for slopes, as a list or as a tensor."""
    got = ask(answer, n_heads)
    if isinstance(got, Tensor):
        is_tensor(got)
        got = got.flatten()[: n_heads + 1].tolist()
    fine = isinstance(got, list | tuple) and all(map(is_number, got))
    require(
        fine and len(got) == n_heads,
        "the result is a list of slopes, one a head",
        given={"n_heads": n_heads},
        came=got if not fine else f"{len(got)} slopes",
        expected=f"{n_heads} numbers",
        hint="a function without return gives None: end it with return"
        if got is None
        else "every other slope of twice as many heads, and only as many as are missing"
        if fine
        else "a list or a tensor of plain numbers",
    )
    return [float(slope) for slope in got]
