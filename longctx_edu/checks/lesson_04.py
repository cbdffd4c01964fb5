"""Checks of lesson 04: cutting and its cost; owners, entities, pools, memory beside."""

from collections.abc import Callable

from longctx_edu.checks.chunks_04 import every_cut, pairs_from, slow_cut
from longctx_edu.checks.entities_04 import check_merge_entities
from longctx_edu.checks.labels_04 import check_labels_once
from longctx_edu.checks.memory_04 import check_next_memory
from longctx_edu.checks.owner_04 import check_answering_chunks
from longctx_edu.checks.plain import ask_plain, equal, numbers_of, on_kind
from longctx_edu.checks.pool_04 import check_pool_chunks
from longctx_edu.checks.report import check
from longctx_edu.checks.stitch_04 import check_put_together

__all__ = [
    "check_answering_chunks",
    "check_chunk_places",
    "check_labels_once",
    "check_merge_entities",
    "check_next_memory",
    "check_pool_chunks",
    "check_put_together",
    "check_tokens_read",
]

BACK = "the last chunk is moved back until it is full"

# (tokens, size, overlap), property, hint, what misconceptions give
CUTS = (
    (
        (9, 4, 1),
        "9 tokens in chunks of 4 that share 1: starts 0, 3, and the last moved back",
        "starts are size - overlap apart; the last chunk ends with the document",
        [
            (
                [(0, 4), (4, 8), (5, 9)],
                "overlap is missing: the step is size - overlap",
            ),
            (
                [(0, 4), (1, 5), (2, 6), (3, 7), (4, 8), (5, 9)],
                "overlap is what neighbours share, not the distance of their starts",
            ),
            (
                [(0, 4), (2, 6), (4, 8), (5, 9)],
                "neighbours share overlap tokens once: the step is size - overlap",
            ),
            ([(0, 4), (3, 7), (6, 9)], BACK),
            ([(0, 4), (3, 7), (6, 10)], f"there is no token 9: {BACK}"),
            ([(0, 4), (3, 7)], "the last tokens are in no chunk: one more is needed"),
            ([(0, 4), (3, 4), (5, 4)], "a pair is (start, stop), not (start, length)"),
            ([(0, 3), (3, 6), (5, 8)], "stop is the token after the last one"),
        ],
    ),
    (
        (10, 4, 1),
        "where the last chunk fits, nothing is added behind it",
        "stop as soon as a chunk reaches the end of the document",
        [
            (
                [(0, 4), (3, 7), (6, 10), (6, 10)],
                "the same chunk twice: starts end at n_tokens - size",
            ),
        ],
    ),
    (
        (3, 4, 1),
        "a document shorter than a chunk is one chunk",
        "min(start + size, n_tokens), and no start below 0",
        [
            ([(0, 4)], "there is no token 3: min(start + size, n_tokens)"),
            ([(-1, 3)], "no start below 0: max(0, n_tokens - size)"),
            ([], "one chunk, however short the document is"),
        ],
    ),
)


@check("Every token is read, neighbours share what they should, every chunk is full.")
def check_chunk_places(chunk_places: Callable):
    """Nine tokens by hand, a last chunk that fits, a short document; then all."""
    for given, prop, hint, mistakes in CUTS:
        shown = dict(zip(("n_tokens", "size", "overlap"), given, strict=True))
        with on_kind(IndexError, "a short document: one chunk, and no list to look in"):
            came = pairs_from(ask_plain(chunk_places, *given))
        equal(
            prop,
            came,
            slow_cut(*given),
            given=shown,
            hint=hint,
            mistakes=mistakes,
        )
    for given in every_cut():
        equal(
            "any length, size and overlap",
            pairs_from(ask_plain(chunk_places, *given)),
            slow_cut(*given),
            given=dict(zip(("n_tokens", "size", "overlap"), given, strict=True)),
            hint="draw it: full chunks, starts size - overlap apart, the last one "
            "moved back",
        )


WHOLE = "chunks are whole: count them, rounded up, then times size"
UP = "a rest that fills no whole step needs a chunk too: round up"

# (tokens, size, overlap), property, hint, what misconceptions give
COSTS = (
    (
        (31, 6, 2),
        "starts 0, 4, 8, ... 24 and 25: eight chunks of 6 tokens",
        "chunks times size; the first chunk, then one for each step that is begun",
        [
            (42, UP),
            *((n, WHOLE) for n in (46, 46.5, 47)),
            (84, "the step is size - overlap, not overlap"),
            (36, "the overlap is missing: each further chunk brings size - overlap"),
            (45, "the last chunk is moved back and shares more: chunks times size"),
            (8, "this is the number of chunks: times size"),
            (31, "what two chunks share is read twice"),
        ],
    ),
    (
        (4, 6, 2),
        "a document shorter than a chunk is read once",
        "no longer than size: n_tokens",
        [(6, "there are only 4 tokens to read: one chunk of n_tokens")],
    ),
    (
        (6, 6, 2),
        "a document that fills one chunk is read once",
        "the first chunk brings size tokens, not a step",
        [(12, "the first chunk brings size tokens: only what is left needs steps")],
    ),
    (
        (13, 5, 1),
        "starts 0, 4, 8: the last one fits, and nothing comes behind it",
        "after the first chunk 8 tokens are left, two steps of 4",
        [(20, "the first chunk brings size tokens: only what is left needs steps")],
    ),
)


@check("What overlap costs: chunks times size, whatever the last one shares.")
def check_tokens_read(tokens_read: Callable):
    """A rest by hand, short documents, an exact fit; then every small document."""
    for given, prop, hint, mistakes in COSTS:
        near = [([value], words) for value, words in mistakes]
        equal(
            prop,
            numbers_of(ask_plain(tokens_read, *given), ["the tokens"]),
            [sum(stop - start for start, stop in slow_cut(*given))],
            given=dict(zip(("n_tokens", "size", "overlap"), given, strict=True)),
            hint=hint,
            mistakes=near,
        )
    for given in every_cut():
        equal(
            "any length, size and overlap",
            numbers_of(ask_plain(tokens_read, *given), ["the tokens"]),
            [sum(stop - start for start, stop in slow_cut(*given))],
            given=dict(zip(("n_tokens", "size", "overlap"), given, strict=True)),
            hint="compare with the chunks of 4.1, one by one",
        )
