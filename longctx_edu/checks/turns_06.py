"""Checks of lesson 06: queries and keys that turn."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from longctx_edu.checks.ask import ask, on_error, tensor_of
from longctx_edu.checks.compare import agree
from longctx_edu.checks.oracles import drawn, slow_attention
from longctx_edu.checks.report import check

__all__ = ["check_rotary_attention", "check_turn_pairs"]

ANGLES = (
    "angles = places[:, None] * radians has a row a token and a column a pair; the "
    "first half of the turning numbers has as many columns, and so has the second"
)
WHOLE = "as many numbers as came in: what does not turn is put back behind, torch.cat"


def slow_turn(
    x: Tensor,
    places: Sequence[int | float],
    radians: Sequence[int | float],
    *,
    neighbours: bool = False,
    apart: int | None = None,
) -> Tensor:
    """Turn pair by pair and token by token.

    Example:
        >>> slow_turn(torch.tensor([[3.0, 4.0]]), [1], [math.pi / 2]).round().tolist()
        [[-4.0, 3.0]]
    """
    rows, apart = x.double().tolist(), len(radians) if apart is None else apart
    for row, place in zip(rows, places, strict=True):
        for i, speed in enumerate(radians):
            one, two = (2 * i, 2 * i + 1) if neighbours else (i, i + apart)
            a, b = row[one], row[two]
            cos, sin = math.cos(place * speed), math.sin(place * speed)
            row[one], row[two] = a * cos - b * sin, a * sin + b * cos
    return torch.tensor(rows).float()


def turn_asked(answer: Callable, x: Tensor, places: list, radians: list) -> Tensor:
    """Ask for turned vectors; float64 is as good as float32."""
    with on_error(ANGLES):
        got = ask(answer, x, torch.tensor(places), torch.tensor(radians))
    if isinstance(got, Tensor) and got.dtype == torch.float64:
        got = got.float()
    return tensor_of(got, tuple(x.shape), "token d_head", hint=WHOLE)


@check("Each pair turns by its place, its length stays, and the rest stands still.")
def check_turn_pairs(turn_pairs: Callable):
    """A quarter turn by hand; then places, two pairs, and numbers that stay."""
    quarter = torch.tensor([[3.0, 4.0]])
    agree(
        "(3, 4) after a quarter turn is (-4, 3)",
        turn_asked(turn_pairs, quarter, [1], [math.pi / 2]),
        [[-4.0, 3.0]],
        given={"x": quarter, "places": [1], "radians": ["pi / 2"]},
        hint="a cos - b sin, and a sin + b cos",
        mistakes=[
            ([[4.0, -3.0]], "this turns backwards: the minus belongs to the first "
             "number, a cos - b sin"),
            ([[4.0, 3.0]], "one minus is missing: a cos - b sin for the first number"),
            ([[0.0, 0.0]], "the sine's part is missing: a cos - b sin"),
            ([[-4.0, -4.0]], "the second number needs the old first one: keep a and b "
             "apart until both are done"),
            ([[3.0, 4.0]], "nothing turned: the angle is place times radians"),
        ],
    )  # fmt: skip
    partly(turn_pairs)


def partly(turn_pairs: Callable) -> None:
    """Two pairs of six numbers, then all of four."""
    x, places, radians = drawn(3, 6), [0, 2, 5], [1.0, 0.25]

    def other(places=places, radians=radians, **how) -> Tensor:
        return slow_turn(x, places, radians, **how)

    agree(
        "two pairs turn, number i with number i + 2, and the last two numbers stay",
        turn_asked(turn_pairs, x, places, radians),
        other(),
        given={"x": x, "places": places, "radians": radians},
        hint="of each row the first 2 * len(radians) numbers turn, in two halves",
        mistakes=[
            (other(neighbours=True), "these are neighbours, 2 i with 2 i + 1; here "
             "number i turns with number i + len(radians)"),
            (other(apart=3), "the halves are those of the numbers that turn, not of "
             "the whole vector: i + len(radians), not i + d_head / 2"),
            (other(places=[0, 1, 2]), "take the places that came in, not 0, 1, 2"),
            (other(places=[1, 3, 6]), "place 0 does not turn: nothing is added"),
            (other(radians=[1.0, 1.0]), "each pair has a speed of its own: radians[i]"),
            (other(radians=[0.25, 1.0]), "the speeds are turned round: radians[0] is "
             "that of pair 0"),
            (other() * torch.tensor([1.0] * 4 + [0.0] * 2), "the rest stays as it is; "
             "here it became 0"),
        ],
    )  # fmt: skip
    x = drawn(4, 4)
    agree(
        "all numbers may turn, at any places",
        turn_asked(turn_pairs, x, [7, 7, 0, 90], [0.5, 0.01]),
        slow_turn(x, [7, 7, 0, 90], [0.5, 0.01]),
        given={"x": x, "places": [7, 7, 0, 90], "radians": [0.5, 0.01]},
        hint="any places, in any order",
    )


@check("Scores know i - j alone: the whole text may move, and nothing changes.")
def check_rotary_attention(rotary_attention: Callable):
    """Places with gaps; then the same text a hundred places later."""
    q, k, v = drawn(4, 4), drawn(4, 4, 1)[..., 0] - 0.5, drawn(4, 2, 2).flatten(1)
    places, radians = [0, 3, 4, 9], [1.0, 0.25]

    def turned(x: Tensor, sign: int = 1, where: Sequence = places) -> Tensor:
        return slow_turn(x, [sign * place for place in where], radians)

    want = slow_attention(turned(q), turned(k), v)
    steps = [turned(x, where=range(4)) for x in (q, k)]
    agree(
        "queries and keys turn, values do not",
        attention_asked(rotary_attention, q, k, v, places, radians),
        want,
        given={"q, k, v": "4 tokens", "places": places, "radians": radians},
        hint="turn q and k by their places, then attention as in lesson 01",
        mistakes=[
            (slow_attention(turned(q), turned(k), turned(v)), "the values turned too: "
             "what a token gives does not depend on where it stands"),
            (slow_attention(turned(q), k, v), "the keys turn too: else the score knows "
             "the query's place, not the distance"),
            (slow_attention(q, turned(k), v), "the queries turn too: else the score "
             "knows the key's place, not the distance"),
            (slow_attention(q, k, v), "nothing turned: this is attention without "
             "places"),
            (slow_attention(turned(q), turned(k, -1), v), "the keys turn backwards: "
             "then the score knows i + j; turn both the same way"),
            (slow_attention(turned(turned(q)), turned(turned(k)), v), "turned twice: "
             "once each"),
            (slow_attention(turned(q), turned(k), v, None, 1.0), "the scale is "
             "missing: 1 / sqrt(d_head)"),
            (slow_attention(*steps, v), "take the places that came in, not 0, 1, 2, 3"),
        ],
    )  # fmt: skip
    agree(
        "a hundred places later the same comes out",
        attention_asked(rotary_attention, q, k, v, [p + 100 for p in places], radians),
        want,
        given={"places": [p + 100 for p in places], "radians": radians},
        hint="scores know i - j alone, if q and k turn the same way",
    )
    x = drawn(3, 6)
    agree(
        "numbers beyond the pairs are scored as they are",
        attention_asked(rotary_attention, x, x, x, [0, 1, 2], [0.5]),
        slow_attention(*[slow_turn(x, [0, 1, 2], [0.5])] * 2, x),
        given={"tokens": 3, "d_head": 6, "radians": [0.5]},
        hint="the scale is 1 / sqrt(d_head), of all numbers, turned or not",
    )


def attention_asked(answer: Callable, q, k, v, places, radians) -> Tensor:
    """Ask for attention over turned queries and keys."""
    with on_error("turned queries times turned keys .mT, softmax over keys, values"):
        got = ask(answer, q, k, v, torch.tensor(places), torch.tensor(radians))
    if isinstance(got, Tensor) and got.dtype == torch.float64:
        got = got.float()
    return tensor_of(got, (len(q), v.shape[1]), "token d_value")
