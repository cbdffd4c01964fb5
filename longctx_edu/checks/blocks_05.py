"""Checks of lesson 05: which keys a block of queries reads, and the mask inside."""

from collections.abc import Callable

import torch
from torch import Tensor

from longctx_edu.checks.ask import ask, on_error, shape_of, tensor_of
from longctx_edu.checks.compare import agree
from longctx_edu.checks.patterns_05 import OUTER, band_of
from longctx_edu.checks.plain import ask_plain, equal, numbers_of
from longctx_edu.checks.report import check

__all__ = ["check_band_mask", "check_key_range"]

ENDS = ["low", "high"]
ITSELF = "off by one: left counts without the query itself"

# block, size, n_token, left, right; answer; property; hint; misconceptions
RANGES = (
    (
        (3, 6, 60, 4, 2),
        (14, 26),
        "the queries 18 to 23 with left=4, right=2 read k[14:26]",
        "low = first query - left, high = one past the last query + right",
        [((14, 25), "high is one past the last key, as in k[low:high]"),
         ((14, 27), "off by one: the block ends before query 24, and 24 + 2 is 26"),
         ((13, 26), ITSELF), ((15, 26), ITSELF),
         ((14, 21), "this is the first query's range; the last query is 23"),
         ((18, 24), "these are the queries; their keys begin left before them"),
         ((14, 24), "the last query also looks right"),
         ((18, 26), "the first query also looks left"),
         ((16, 28), "left and right are swapped"),
         ((0, 11), "block 3 begins at query 3 * size, not at query 3"),
         ((-1, 11), "block 3 begins at query 3 * size, not at query 3"),
         ((10, 28), "twice as wide: left and right are one side each")],
    ),
    (
        (0, 6, 60, 4, 2),
        (0, 8),
        "the text begins at 0",
        "max(..., 0)",
        [((-4, 8), "a slice from -4 counts from the end: max(..., 0)"),
         ((0, 12), "high does not move when low is clipped")],
    ),
    (
        (9, 6, 60, 4, 2),
        (50, 60),
        "the text ends at n_token",
        "min(..., n_token)",
        [((50, 62), "there is no key 60: min(..., n_token)"),
         ((50, 59), "high is one past the last key, and that is n_token"),
         ((48, 60), "low does not move when high is clipped")],
    ),
)  # fmt: skip


@check("From left before the first query to right after the last, within the text.")
def check_key_range(key_range: Callable):
    """The block of the lesson, both ends of the text, a short last block."""

    def asked(*given: int) -> list[float]:
        return numbers_of(ask_plain(key_range, *given), ENDS)

    def named(*given: int) -> dict:
        names = ("block", "size", "n_token", "left", "right")
        return dict(zip(names, given, strict=True))

    for given, want, prop, hint, mistakes in RANGES:
        equal(
            prop,
            asked(*given),
            list(want),
            given=named(*given),
            hint=hint,
            mistakes=[(list(ends), words) for ends, words in mistakes],
        )
    for given in ((3, 6, 20, 4, 0), (0, 8, 5, 1, 1), (1, 4, 9, 0, 0), (2, 3, 7, 9, 9)):
        block, size, n, left, right = given
        rows = band_of(n, left, right)[block * size : (block + 1) * size]
        seen = rows.any(dim=0).nonzero().flatten().tolist()
        equal(
            "the last block may be short, and a window long",
            asked(*given),
            [seen[0], seen[-1] + 1],
            given=named(*given),
            hint="clip both ends to the text, 0 to n_token",
        )


@check("One mask serves all inner blocks: it knows distances, and no places.")
def check_band_mask(band_mask: Callable):
    """Three queries, other sides, one query; then blocks of a whole text's mask."""
    want = shifted(3, 2, 1)
    start = torch.arange(6) - torch.arange(3)[:, None]
    unshifted = (start >= -2) & (start <= 1)
    agree(
        "row i sees the keys i to i + left + right",
        band_asked(band_mask, 3, 2, 1),
        want,
        given={"size": 3, "left": 2, "right": 1},
        hint="key 0 stands left before query 0: its place is -left",
        mistakes=[
            (unshifted, "key 0 is not query 0: it stands left places before it"),
            (want.flip(0), "the band moves to the right from row to row"),
            (want.flip(1), "the band moves to the right from row to row"),
            (torch.ones(3, 6).tril(2).bool(), "the left end is missing: row 1 does "
             "not see key 0"),
            (torch.ones(3, 6).tril(3).bool(), "the left end is missing: row 1 does "
             "not see key 0"),
            (torch.ones(3, 6).triu().bool(), "the right end is missing"),
            (torch.ones(3, 6).bool(), "a block reads more keys than each query sees"),
            (~want, "True means: may look; this one marks what is hidden"),
            (want & ~shifted(3, 2, 1, only=0), "off by one: the keys lie from -left "
             "to +right, both included"),
            (want & ~shifted(3, 2, 1, only=3), "off by one: the keys lie from -left "
             "to +right, both included"),
            (want & ~shifted(3, 2, 1, only=2), "a query sees itself too"),
        ],
    )  # fmt: skip
    for given in ((4, 0, 2), (4, 3, 0), (1, 2, 2), (5, 1, 4), (2, 0, 0)):
        shown = dict(zip(("size", "left", "right"), given, strict=True))
        got = band_asked(band_mask, *given)
        agree("any size, any sides", got, shifted(*given), given=shown, hint="as above")
    got, whole = band_asked(band_mask, 4, 2, 3), band_of(40, 2, 3)
    for first in (4, 12, 32):
        piece = whole[first : first + 4, first - 2 : first + 7]
        agree("it is each block's piece of the whole", got, piece, hint="no places")


def shifted(size: int, left: int, right: int, only: int | None = None) -> Tensor:
    """Mark `left + 1 + right` keys a row, each row one further; or one key of them."""
    keys = range(left + 1 + right) if only is None else [only]
    mask = torch.zeros(size, left + size + right, dtype=torch.bool)
    for row in range(size):
        for key in keys:
            mask[row, row + key] = True
    return mask


def band_asked(answer: Callable, size: int, left: int, right: int) -> Tensor:
    """Ask for the mask of a block."""
    with on_error(OUTER):
        got = ask(answer, size, left, right)
    width = left + size + right
    hints = {
        (width, size): "is it the transpose? rows are queries, columns are keys",
        (
            size,
            size,
        ): "a block reads more keys than it has queries: left and right of it",
        (size, left + 1 + right): "the block reads left + size + right keys, not those "
        "of one query",
        (size, 2 * left + size + 2 * right): "twice as wide: one left, one right",
    }
    hint = hints.get(shape_of(got), "size queries, and left + size + right keys")
    return tensor_of(got, (size, width), "query key", dtype=torch.bool, hint=hint)
