"""Checks of lesson 06: scores by distance, moved under their keys or subtracted."""

from collections.abc import Callable

import torch
from torch import Tensor

from longctx_edu.checks.ask import ask, on_error, tensor_of
from longctx_edu.checks.compare import agree
from longctx_edu.checks.report import check

__all__ = ["check_penalty", "check_under_the_keys"]

LAST = "the last query stands at the last key: its place is n_key - n_query + row"


def numbered(n_query: int, n_key: int) -> Tensor:
    """Give each row its tens and each distance, from n_key - 1 down, its ones.

    Example:
        >>> numbered(2, 3).int().tolist()
        [[3, 2, 1], [13, 12, 11]]
    """
    rows = 10.0 * torch.arange(n_query)[:, None]
    return rows + torch.arange(n_key, 0, -1)


def slow_shift(by_distance: Tensor, n_key: int, first: int | None = None) -> Tensor:
    """Look the column of each distance up, pair by pair; later keys get 0."""
    n_query = len(by_distance)
    first = n_key - n_query if first is None else first
    out = torch.zeros(n_query, n_key)
    for row in range(n_query):
        for key in range(min(first + row + 1, n_key)):
            out[row, key] = by_distance[row, n_key - 1 - (first + row - key)]
    return out


def read_on(by_distance: Tensor) -> Tensor:
    """Shift as the paper's own code does: later keys hold numbers of the next row."""
    n_query, n_key = by_distance.shape
    padded = torch.cat([torch.zeros(n_query, 1), by_distance], dim=1)
    return padded.reshape(n_key + 1, n_query)[1:].reshape(n_query, n_key)


def rolled(by_distance: Tensor) -> Tensor:
    """Push what falls out on the left back in on the right."""
    n = len(by_distance)
    return torch.stack([row.roll(i + 1 - n) for i, row in enumerate(by_distance)])


def shift_asked(answer: Callable, by_distance: Tensor, n_key: int) -> Tensor:
    """Ask for scores under their keys."""
    with on_error("column n_key - 1 - distance holds a distance; none is below 0"):
        got = ask(answer, by_distance, n_key)
    return tensor_of(got, (len(by_distance), n_key), "query key")


@check("Each score stands under its key, and none under a key that comes later.")
def check_under_the_keys(under_the_keys: Callable):
    """Three queries and keys, then fewer queries than keys."""
    rows = numbered(3, 3)
    want = slow_shift(rows, 3)
    agree(
        "three queries: the columns hold distance 2, 1, 0; each row moves to its keys",
        shift_asked(under_the_keys, rows, 3),
        want,
        given={"by_distance": rows, "n_key": 3},
        hint="row i and key j take column n_key - 1 - (i - j), where j <= i",
        mistakes=[
            (rows, "nothing moved: column 0 holds the largest distance, not key 0"),
            (rows.flip(1), "column c turned into key c: each row must move by its own "
             "number of places"),
            (rows.flip(1).tril(), "key j took distance j: it lies i - j before query "
             "i"),
            (rows.tril(), "the mask came, the move did not: row 0 and key 0 are at "
             "distance 0, the last column"),
            (rolled(rows), "what fell out came back on the other side: keys after the "
             "query get 0"),
            (read_on(rows), "keys after the query hold numbers of the next row, as in "
             "the paper's own code: set them to 0"),
            (want.mT, "is it the transpose? rows are queries, columns are keys"),
            (want.flip(0), "the last row stays where it is, and the first moves most"),
        ],
    )  # fmt: skip
    rows = numbered(2, 4)
    agree(
        "two queries at the end of four keys",
        shift_asked(under_the_keys, rows, 4),
        slow_shift(rows, 4),
        given={"by_distance": rows, "n_key": 4},
        hint=LAST,
        mistakes=[
            (slow_shift(rows, 4, first=0), LAST + ", not row"),
            (rolled(rows), "what fell out came back on the other side: keys after the "
             "query get 0"),
        ],
    )  # fmt: skip
    for n_query, n_key in ((1, 1), (1, 5), (5, 5), (3, 7)):
        rows = numbered(n_query, n_key)
        agree(
            "any number of queries and keys",
            shift_asked(under_the_keys, rows, n_key),
            slow_shift(rows, n_key),
            given={"by_distance": rows, "n_key": n_key},
            hint=LAST,
        )


@check("Each token of distance costs a slope, in every head its own.")
def check_penalty(penalty: Callable):
    """Two heads, three queries at the end of five keys, then as many as keys."""
    slopes, far = torch.tensor([1.0, 0.5]), apart(3, 5)
    each = slopes[:, None, None]
    agree(
        "minus slope times distance, for three queries at the end of five keys",
        penalty_asked(penalty, slopes, 3, 5),
        -each * far.abs(),
        given={"slopes": slopes, "n_query": 3, "n_key": 5},
        hint="the distance is |query's place - key's place|",
        mistakes=[
            (each * far.abs(), "a penalty is subtracted: far keys get less"),
            (-each * far, "the distance has no sign: .abs(); keys after the query are "
             "no gain"),
            (each * far, "the distance has no sign: minus slope times .abs()"),
            (-each * far.clamp(min=0), "keys after the query cost as well: .abs(); "
             "a decoder hides them anyway"),
            (-each * apart(3, 5, first=0).abs(), LAST + ", not row"),
            (-each * (far.abs() + 1), "the distance to itself is 0"),
            (-each * far**2, "the distance itself, not its square"),
            (-far.abs().expand(2, 3, 5), "the slopes are missing: each head has its "
             "own"),
            (-each.flip(0) * far.abs(), "the heads are turned round: slopes[0] is "
             "that of head 0"),
            ((-each * far.abs()).exp(), "a bias is added before the softmax: no exp"),
        ],
    )  # fmt: skip
    for slopes, n_query, n_key in (
        (torch.tensor([0.25]), 4, 4),
        (torch.tensor([2.0, 1.0, 0.5]), 1, 6),
    ):
        agree(
            "any number of heads, queries and keys",
            penalty_asked(penalty, slopes, n_query, n_key),
            -slopes[:, None, None] * apart(n_query, n_key).abs(),
            given={"slopes": slopes, "n_query": n_query, "n_key": n_key},
            hint=LAST,
        )


def apart(n_query: int, n_key: int, first: int | None = None) -> Tensor:
    """Count the tokens from each key to each query, pair by pair."""
    first = n_key - n_query if first is None else first
    rows = [[first + i - j for j in range(n_key)] for i in range(n_query)]
    return torch.tensor(rows).float()


def penalty_asked(answer: Callable, slopes: Tensor, n_query: int, n_key: int) -> Tensor:
    """Ask for a bias of each head."""
    axes = "heads come first: slopes[:, None, None] times the square of distances"
    with on_error(axes):
        got = ask(answer, slopes, n_query, n_key)
    return tensor_of(got, (len(slopes), n_query, n_key), "head query key", hint=axes)
