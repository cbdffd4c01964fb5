"""The check of lesson 10 on pairs of a window with global tokens."""

from collections.abc import Callable, Sequence

from longctx_edu.checks.plain import ask_plain, equal, numbers_of
from longctx_edu.checks.report import check

__all__ = ["check_pairs_with_globals"]


def slow_pairs(n: int, side: int, places: Sequence[int]) -> int:
    """Count squares one by one."""
    return sum(
        abs(query - key) <= side or query in places or key in places
        for query in range(n)
        for key in range(n)
    )


def pairs_of_mistakes(n: int, side: int, places: Sequence[int]) -> list:
    """Say what known misconceptions count, each with its hint."""
    window = slow_pairs(n, side, ())
    many = len(places)
    return [
        (
            window + 2 * many * n,
            "what the window has, and the crossing, is counted twice: each pair once",
        ),
        (window, "the places open rows and columns of their own"),
        (
            window + sum(abs(i - j) > side for i in range(n) for j in places),
            "a global token sees all and is seen by all: a row and a column",
        ),
        (
            n * (2 * side + 1),
            "the window is cut at both ends of the text",
        ),
        (
            window + 2 * many * n - many * many,
            "squares that the window has already are not added again",
        ),
        (
            window + 2 * many * (n - 2 * side - 1),
            "two global tokens cross twice, and windows are cut at the ends",
        ),
    ]


# n, side, places, property
COUNTED = (
    (6, 1, (), "without places: the window, cut at both ends"),
    (9, 0, (4,), "one place and no window: a row, a column, the diagonal"),
    (12, 2, (5,), "one place: its row and column, less what the window has"),
    (12, 1, (2, 8), "two places: their rows and columns cross twice"),
    (12, 2, (0, 1, 11), "places at the ends and side by side"),
    (5, 9, (0, 3), "a window wider than the text leaves nothing to add"),
)


@check("Each pair once: windows, rows, columns, and no crossing twice.")
def check_pairs_with_globals(pairs_with_globals: Callable):
    """Window, row and column, overlaps, ends; then a text too long for a square."""
    for n, side, places, prop in COUNTED:
        got = ask_plain(pairs_with_globals, n, side, list(places))
        want = slow_pairs(n, side, places)
        equal(
            prop,
            numbers_of(got, ["the pairs"])[0],
            float(want),
            given={"n": n, "side": side, "places": repr(list(places))},
            hint="count for one query: its window, and the places outside of it",
            mistakes=pairs_of_mistakes(n, side, places),
        )
