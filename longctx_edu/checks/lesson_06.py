"""Checks of lesson 06: who is heard of; places, biases and longer texts beside."""

from collections.abc import Callable

from longctx_edu.checks.bias_06 import check_penalty, check_under_the_keys
from longctx_edu.checks.longer_06 import (
    check_by_turns,
    check_larger_base,
    check_sharper,
)
from longctx_edu.checks.plain import ask_plain, equal, list_of, on_kind
from longctx_edu.checks.report import check
from longctx_edu.checks.slopes_06 import check_slopes_of
from longctx_edu.checks.turns_06 import check_rotary_attention, check_turn_pairs
from longctx_edu.checks.waves_06 import check_longer_table, check_waves

__all__ = [
    "check_by_turns",
    "check_distances_heard",
    "check_larger_base",
    "check_longer_table",
    "check_penalty",
    "check_rotary_attention",
    "check_sharper",
    "check_slopes_of",
    "check_turn_pairs",
    "check_under_the_keys",
    "check_waves",
]

Layers = list[tuple[int, int]]


def slow_distances(layers: Layers) -> list[int]:
    """Walk back through the layers, one key at a time.

    Example:
        >>> slow_distances([(1, 2), (1, 3)])
        [0, 2, 3, 5]
    """
    found = {0}
    for left, dilation in layers:
        found = {
            before + step * dilation for before in found for step in range(left + 1)
        }
    return sorted(found)


@check("Steps add up from layer to layer, and dilation leaves holes.")
def check_distances_heard(distances_heard: Callable):
    """One layer, two layers, holes, different dilations, no layer."""
    equal(
        "one layer with left=2 hears itself and two tokens back",
        heard_asked(distances_heard, [(2, 1)]),
        [0, 1, 2],
        given={"layers": [(2, 1)]},
        hint="0, 1, ... left, each times dilation",
        mistakes=[
            ([1, 2], "a token hears of itself too: distance 0"),
            ([0, 1], "left counts the keys before the token, itself not counted: "
             "range(left + 1)"),
        ],
    )  # fmt: skip
    equal(
        "two layers with left=2 and left=1: the steps add up",
        heard_asked(distances_heard, [(2, 1), (1, 1)]),
        [0, 1, 2, 3],
        given={"layers": [(2, 1), (1, 1)]},
        hint="each layer adds its steps to all distances found so far",
        mistakes=[
            ([0, 1, 2], "the steps of all layers add up: 2 + 1, not the larger one"),
            ([0, 1], "the steps of all layers add up; this is the last layer alone"),
            ([3], "all distances on the way as well, not only the farthest"),
            ([0, 1, 1, 2, 2, 3], "each distance once: collect them in a set"),
            ([1, 2, 3], "a token hears of itself too: distance 0"),
            ([2, 3], "each layer may also stay where it is: a step of 0"),
        ],
    )  # fmt: skip
    holes(distances_heard)


def holes(distances_heard: Callable) -> None:
    """Dilation, alone and mixed."""
    equal(
        "two layers with left=2 and dilation 2: even distances up to 8",
        heard_asked(distances_heard, [(2, 2), (2, 2)]),
        [0, 2, 4, 6, 8],
        given={"layers": [(2, 2), (2, 2)]},
        hint="the steps of a layer are 0, dilation, 2 * dilation, ... left * dilation",
        mistakes=[
            ([*range(9)], "dilation leaves holes: no sum of even steps is odd"),
            ([*range(5)], "the steps are dilation tokens long: this ignores it"),
            ([0, 2, 4], "left counts keys, so the farthest lies left * dilation away"),
            ([0, 4, 8], "each layer has left steps, not only its farthest"),
            ([0, 2, 4, 6, 8, 10, 12, 14, 16], "the steps add up: 4 + 4, not 4 * 4"),
        ],
    )  # fmt: skip
    for layers in ([(1, 1), (1, 2), (1, 4)], [(2, 3), (1, 1)], [(0, 1)] * 3, []):
        equal(
            "any layers, in any order, or none",
            heard_asked(distances_heard, layers),
            slow_distances(layers),
            given={"layers": layers},
            hint="start with {0}; each layer adds each of its steps to each distance",
        )


def heard_asked(answer: Callable, layers: Layers) -> list:
    """Ask for distances, as a list; a set or a range is sorted already."""
    with on_kind(IndexError, "without layers a token hears of itself: start with {0}"):
        got = ask_plain(answer, layers)
    got = sorted(got) if isinstance(got, set | range) else got
    return list_of(got, "distances")
