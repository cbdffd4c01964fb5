"""Check of lesson 04: which chunk answers for a token that stands in several."""

from collections.abc import Callable

from longctx_edu.checks.chunks_04 import Pair, every_cut, slow_cut, slow_owners
from longctx_edu.checks.plain import Near, ask_plain, equal, list_of
from longctx_edu.checks.report import check

__all__ = ["check_answering_chunks"]

POORER = "the poorer side counts in each chunk, min(before, after); the most wins"
ENDS = "the document's own ends are no edges: nothing is cut off there"

# chunks, tokens, property, hint, what misconceptions give
RULES: tuple[tuple[list[Pair], int, str, str, list[Near]], ...] = (
    (
        [(0, 4), (2, 6)],
        6,
        "tokens 2 and 3 stand in both: each has more context in another",
        "for each token: min(before, after) in every chunk that holds it, the largest",
        [
            ([0, 0, 0, 0, 1, 1], "token 3 is the last one in (0, 4), with 0 tokens "
             "behind it: the first chunk that holds a token does not always answer"),
            ([0, 0, 1, 1, 1, 1], "token 2 is the first one in (2, 6), with 0 tokens "
             "before it: the last chunk that holds a token does not always answer"),
            ([0, 0, 1, 0, 1, 1], POORER),
            ([1, 1, 1, 0, 0, 0], "the most context, not the least"),
            ([1, 1, 1, 2, 2, 2], "chunks are counted from 0"),
            ([0, 0, 1, 1, 2, 2], "one answer a token, in the order of the tokens"),
        ],
    ),
    (
        [(0, 5), (2, 7)],
        7,
        "token 3 stands in the middle of both: a tie",
        "on a tie the earlier chunk answers: > and not >=",
        [([0, 0, 0, 1, 1, 1, 1], "a tie goes to the earlier chunk: > and not >=")],
    ),
    (
        [(4, 8), (0, 8)],
        8,
        "the second chunk cuts nothing off: it has the whole document",
        ENDS,
        [([1, 1, 1, 1, 1, 1, 0, 0], ENDS), ([1, 1, 1, 1, 0, 0, 0, 0], ENDS)],
    ),
    (
        [(0, 4), (0, 8)],
        8,
        "here too: neither end of the document is an edge",
        ENDS,
        [([0, 0, 1, 1, 1, 1, 1, 1], ENDS), ([0, 0, 0, 0, 1, 1, 1, 1], ENDS)],
    ),
)  # fmt: skip


@check("Each token is answered for where its poorer side is longest.")
def check_answering_chunks(answering_chunks: Callable):
    """Two chunks by hand, a tie, the document's ends; then every small document."""
    for chunks, n_tokens, prop, hint, mistakes in RULES:
        equal(
            prop,
            list_of(ask_plain(answering_chunks, chunks, n_tokens), "numbers of chunks"),
            slow_owners(chunks, n_tokens),
            given={"chunks": chunks, "n_tokens": n_tokens},
            hint=hint,
            mistakes=mistakes,
        )
    for n_tokens, size, overlap in every_cut():
        chunks = slow_cut(n_tokens, size, overlap)
        equal(
            "any length, size and overlap",
            list_of(ask_plain(answering_chunks, chunks, n_tokens), "numbers of chunks"),
            slow_owners(chunks, n_tokens),
            given={"chunks": chunks, "n_tokens": n_tokens},
            hint="a token may stand in more than two chunks: ask all that hold it",
        )
