"""Check of lesson 07: a prompt read in chunks."""

from collections.abc import Callable

import torch

from longctx_edu.checks.ask import ask, on_error, tensor_of
from longctx_edu.checks.compare import agree
from longctx_edu.checks.largest import largest_tensor
from longctx_edu.checks.oracles import drawn, slow_attention
from longctx_edu.checks.report import check, require

__all__ = ["check_prefill"]

SHORT = "the last chunk may be smaller: stop = min(start + size, len(q))"


@check("Chunk by chunk, the same words, and never the whole square.")
def check_prefill(prefill: Callable):
    """Four tokens in chunks of two, then other sizes, then the room that it takes."""
    q, k, v = drawn(4, 4), drawn(4, 4) - 1, drawn(4, 3)
    with on_error(SHORT):
        got = tensor_of(ask(prefill, q, k, v, 2), (4, 3), "token d_value", hint=SHORT)
    place = torch.arange(4)
    seen, chunk = place[:, None] >= place, place // 2
    top_left = place[:, None] % 2 >= place
    agree(
        "each token sees itself and all that came before",
        got,
        slow_attention(q, k, v, seen),
        given={"q": q, "k": k, "v": v, "size": 2},
        hint="rows from start to stop, keys from 0 to stop, hidden what lies ahead",
        mistakes=[
            (slow_attention(q, k, v, top_left), "the triangle sits at the top left: "
             "count the queries from the start of the text, so that the last one "
             "stands at the last key"),
            (slow_attention(q, k, v, chunk[:, None] >= chunk), "inside the chunk half "
             "is ahead: it needs a mask too"),
            (slow_attention(q, k, v), "nothing is hidden: later keys are seen"),
            (slow_attention(q, k, v, seen & (chunk[:, None] == chunk)), "a chunk also "
             "sees what came before it: keys from 0, not from start"),
            (slow_attention(q, k, v, seen & ~torch.eye(4).bool()), "a token sees "
             "itself: hide only keys with a place beyond its own"),
            (slow_attention(q, k, v, chunk[:, None] > chunk), "the chunk itself is "
             "missing: keys up to stop, not up to start"),
            (slow_attention(q, k, v, seen.mT), "the wrong half: what lies ahead is "
             "hidden, not what came before"),
            (slow_attention(q, k, v, seen, 1.0), "the scale is missing: sqrt(d_head)"),
            (slow_attention(q, k, v, seen, 4.0), "the root is missing: sqrt(d_head)"),
        ],
    )  # fmt: skip
    for n, size in ((5, 2), (7, 3), (6, 3), (3, 8), (4, 1), (1, 1)):
        other_sizes(prefill, n, size)
    no_square(prefill)


def other_sizes(prefill: Callable, n: int, size: int) -> None:
    """Ask for one length and one size of chunks."""
    q, k, v = drawn(n, 4), drawn(n, 4) - 1, drawn(n, 2)
    with on_error(SHORT):
        got = ask(prefill, q, k, v, size)
    agree(
        "any length and any size of a chunk",
        tensor_of(got, (n, 2), "token d_value", hint=SHORT),
        slow_attention(q, k, v, torch.ones(n, n).tril().bool()),
        given={"tokens": n, "size": size},
        hint="places count from the start of the text, in every chunk",
    )


def no_square(prefill: Callable) -> None:
    """Count the largest tensor: chunk times text, not text times text."""
    q, k, v = drawn(3, 320, 4)
    largest, allowed = largest_tensor(prefill, q, k, v, 8), 2 * 8 * 320
    require(
        largest <= allowed,
        "no tensor grows with the square of the text",
        given={"tokens": 320, "size": 8},
        came=f"a tensor of {largest} numbers",
        expected=f"{allowed} at most, twice size times tokens",
        hint="dense in disguise: scores and mask exist for the rows of one chunk",
    )
