"""Checks of lesson 03: what the square costs; streams, tiles, gradients beside."""

from collections.abc import Callable

from longctx_edu.checks.gradients_03 import check_recomputed_gradients
from longctx_edu.checks.merge_03 import check_merge_two
from longctx_edu.checks.plain import ask_plain, equal, numbers_of
from longctx_edu.checks.report import check, require
from longctx_edu.checks.stream_03 import check_online_mean, check_running_max_and_sum
from longctx_edu.checks.tiles_03 import check_attention_in_tiles, check_causal_tiles

__all__ = [
    "check_attention_in_tiles",
    "check_causal_tiles",
    "check_dense_cost",
    "check_longest_text",
    "check_merge_two",
    "check_online_mean",
    "check_recomputed_gradients",
    "check_running_max_and_sum",
]

COST = ("the pairs", "the operations", "the bytes")


@check("Pairs grow with both lengths; each costs two products of numbers, and 4 bytes.")
def check_dense_cost(dense_cost: Callable):
    """Four tokens with two numbers, as in the lesson; then four different sizes."""
    given = {"n_query": 4, "n_key": 4, "d_head": 2, "d_value": 2}
    got = numbers_of(ask_plain(dense_cost, *given.values()), COST)
    equal(
        "four tokens have 16 pairs, 8 operations each, 4 bytes each",
        got,
        counted_cost(4, 4, 2, 2),
        given=given,
        hint="pairs, then operations a pair, then bytes a pair",
        mistakes=[
            ([16, 64, 64], "half the operations: an addition counts too, or the "
             "values are missing"),
            ([16, 32, 64], "additions count, and the values are a second product"),
            ([16, 128, 16], "a float32 takes 4 bytes"),
            ([16, 128, 512], "count in bytes, not in bits"),
            ([16, 128, 128], "a float32 takes 4 bytes, not 8"),
            ([8, 64, 32], "every query meets every key: a product, not a sum"),
            ([10, 80, 40], "no mask here: queries also meet keys that come later"),
        ],
    )  # fmt: skip
    given = {"n_query": 3, "n_key": 5, "d_head": 4, "d_value": 6}
    got = numbers_of(ask_plain(dense_cost, *given.values()), COST)
    equal(
        "queries and keys may differ in number, d_head and d_value in width",
        got,
        counted_cost(3, 5, 4, 6),
        given=given,
        hint="n_query times n_key pairs, each 2 d_head + 2 d_value operations",
        mistakes=[
            ([9, 180, 36], "there are n_query * n_key pairs, not n_query squared"),
            ([25, 500, 100], "there are n_query * n_key pairs, not n_key squared"),
            ([15, 240, 60], "the second product is d_value wide: 2 * d_value"),
            ([15, 360, 60], "the first product is d_head wide: 2 * d_head"),
        ],
    )


# memory, heads, answer, property, hint, what misconceptions give
ROOM = (
    (
        (64, 1),
        4,
        "64 bytes hold 16 scores, the square of 4 tokens",
        "bytes, over heads, over 4, then the square root",
        [
            (16, "16 scores are a square of 4 by 4: take the root"),
            (8, "a score takes 4 bytes: 64 bytes hold 16 scores"),
            (2, "64 / 4 is 16, and its root is 4: one root, not two"),
            (1, "n squared times 4 is 64: divide by 4 once"),
            (256, "4 bytes a score: divide by 4"),
        ],
    ),
    (
        (63, 1),
        3,
        "one byte less, and four tokens no longer fit",
        "round down: what does not fit whole does not fit",
        [(4, "round down, not up or to the nearest: 4 tokens need 64 bytes")],
    ),
    (
        (256, 4),
        4,
        "each of four heads has its own square",
        "the heads share the memory",
        [
            (8, "n_heads counts: four squares must fit at once"),
            (2, "divide the memory by n_heads before the root, not the tokens after"),
            (16, "the heads share the memory: divide by n_heads, do not multiply"),
        ],
    ),
)


@check("Four times the memory for twice the text: a root stands between the two.")
def check_longest_text(longest_text: Callable):
    """Room for four tokens, then for a byte less, then for four heads; then GiB."""
    for (memory, heads), answer, prop, hint, mistakes in ROOM:
        given = {"memory_bytes": memory, "n_heads": heads}
        got = numbers_of(ask_plain(longest_text, memory, heads), ["the tokens"])
        broken = ((memory / heads / 4) ** 0.5, "tokens are whole: round down")
        whole = [*mistakes, broken]
        near = [([value], words) for value, words in whole if value != answer]
        equal(prop, got, [answer], given=given, hint=hint, mistakes=near)
    for memory in (3, 1000, 2**30, 10**11):
        for heads in (1, 12):
            n = numbers_of(ask_plain(longest_text, memory, heads), ["the tokens"])[0]
            fits = 4 * heads * n * n <= memory < 4 * heads * (n + 1) ** 2
            require(
                fits and n == int(n),
                "n tokens fit, and n + 1 do not",
                given={"memory_bytes": memory, "n_heads": heads},
                came=n,
                expected="4 * n_heads * n * n <= memory_bytes, n as large as it can be",
                hint="divide first, take the root, then round down once",
            )


def counted_cost(n_query: int, n_key: int, d_head: int, d_value: int) -> list[int]:
    """Count pairs, operations and bytes one by one.

    Example:
        >>> counted_cost(4, 4, 2, 2)
        [16, 128, 64]
    """
    pairs = operations = n_bytes = 0
    for _ in range(n_query):
        for _ in range(n_key):
            pairs += 1
            operations += sum(1 + 1 for _ in range(d_head))  # a product, an addition
            operations += sum(1 + 1 for _ in range(d_value))
            n_bytes += 4
    return [pairs, operations, n_bytes]
