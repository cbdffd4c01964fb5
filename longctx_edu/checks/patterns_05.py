"""Checks of lesson 05: who sees whom, as masks of a whole text."""

from collections.abc import Callable

import torch
from jaxtyping import Bool
from torch import Tensor

from longctx_edu.checks.ask import ask, on_error, tensor_of
from longctx_edu.checks.compare import agree
from longctx_edu.checks.report import check

__all__ = ["check_add_globals", "check_dilated_mask", "check_window_mask"]

SQUARE = "n_token tokens make n_token rows, and as many columns"
OUTER = (
    "a column of places beside a row of places makes the square: i[:, None] and i; "
    "& and | join bools, and each comparison stands in brackets"
)


def band_of(
    n: int, left: int, right: int, dilation: int = 1
) -> Bool[Tensor, "query key"]:
    """Mark the near keys of each query, one pair after the other.

    Example:
        >>> band_of(3, 1, 0).int().tolist()
        [[1, 0, 0], [1, 1, 0], [0, 1, 1]]
    """
    offsets = {dilation * step for step in range(-left, right + 1)}
    rows = [[key - query in offsets for key in range(n)] for query in range(n)]
    return torch.tensor(rows).reshape(n, n)


def mask_asked(answer: Callable, *given: int) -> Tensor:
    """Ask for a mask of so many tokens."""
    with on_error(OUTER):
        got = ask(answer, *given)
    return tensor_of(
        got, (given[0], given[0]), "query key", dtype=torch.bool, hint=SQUARE
    )


@check("A token sees left keys before it, right keys after it, and itself.")
def check_window_mask(window_mask: Callable):
    """Two keys before and none after, then different sides, then short texts."""
    want, itself = band_of(6, 2, 0), torch.eye(6).bool()
    agree(
        "left=2, right=0: two keys before the query, and itself",
        mask_asked(window_mask, 6, 2, 0),
        want,
        given={"n_token": 6, "left": 2, "right": 0},
        hint="compare key - query with -left and with right",
        mistakes=[
            (want & ~itself, "a query sees itself too: zero is included"),
            (want.mT, "is it the transpose? rows are queries, columns are keys"),
            (band_of(6, 1, 0), "off by one: left counts the keys before the query, "
             "without the query itself"),
            (band_of(6, 3, 0), "off by one, too wide: >= -left, not >= -left - 1"),
            (band_of(6, 4, 0), "twice as wide: left is one side, not half of it"),
            (band_of(6, 2, 2), "right has its own number; |key - query| <= left "
             "knows one number only"),
            (want & (torch.arange(6) > 1)[:, None], "a slice from a negative place "
             "counts from the end: max(query - left, 0)"),
            (band_of(6, 6, 0), "the left end is missing: -left <= key - query"),
            (~want, "True means: may look; this one marks what is hidden"),
        ],
    )  # fmt: skip
    want = band_of(7, 1, 2)
    agree(
        "left=1, right=2: the sides are independent",
        mask_asked(window_mask, 7, 1, 2),
        want,
        given={"n_token": 7, "left": 1, "right": 2},
        hint="-left <= key - query <= right",
        mistakes=[
            (want.mT, "left and right are swapped: before the query is left"),
            (band_of(7, 1, 0), "right is forgotten: nobody sees what comes after"),
            (band_of(7, 1, 1), "right has its own number"),
            (band_of(7, 2, 2), "left and right each have their own number"),
            (band_of(7, 2, 4), "twice as wide: left and right are one side each"),
            (band_of(7, 1, 3), "off by one: right counts without the query itself"),
            (band_of(7, 1, 7), "the right end is missing: key - query <= right"),
        ],
    )  # fmt: skip
    for given in ((1, 3, 3), (3, 9, 9), (4, 0, 0)):
        want = band_of(*given)
        shown = dict(zip(("n_token", "left", "right"), given, strict=True))
        got = mask_asked(window_mask, *given)
        agree("the text may end sooner", got, want, given=shown, hint="no case needed")


@check("Dilation keeps the number of keys and stretches their distance.")
def check_dilated_mask(dilated_mask: Callable):
    """Every second token, then every third with other sides, then dilation 1."""
    want = band_of(9, 2, 1, 2)
    every = torch.tensor([[key % 2 == 0 for key in range(9)]] * 9)
    agree(
        "left=2, right=1, dilation=2: the keys -4, -2, 0 and +2",
        mask_asked(dilated_mask, 9, 2, 1, 2),
        want,
        given={"n_token": 9, "left": 2, "right": 1, "dilation": 2},
        hint="from -left * dilation to right * dilation, and only every second",
        mistakes=[
            (band_of(9, 1, 0, 2), "the reach grows: left counts keys, so they lie up "
             "to left * dilation away"),
            (band_of(9, 4, 2), "no holes yet: only where (key - query) % dilation "
             "is 0"),
            (band_of(9, 2, 1), "this is the window without dilation"),
            (band_of(9, 4, 2) & every, "count from the query, not from the beginning "
             "of the text: (key - query) % dilation"),
            (band_of(9, 4, 2) & every.mT, "count from the query, not from the "
             "beginning of the text: (key - query) % dilation"),
            (band_of(9, 2, 0, 2), "right is stretched as well: right * dilation"),
            (band_of(9, 1, 1, 2), "left is stretched as well: left * dilation"),
            (want.mT, "is it the transpose? key - query, not query - key"),
            (band_of(9, 2, 1, 3), "dilation 2 is every second key, one left out "
             "between: a step of 2, not of 3"),
        ],
    )  # fmt: skip
    for given in ((10, 1, 2, 3), (5, 1, 1, 1), (4, 2, 2, 9)):
        names = ("n_token", "left", "right", "dilation")
        agree(
            "any sides, any dilation",
            mask_asked(dilated_mask, *given),
            band_of(*given),
            given=dict(zip(names, given, strict=True)),
            hint="the offset is a multiple of dilation, within both ends",
        )


@check("Global tokens see all and are seen by all; nothing else changes.")
def check_add_globals(add_globals: Callable):
    """Five tokens that see themselves, the second global; then two in a window."""
    mask, flags = torch.eye(5).bool(), torch.arange(5) == 1
    row, column = flags[:, None].expand(5, 5), flags.expand(5, 5)
    got = globals_asked(add_globals, mask, flags)
    agree(
        "token 1 has a whole row and a whole column",
        got,
        mask | row | column,
        given={"mask": mask, "flags": flags},
        hint="mask | row | column: flags as a column beside flags as a row",
        mistakes=[
            (mask | column, "they are seen by all, and see all as well: the row "
             "is missing"),
            (mask | row, "they see all, and are seen by all: the column is missing"),
            (row | column, "the mask is lost: the other tokens still see their own"),
            (mask | row & column, "a row *or* a column: | between them, not &"),
            (mask ^ (row | column), "^ takes back what was there already: use |"),
            (mask & (row | column), "global tokens add pairs: |, not &"),
            (mask | ~row | ~column, "the flags are turned round: True is global"),
        ],
    )  # fmt: skip
    mask, flags = band_of(6, 1, 0), torch.tensor([0, 0, 1, 0, 0, 1]).bool()
    agree(
        "several may be global, and a square that was dark stays dark",
        globals_asked(add_globals, mask, flags),
        mask | flags[:, None] | flags,
        given={"mask": mask, "flags": flags},
        hint="take all flags, wherever they stand",
        mistakes=[
            (mask | row_of(6, 2), "all global tokens count, not only the first"),
            (mask ^ (flags[:, None] | flags), "^ takes back what was there: use |"),
        ],
    )
    nobody = torch.zeros(6).bool()
    got = globals_asked(add_globals, mask, nobody)
    agree("without global tokens nothing changes", got, mask, hint="no case needed")


def globals_asked(answer: Callable, mask: Tensor, flags: Tensor) -> Tensor:
    """Ask for a mask with global tokens."""
    with on_error(OUTER):
        got = ask(answer, mask, flags)
    return tensor_of(got, tuple(mask.shape), "query key", dtype=torch.bool, hint=SQUARE)


def row_of(n: int, place: int) -> Tensor:
    """Mark one row and one column."""
    here = torch.arange(n) == place
    return here[:, None] | here
