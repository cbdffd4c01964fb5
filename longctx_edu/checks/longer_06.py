"""Checks of lesson 06: frequencies for texts longer than those of the training."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from longctx_edu.checks.ask import ask, on_error, tensor_of
from longctx_edu.checks.compare import agree
from longctx_edu.checks.oracles import drawn
from longctx_edu.checks.plain import ask_plain, equal, numbers_of, on_kind
from longctx_edu.checks.report import check

__all__ = ["check_by_turns", "check_larger_base", "check_sharper"]

BASE = ["the new base"]


def last_pair(theta: float, d_head: int) -> float:
    """Give the frequency of the last pair.

    Example:
        >>> last_pair(16.0, 4)
        0.25
    """
    return theta ** (-(d_head - 2) / d_head)


def slow_base(theta: float, d_head: int, factor: float) -> float:
    """Find the base whose last pair is slower by the factor, by halving.

    Example:
        >>> round(slow_base(16.0, 4, 4.0), 6)
        256.0
    """
    wanted = last_pair(theta, d_head) / factor
    low, high = theta, theta
    while last_pair(high, d_head) > wanted:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        slower = last_pair(middle, d_head) <= wanted
        low, high = (low, middle) if slower else (middle, high)
    return high


@check("The first pair keeps its speed, the last is slower by the whole factor.")
def check_larger_base(larger_base: Callable):
    """Two pairs with whole numbers, three pairs, then sizes of real models."""
    shown = {"theta": 16, "d_head": 4, "factor": 4}
    wrong_power = "the exponent is d_head / (d_head - 2), not {}"
    equal(
        "two pairs, factor 4: the last pair turned by 16 ** (-1/2) = 1/4, and now "
        "turns by 1/16",
        base_asked(larger_base, 16.0, 4, 4.0),
        [256.0],
        given=shown,
        hint="the new base b has b ** (-(d_head - 2) / d_head) = 1/16",
        mistakes=[
            ([64.0], "the last pair has the exponent (d_head - 2) / d_head, not 1: "
             "theta * factor is not enough"),
            ([32.0], wrong_power.format("(d_head - 2) / d_head")),
            ([4.0], "the base shrinks here: slower pairs need a larger one"),
            ([1.0], "the base shrinks here: multiply, the exponent is positive"),
            ([16 * 4 ** (4 / 3)], wrong_power.format("d_head / (d_head - 1)")),
            ([65_536.0], "theta is multiplied, not raised to a power"),
            ([4096.0], "theta stays outside the power: theta * factor ** (...)"),
            ([16.0], "nothing changed: factor says how much slower the last pair is"),
        ],
    )  # fmt: skip
    for given in ((8.0, 6, 4.0), (10_000.0, 64, 8.0), (500_000.0, 128, 1.0)):
        want = slow_base(*given)
        got = base_asked(larger_base, *given)
        equal(
            "the last of several pairs is slower by the factor",
            [got[0] / want],
            [1.0],
            given=dict(zip(("theta", "d_head", "factor"), given, strict=True))
            | {"new base": round(want, 2)},
            hint="d_head / (d_head - 2): with 4 numbers it is 2, in general it is not "
            "(shown: your base over the right one)",
        )


def base_asked(answer: Callable, *given: int | float) -> list[float]:
    """Ask for a base."""
    hint = "with d_head = 4 the exponent is 4 / 2: put brackets round d_head - 2"
    with on_kind(ZeroDivisionError, hint), on_kind(OverflowError, hint):
        return numbers_of(ask_plain(answer, *given), BASE)


RAMP = {"factor": 4.0, "trained": 16, "slow": 1.0, "fast": 5.0}


def slow_ramp(
    radians: Sequence[float],
    factor: float,
    trained: int,
    slow: float,
    fast: float,
    *,
    kind: str = "right",
) -> list[float]:
    """Slow each pair down by a share of its own; a kind is a way to get it wrong.

    Example:
        >>> slow_ramp([2 * math.pi, 0.0], 4.0, 64, 1.0, 5.0) == [2 * math.pi, 0.0]
        True
    """
    found = []
    for speed in radians:
        turns = speed * trained / (1.0 if kind == "no 2 pi" else 2 * math.pi)
        if kind == "wave":
            turns = 2 * math.pi / speed
        kept = (turns - slow) / (fast - slow)
        if kind != "no clamp":
            kept = min(1.0, max(0.0, kept))
        if kind == "step":
            kept = float(turns > slow)
        if kind == "from zero":
            kept = min(1.0, turns / fast)
        kept = {"all": 0.0, "reversed": 1 - kept}.get(kind, kept)
        slower = speed * factor if kind == "faster" else speed / factor
        mixed = kept * speed + (1 - kept) * slower
        if kind == "waves mixed":
            mixed = 1 / (kept / speed + (1 - kept) * factor / speed)
        found.append(mixed)
    return found


@check("Pairs that turned often stay, pairs that did not are slowed, a ramp between.")
def check_by_turns(by_turns: Callable):
    """Pairs of 8, 4, 2 and half a turn within 16 tokens; then other numbers."""
    turns = [8.0, 4.0, 2.0, 0.5]
    radians = [2 * math.pi * count / 16 for count in turns]

    def other(kind: str) -> list[float]:
        return slow_ramp(radians, **RAMP, kind=kind)

    agree(
        "8 turns stay, half a turn is divided by 4, and 4 and 2 turns lie between",
        ramp_asked(by_turns, radians, **RAMP),
        slow_ramp(radians, **RAMP),
        given={"turns of each pair": turns, **RAMP},
        hint="kept = (turns - slow) / (fast - slow), held between 0 and 1; then kept * "
        "radians + (1 - kept) * radians / factor",
        mistakes=[
            (other("faster"), "the wrong way: a longer text needs slower pairs, "
             "radians / factor"),
            (other("reversed"), "turned round: pairs that turned often have seen all "
             "angles and stay"),
            (other("all"), "all pairs are slowed: that is interpolation; kept says "
             "which stay"),
            (other("no clamp"), "kept is a share: hold it between 0 and 1 by "
             "clamp(0, 1)"),
            (other("no 2 pi"), "a turn has 2 pi radians: turns = radians * trained / "
             "(2 pi)"),
            (other("wave"), "2 pi / radians is the length of a wave in tokens; turns "
             "are trained divided by it"),
            (other("step"), "a ramp, not a step: kept grows from 0 at slow to 1 at "
             "fast"),
            (other("from zero"), "kept is 0 at slow, not at no turn at all: (turns - "
             "slow) / (fast - slow)"),
            (other("waves mixed"), "mix the speeds, not the lengths of the waves"),
            (radians, "nothing was slowed"),
        ],
    )  # fmt: skip
    radians, numbers = [1.0, 0.1, 0.01], (16.0, 1000, 2.0, 20.0)
    agree(
        "other numbers",
        ramp_asked(by_turns, radians, *numbers),
        slow_ramp(radians, *numbers),
        given={"radians": radians, **dict(zip(RAMP, numbers, strict=True))},
        hint="compute with factor, trained, slow and fast",
    )


def ramp_asked(answer: Callable, radians: list, *given, **named) -> Tensor:
    """Ask for slowed speeds; float64 is as good as float32."""
    with on_error("radians is a tensor: one number a pair, and so is kept"):
        got = ask(answer, torch.tensor(radians), *given, *named.values())
    if isinstance(got, Tensor) and got.dtype == torch.float64:
        got = got.float()
    return tensor_of(got, (len(radians),), "pair", hint="a speed for each pair")


@check("Queries and keys both grow, so the scores grow by the square.")
def check_sharper(sharper: Callable):
    """Factor 16; then a factor that changes nothing, and another."""
    scores, t = drawn(2, 3), 0.1 * math.log(16) + 1
    agree(
        "factor 16: cosine and sine times 0.1 ln 16 + 1, in queries and in keys",
        scores_asked(sharper, scores, 16.0),
        scores * t**2,
        given={"scores": scores, "factor": 16},
        hint="t = 0.1 ln(factor) + 1 multiplies the query and the key",
        mistakes=[
            (scores * t, "the square: the query is t times longer, and so is the key"),
            (scores * math.sqrt(t), "the square, not the root"),
            (scores / t**2, "the weights shall gather, not spread: multiply"),
            (scores / t, "the weights shall gather, not spread: multiply, and twice"),
            *((scores * x**power, "ln is the natural logarithm, math.log")
              for x in (0.1 * math.log2(16) + 1, 0.1 * math.log10(16) + 1)
              for power in (1, 2)),
            (scores * 16, "not the factor itself: t = 0.1 ln(factor) + 1"),
            (scores + t**2, "a factor, no summand: softmax does not see what is added "
             "to all"),
            (scores * (t - 1) ** 2, "the 1 is missing: t = 0.1 ln(factor) + 1"),
            (scores * 2 * t, "the square, not the double"),
        ],
    )  # fmt: skip
    for factor in (1.0, 4.0):
        agree(
            "factor 1 changes nothing, and any other by the same rule",
            scores_asked(sharper, scores, factor),
            scores * (0.1 * math.log(factor) + 1) ** 2,
            given={"scores": scores, "factor": factor},
            hint="compute with factor: t = 0.1 ln(factor) + 1",
        )


def scores_asked(answer: Callable, scores: Tensor, factor: float) -> Tensor:
    """Ask for scores of a longer text."""
    with on_error("math.log takes a number, torch.log a tensor"):
        got = ask(answer, scores, factor)
    return tensor_of(got, tuple(scores.shape), "query key")
