"""Checks of lesson 05: other people's words; patterns, graphs and blocks beside."""

from collections.abc import Callable

from longctx_edu.checks.band_05 import check_window_in_blocks
from longctx_edu.checks.blocks_05 import check_band_mask, check_key_range
from longctx_edu.checks.globals_05 import check_window_and_globals
from longctx_edu.checks.graph_05 import check_band_pairs, check_heard_after
from longctx_edu.checks.layout_05 import check_random_layout
from longctx_edu.checks.patterns_05 import (
    check_add_globals,
    check_dilated_mask,
    check_window_mask,
)
from longctx_edu.checks.plain import ask_plain, equal, numbers_of
from longctx_edu.checks.report import check, require

__all__ = [
    "check_add_globals",
    "check_band_mask",
    "check_band_pairs",
    "check_dilated_mask",
    "check_heard_after",
    "check_key_range",
    "check_random_layout",
    "check_to_sides",
    "check_window_and_globals",
    "check_window_in_blocks",
    "check_window_mask",
]

SIDES = ["left", "right"]

# who, left and right for W = 8, what is meant, what misconceptions give
WORDS = (
    (
        "torch mask",
        [8, 8],
        "|i - j| <= 8 is eight keys on each side",
        [([4, 4], "the mask's 8 is one side, not both"),
         ([7, 7], "<= 8 includes a distance of 8"),
         ([8, 0], "|i - j| looks both ways")],
    ),
    (
        "transformers causal",
        [7, 0],
        "8 keys in all: the query itself and seven before it",
        [([8, 0], "itself is counted: seven others are left"),
         ([7, 7], "causal: nobody looks ahead"),
         ([8, 8], "causal: nobody looks ahead, and itself is counted"),
         ([4, 0], "nothing is halved here: itself and seven before"),
         ([0, 7], "before is left")],
    ),
    (
        "transformers both ways",
        [8, 8],
        "8 keys on each side",
        [([4, 4], "here W is one side, not both: look at the table"),
         ([7, 7], "a distance of 8 is included"),
         ([8, 0], "both ways: right as well")],
    ),
    (
        "longformer",
        [4, 4],
        "8 keys besides itself, half on each side",
        [([8, 8], "W is both sides together: half of it each"),
         ([3, 3], "half of 8 is 4, itself not counted"),
         ([3, 4], "itself is not counted: 4 on each side"),
         ([4, 0], "both sides, W // 2 each")],
    ),
    (
        "attention-gym",
        [8, 0],
        "eight keys before the query, and itself",
        [([7, 0], "here itself is not counted: eight others"),
         ([8, 8], "nobody looks ahead"),
         ([0, 8], "before is left")],
    ),
)  # fmt: skip


@check("One number, five meanings, and one word that no left and right can say.")
def check_to_sides(to_sides: Callable):
    """A window of 8 in the words of each, another size, and buckets."""
    for who, want, meaning, mistakes in WORDS:
        got = ask_plain(to_sides, who, 8)
        equal(
            f"{who}: {meaning}",
            numbers_of(got, SIDES),
            want,
            given={"who": who, "size": 8},
            hint="count the keys on each side, itself left out",
            mistakes=mistakes,
        )
        require(
            all(type(side) is int for side in got),
            "left and right are whole numbers",
            given={"who": who, "size": 8},
            came=got,
            expected=tuple(want),
            hint="/ gives a float, // a whole number",
        )
    for who, want in (("longformer", [1, 1]), ("transformers causal", [1, 0])):
        equal(
            "another size",
            numbers_of(ask_plain(to_sides, who, 2), SIDES),
            want,
            given={"who": who, "size": 2},
            hint="compute with size; the table's 8 is an example",
        )
    refuses(to_sides, "local-attention")


def refuses(to_sides: Callable, who: str) -> None:
    """Hold the answer for a pattern that is no window to an error."""
    try:
        came: object = ask_plain(to_sides, who, 8)
    except ValueError as error:
        require(
            "local-attention" in str(error),
            "the error says which word it was",
            given={"who": who, "size": 8},
            came=repr(error),
            expected="a ValueError that names local-attention",
            hint='put what came into the message: f"... got {who}"',
        )
        return
    except KeyError as error:
        came = repr(error)
    require(
        False,
        "buckets have no left and right: local-attention is refused",
        given={"who": who, "size": 8},
        came=came,
        expected="a ValueError",
        hint="a token's reach depends on its place in the bucket, so no left and right "
        'are true: raise ValueError("need ..., got ...")',
    )
