"""Checks of lesson 07: a cache's bytes; steps, heads and words beside."""

from collections.abc import Callable

from longctx_edu.checks.cache_07 import check_cached_step, check_forget
from longctx_edu.checks.distances_07 import check_cache_distances
from longctx_edu.checks.heads_07 import check_grouped_attention
from longctx_edu.checks.plain import ask_plain, equal, numbers_of
from longctx_edu.checks.prefill_07 import check_prefill
from longctx_edu.checks.report import check
from longctx_edu.checks.words_07 import check_top_p_shares
from longctx_edu.checks.write_07 import check_write_on

__all__ = [
    "check_cache_bytes",
    "check_cache_distances",
    "check_cached_step",
    "check_forget",
    "check_grouped_attention",
    "check_prefill",
    "check_top_p_shares",
    "check_write_on",
]

NAMES = ("n_tokens", "n_layers", "n_heads", "n_kv_heads", "d_head", "number_bytes")


@check("Two vectors a token, layer and head of keys: the whole price of memory.")
def check_cache_bytes(cache_bytes: Callable):
    """One token of one layer, then six different sizes, then a model that is known."""
    ask_bytes(
        cache_bytes,
        (1, 1, 1, 1, 5, 4),
        "one token, one layer, one head: a key and a value of five numbers",
        "two vectors, each of d_head numbers",
        [
            (20, "values are missing: a token leaves a key and a value"),
            (60, "queries are not kept: they ask once"),
            (10, "numbers, not bytes: number_bytes each"),
            (320, "count in bytes, not in bits"),
            (80, "values are as wide as keys: two vectors, not four"),
        ],
    )
    ask_bytes(
        cache_bytes,
        (7, 3, 8, 2, 5, 4),
        "heads that share keys leave them once",
        "2 * tokens * layers * heads of keys * width * bytes",
        [
            (6720, "n_kv_heads, not n_heads: queries are not kept"),
            (840, "values are missing: a token leaves a key and a value"),
            (5040, "queries are not kept, in no head"),
            (560, "n_layers counts: each layer keeps its own"),
            (240, "n_tokens counts: each token leaves its own"),
            (420, "number_bytes counts"),
            (13_440, "n_kv_heads alone: queries are not kept"),
            (4200, "n_kv_heads for keys and for values: queries are not kept"),
        ],
    )
    ask_bytes(
        cache_bytes,
        (131_072, 32, 32, 8, 128, 2),
        "Llama 3.1 8B takes 16 GiB at 131,072 tokens",
        "2 * tokens * layers * heads of keys * width * bytes, exactly",
        [],
    )


def ask_bytes(
    cache_bytes: Callable,
    given: tuple[int, ...],
    prop: str,
    hint: str,
    mistakes: list[tuple[int, str]],
) -> None:
    """Ask for the bytes of one cache."""
    got = numbers_of(ask_plain(cache_bytes, *given), ["the bytes"])
    want = counted_bytes(*given)
    named = dict(zip(NAMES, given, strict=True))
    near = [([value], words) for value, words in mistakes if value != want]
    equal(prop, got, [want], given=named, hint=hint, mistakes=near)


def counted_bytes(
    n_tokens: int,
    n_layers: int,
    n_heads: int,
    n_kv_heads: int,
    d_head: int,
    number_bytes: int,
) -> int:
    """Count the vectors that are kept, layer by layer and head by head.

    Example:
        >>> counted_bytes(1, 32, 32, 8, 128, 2) // 2**10
        128
    """
    vectors = 0
    for _ in range(n_layers):
        for _ in range(n_kv_heads):
            vectors += n_tokens  # keys
            vectors += n_tokens  # values
    return vectors * d_head * number_bytes
