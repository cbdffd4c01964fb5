"""Checks of lesson 10: layers for a distance, and evidence in view."""

from collections.abc import Callable

from longctx_edu.checks.plain import ask_plain, equal, numbers_of, on_kind
from longctx_edu.checks.report import check, require

__all__ = ["check_can_see", "check_layers_for"]

ZERO = "a window of 0 carries nowhere: ask before dividing"
# distance, side, dilation, layers, property, hint, what misconceptions give
NEEDED = (
    (0, 3, 1, 0, "a token hears itself after 0 layers", "distance 0 needs none", []),
    (5, 5, 1, 1, "one layer carries as far as its window", "the side counts in", []),
    (
        6,
        5,
        1,
        2,
        "one token beyond the window takes a second layer",
        "round up, not down: -(-steps // side)",
        [(1, "round up, not down: -(-steps // side)")],
    ),
    (1, 3, 1, 1, "the neighbour takes one layer", "only distance 0 needs none", []),
    (
        40,
        4,
        1,
        10,
        "layers add up: L layers carry L times the side",
        "distance / side, rounded up",
        [
            (4, "layers add their windows, they do not double them"),
            (5, "both sides do not help: one direction carries side a layer"),
            (6, "layers add their windows, they do not double them"),
            (11, "an exact multiple needs no layer more"),
        ],
    ),
    (
        12,
        2,
        3,
        2,
        "with dilation 3 and side 2 a layer carries 6",
        "a step is as long as the dilation: divide by it first",
        [(6, "a step is as long as the dilation: divide by it first")],
    ),
    (
        7,
        2,
        3,
        None,
        "steps of 3 never hit a distance of 7",
        "sums of multiples of the dilation are multiples of it: else None",
        [],
    ),
    (4, 0, 1, None, "a window of 0 on each side carries nowhere", ZERO, []),
    (3, 9, 5, None, "a gap inside the reach is never heard", "ask the remainder", []),
    (
        0,
        0,
        1,
        0,
        "distance 0 needs no window either",
        "ask for distance 0 before you ask for the window",
        [],
    ),
)


@check("Each layer adds one window; a dilation leaves gaps that no depth closes.")
def check_layers_for(layers_for: Callable):
    """Edges of the window, sums, dilation, what is never heard."""
    for distance, side, dilation, want, prop, hint, mistakes in NEEDED:
        named = {} if dilation == 1 else {"dilation": dilation}
        with on_kind(ZeroDivisionError, ZERO):
            got = ask_plain(layers_for, distance, side, **named)
        given = {"distance": distance, "side": side, "dilation": dilation}
        if want is None:
            words = {"came": got, "expected": None, "hint": hint}
            require(got is None, prop, given=given, **words)
            continue
        number = numbers_of(got, ["the layers"])[0]
        equal(prop, number, float(want), given=given, hint=hint, mistakes=mistakes)


# mention, evidence, left, right, global places, seen, property, hint
SEEN = (
    ((8, 9), (6, 7), 2, 0, (), True, "left = 2 shows two tokens back", "it counts in"),
    (
        (8, 9),
        (4, 5),
        2,
        0,
        (),
        False,
        "four tokens back is beyond left = 2",
        "key - query must be -left or more; a window has an end",
    ),
    (
        (3, 4),
        (5, 6),
        0,
        2,
        (),
        True,
        "right = 2 shows two tokens ahead",
        "evidence may stand behind the mention: ask for right as well",
    ),
    (
        (3, 4),
        (6, 7),
        0,
        2,
        (),
        False,
        "three tokens ahead is beyond right = 2",
        "right is the number of neighbours: the token itself is not counted",
    ),
    (
        (3, 4),
        (5, 6),
        2,
        0,
        (),
        False,
        "right = 0 shows nothing ahead",
        "left and right are two numbers: no abs() of the distance",
    ),
    (
        (9, 10),
        (2, 8),
        2,
        2,
        (),
        True,
        "the last token of the evidence is near enough",
        "any token of the evidence will do, not its first alone",
    ),
    (
        (9, 10),
        (2, 7),
        2,
        0,
        (),
        False,
        "the evidence stops before token 7",
        "stop is the token after the last: range(start, stop)",
    ),
    (
        (6, 9),
        (10, 11),
        0,
        2,
        (),
        False,
        "a mention of three words answers at its first",
        "the query is mention[0], not its last word",
    ),
    (
        (9, 10),
        (0, 3),
        1,
        1,
        (1,),
        True,
        "a global token in the evidence is seen from anywhere",
        "is_global[key] opens the column of that key",
    ),
    (
        (9, 10),
        (0, 3),
        1,
        1,
        (5,),
        False,
        "a global token elsewhere takes a second layer",
        "one layer: the evidence itself must be global, or the query",
    ),
    (
        (9, 10),
        (0, 3),
        1,
        1,
        (9,),
        True,
        "a global mention sees everything",
        "is_global[query] opens the row: a global token sees all",
    ),
)


@check("Near, global, or looking with global eyes: one layer, three ways.")
def check_can_see(can_see: Callable):
    """Both ends of the window, both ends of the evidence, both kinds of globals."""
    for mention, evidence, left, right, places, seen, prop, hint in SEEN:
        flags = [place in places for place in range(12)]
        got = ask_plain(can_see, mention, evidence, left, right, flags)
        require(
            type(got).__name__.startswith("bool"),
            "the answer is True or False",
            came=got,
            expected=seen,
            hint="any(...) of a comparison gives one",
        )
        given = {"mention": repr(mention), "evidence": repr(evidence)}
        given |= {"left": left, "right": right, "global": repr(places)}
        require(got == seen, prop, came=got, expected=seen, hint=hint, given=given)
