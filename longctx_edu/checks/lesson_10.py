"""Checks of lesson 10: all of them, and the one of F1 by distance."""

from collections.abc import Callable, Sequence

from longctx_edu.checks.chosen_10 import (
    check_best_tokens,
    check_help_of_keys,
    check_starts_of_sentences,
    check_table_with_special,
)
from longctx_edu.checks.globals_10 import check_pairs_with_globals
from longctx_edu.checks.plain import ask_plain, equal, list_of, on_kind
from longctx_edu.checks.reach_10 import check_can_see, check_layers_for
from longctx_edu.checks.report import check, require

__all__ = [
    "check_best_tokens",
    "check_can_see",
    "check_f1_in_buckets",
    "check_help_of_keys",
    "check_layers_for",
    "check_pairs_with_globals",
    "check_starts_of_sentences",
    "check_table_with_special",
]

EMPTY = "where nothing is there and nothing is said, F1 is 0: ask before dividing"
BUCKETS = [(0, 9), (10, 99)]
NEAR, FAR = (0, 2, "PER", 0), (5, 6, "LOC", 40)
# mentions, predicted, F1s, property, hint, what misconceptions give
BY_DISTANCE = (
    (
        [NEAR, FAR],
        [(0, 2, "PER"), (5, 6, "LOC")],
        [1.0, 1.0],
        "all found: 1 in each bucket",
        "each bucket has its own counts",
        [],
    ),
    (
        [NEAR, FAR],
        [(0, 2, "PER")],
        [1.0, 0.0],
        "the far name is missed: only its bucket suffers",
        "each bucket has its own counts",
        [([2 / 3, 2 / 3], "each bucket has its own counts: who is in it?")],
    ),
    (
        [NEAR, FAR],
        [(0, 2, "PER"), (5, 6, "PER")],
        [1.0, 0.0],
        "a wrong type counts as said, in the bucket of the name it overlaps",
        "start, stop and type must be right",
        [
            ([1.0, 1.0], "the type counts too: a LOC is no PER"),
            ([2 / 3, 0.0], "a prediction belongs to the bucket that it overlaps"),
        ],
    ),
    (
        [NEAR, FAR, (9, 10, "ORG", 50)],
        [(5, 6, "LOC"), (9, 10, "PER")],
        [0.0, 0.5],
        "one of two far names is right, two are said",
        "2 * right / (there + said), counts of this bucket",
        [
            ([0.0, 2 / 3], "what is said wrongly counts as well: precision"),
            ([0.0, 1.0], "2 * right / (there + said): both sides count"),
            ([0.0, 0.25], "twice the right ones, divided by there + said"),
        ],
    ),
    (
        [NEAR],
        [(1, 2, "PER")],
        [0.0, 0.0],
        "half a name overlaps the name, and is not right",
        "overlap decides the bucket; right needs the same start and stop",
        [([1.0, 0.0], "overlap decides the bucket; right needs start and stop")],
    ),
    (
        [NEAR, (3, 4, "ORG", 12)],
        [(0, 2, "PER"), (1, 2, "ORG"), (3, 4, "ORG")],
        [2 / 3, 1.0],
        "a second prediction on the same name is a mistake of its bucket",
        "count every prediction that overlaps a mention of the bucket",
        [
            ([1.0, 1.0], "count what is said beside the right ones: precision"),
            ([2 / 3, 2 / 3], "a prediction counts in one bucket: where it overlaps"),
        ],
    ),
    (
        [NEAR],
        [(0, 2, "PER"), (7, 8, "PER")],
        [1.0, 0.0],
        "what overlaps no name belongs to no bucket",
        "only predictions that overlap a mention of the bucket are said in it",
        [],
    ),
    (
        [NEAR],
        [(0, 2, "PER"), (2, 3, "LOC")],
        [1.0, 0.0],
        "stop is the token after the last: neighbours do not overlap",
        "two overlap if each starts before the other stops: <, not <=",
        [],
    ),
    (
        [(2, 3, "PER", 5)],
        [(0, 2, "LOC"), (2, 3, "PER")],
        [1.0, 0.0],
        "what stops where a name starts does not overlap it",
        "two overlap if each starts before the other stops: <, not <=",
        [],
    ),
    (
        [(0, 1, "PER", 9), (2, 3, "PER", 10), (4, 5, "PER", 99)],
        [(0, 1, "PER"), (4, 5, "PER")],
        [1.0, 2 / 3],
        "both ends of a bucket are in it",
        "low <= distance <= high",
        [],
    ),
    ([], [], [0.0, 0.0], "nothing there and nothing said: 0", EMPTY, []),
)


@check("Counts by bucket: what is there, what is said about it, what is right.")
def check_f1_in_buckets(f1_in_buckets: Callable):
    """Found, missed, wrong, half, twice, nowhere; ends of buckets; nothing."""
    for mentions, predicted, want, prop, hint, mistakes in BY_DISTANCE:
        with on_kind(ZeroDivisionError, EMPTY):
            got = ask_plain(f1_in_buckets, list(mentions), list(predicted), BUCKETS)
        scores = list_of(got, "F1s")
        require(
            len(scores) == len(want),
            "one F1 a bucket",
            came=scores,
            expected=want,
            hint="append one number for each bucket, empty ones as well",
        )
        given: dict[str, Sequence] = {"mentions": repr(mentions)}
        given |= {"predicted": repr(predicted), "buckets": repr(BUCKETS)}
        equal(prop, scores, want, given=given, hint=hint, mistakes=mistakes)
