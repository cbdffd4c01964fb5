"""Checks of lesson 06: vectors that tell a place, waves and the rows of a table."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from longctx_edu.checks.ask import ask, on_error, tensor_of
from longctx_edu.checks.compare import agree
from longctx_edu.checks.report import check

__all__ = ["check_longer_table", "check_waves"]

SQUARE = (
    "a column of places times a row of frequencies makes the square of angles: "
    "places[:, None] * radians"
)
ROWS = "one row a token, d_model numbers in it"


def slow_waves(
    places: list[int], d_model: int, theta: float, *, power: str = "2i/d", unit=1.0
) -> list[list[float]]:
    """Write sine and cosine of each pair side by side, number by number.

    Example:
        >>> slow_waves([0], 4, 10.0)
        [[0.0, 1.0, 0.0, 1.0]]
    """
    rows = []
    for place in places:
        row = []
        for i in range(d_model // 2):
            powers = {
                "2i/d": -2 * i / d_model,
                "i/d": -i / d_model,
                "i": -2 * i,
                "up": 2 * i / d_model,
                "last": -i / max(1, d_model // 2 - 1),
            }
            angle = place * theta ** powers[power] * unit
            row += [math.sin(angle), math.cos(angle)]
        rows.append(row)
    return rows


def own_angle_each(places: list[int], d_model: int, theta: float) -> list[list[float]]:
    """Let each number have a frequency of its own, as if there were no pairs."""
    rows = []
    for place in places:
        angles = [place * theta ** (-j / d_model) for j in range(d_model)]
        waves = (math.sin, math.cos)
        rows.append([waves[j % 2](angle) for j, angle in enumerate(angles)])
    return rows


def waves_asked(answer: Callable, places: list[int], d: int, theta: float) -> Tensor:
    """Ask for waves; float64 is as good as float32."""
    with on_error(SQUARE):
        got = ask(answer, torch.tensor(places), d, theta)
    if isinstance(got, Tensor) and got.dtype == torch.float64:
        got = got.float()
    return tensor_of(got, (len(places), d), "token d_model", hint=ROWS)


@check("Each pair is a hand of a clock, the later the slower.")
def check_waves(waves: Callable):
    """Three places that are not 0, 1, 2; then other widths and bases."""
    places, d, theta = [0, 2, 5], 8, 100.0
    want = torch.tensor(slow_waves(places, d, theta))

    def other(power: str = "2i/d", unit: float = 1.0) -> Tensor:
        return torch.tensor(slow_waves(places, d, theta, power=power, unit=unit))

    agree(
        "number 2 i is the sine, number 2 i + 1 the cosine of angle i",
        waves_asked(waves, places, d, theta),
        want,
        given={"places": places, "d_model": d, "theta": theta},
        hint="angle i of a place is place * theta ** (-2 i / d_model)",
        mistakes=[
            (torch.cat([want[:, 0::2], want[:, 1::2]], dim=1), "all sines stand "
             "before all cosines: here the two of a pair stand side by side"),
            (want.unflatten(1, (4, 2)).flip(2).flatten(1), "the cosines stand first: "
             "number 2 i is the sine"),
            (other("i/d"), "twice as slow: the exponent is -2 i / d_model for pair i"),
            (other("i"), "the exponent is divided by d_model: -2 i / d_model"),
            (other("up"), "the waves grow faster: the exponent is negative"),
            (other("last"), "divide by d_model, so that the last pair is not quite "
             "theta times slower than the first"),
            (own_angle_each(places, d, theta), "both numbers of a pair share one "
             "angle: the exponent counts pairs, 2 i, not numbers"),
            (other(unit=math.pi / 180), "radians, not degrees: no factor pi / 180"),
            (other(unit=2 * math.pi), "the first pair turns by 1 radian a token, not "
             "by a whole turn: no factor 2 pi"),
            (slow_waves([0, 1, 2], d, theta), "take the places that came in, not "
             "0, 1, 2"),
            (slow_waves([1, 3, 6], d, theta), "places count from 0: nothing is added"),
        ],
    )  # fmt: skip
    for given in (([7], 2, 10_000.0), ([3, 1], 8, 10.0), ([40, 2, 0], 4, 50.0)):
        agree(
            "any places, any even width, any base",
            waves_asked(waves, *given),
            torch.tensor(slow_waves(*given)),
            given=dict(zip(("places", "d_model", "theta"), given, strict=True)),
            hint="compute with d_model and theta; the first check's are examples",
        )


@check("Each place beyond the table has the row of a place that was trained.")
def check_longer_table(longer_table: Callable):
    """Three rows made seven, then other lengths."""
    table = torch.tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
    want = table[[0, 1, 2, 0, 1, 2, 0]]
    agree(
        "rows 0, 1, 2, then again 0, 1, 2, then 0",
        table_asked(longer_table, table, 7),
        want,
        given={"table": table, "n_tokens": 7},
        hint="place p has the row p % len(table)",
        mistakes=[
            (table[[0, 1, 2, 2, 2, 2, 2]], "the last row over and over makes all later "
             "places one place: begin again with row 0"),
            (table[[0, 0, 0, 1, 1, 2, 2]], "neighbours share a row here: whole copies "
             "behind each other, not each row repeated"),
            (table[[0, 0, 0, 1, 1, 1, 2]], "neighbours share a row here: repeat, not "
             "repeat_interleave"),
            (table[[0, 1, 2, 2, 1, 0, 0]], "a mirrored copy runs backwards: each copy "
             "keeps the order"),
            (table[[0, 1, 2, 1, 0, 1, 2]], "a mirrored copy runs backwards: each copy "
             "keeps the order"),
            (torch.cat([table, torch.zeros(4, 2)]), "rows of zeros were never trained: "
             "copy trained ones"),
            (stretched(table, 7), "stretching gives rows in between, which no training "
             "has seen: copy whole rows"),
        ],
    )  # fmt: skip
    for rows, n in ((2, 8), (4, 5), (3, 3), (1, 6)):
        table = torch.arange(3.0 * rows).reshape(rows, 3)
        agree(
            "any length",
            table_asked(longer_table, table, n),
            table[[place % rows for place in range(n)]],
            given={"rows of the table": rows, "n_tokens": n},
            hint="place p has the row p % len(table)",
        )
    agree(
        "a table that is long enough comes back as it is",
        table_asked(longer_table, table.expand(4, 3).contiguous(), 2, rows=4),
        table.expand(4, 3),
        given={"rows of the table": 4, "n_tokens": 2},
        hint="max(n_tokens, len(table)) rows: never cut what was trained",
    )


def table_asked(
    answer: Callable, table: Tensor, n_tokens: int, rows: int | None = None
) -> Tensor:
    """Ask for a longer table."""
    rows = n_tokens if rows is None else rows
    with on_error("rows are copied whole: an index of row numbers, table[rows], does"):
        got = ask(answer, table, n_tokens)
    exact = (
        f"exactly {rows} rows here: n_tokens, but never fewer than the table has; "
        "cut the last copy where it is too long"
    )
    return tensor_of(got, (rows, table.shape[1]), "position d_model", hint=exact)


def stretched(table: Tensor, n: int) -> Tensor:
    """Interpolate between rows, as one stretches a picture."""
    at = torch.linspace(0, len(table) - 1, n)
    low = at.floor().long().clamp(max=len(table) - 2)
    part = (at - low)[:, None]
    return table[low] * (1 - part) + table[low + 1] * part
