"""Check of lesson 04: one row a token, from the chunk that answers for it."""

from collections.abc import Callable

import torch
from torch import Tensor

from longctx_edu.checks.ask import is_tensor, on_error, same
from longctx_edu.checks.chunks_04 import Pair, every_cut, slow_cut, slow_owners
from longctx_edu.checks.compare import agree
from longctx_edu.checks.oracles import drawn
from longctx_edu.checks.report import check, require

__all__ = ["check_put_together"]

INSIDE = "a piece begins with its own row 0: token - start of its chunk"
CHUNKS = [(0, 4), (2, 6)]
PIECES = [[0, 1, 2, -3], [-2, 3, 4, 5]]


def rows(*numbers: int) -> Tensor:
    """Make a column of numbers."""
    return torch.tensor(numbers).float()[:, None]


@check("Cut, read, put together: every token once, and stitch(split(x)) is x.")
def check_put_together(put_together: Callable):
    """Two pieces that disagree on what they share; then every small document."""
    pieces = [rows(*piece) for piece in PIECES]
    shown = {"pieces": PIECES, "chunks": CHUNKS, "owners": [0, 0, 0, 1, 1, 1]}
    agree(
        "tokens 0 to 2 from the first piece, 3 to 5 from the second",
        joined(put_together, pieces, CHUNKS, [0, 0, 0, 1, 1, 1]),
        rows(0, 1, 2, 3, 4, 5),
        given=shown,
        hint="for each token: the row of the chunk that owners names",
        mistakes=[
            (rows(0, 1, -2, 3, 4, 5), "later pieces write over earlier ones: owners "
             "says who answers"),
            (rows(0, 1, 2, -3, 4, 5), "the first piece is not always right: owners "
             "says who answers"),
            (rows(0, 1, 0, 0, 4, 5), "no mean over both: the owner alone answers"),
            (rows(0, 1, -2, -3, 4, 5), "the other piece: owners[token] is its number"),
            (rows(0, 1, 2, 5, 5, 5), INSIDE),
            (rows(0, 1, 2, -2, 3, 4), INSIDE),
        ],
    )  # fmt: skip
    for n_tokens, size, overlap in every_cut():
        chunks = slow_cut(n_tokens, size, overlap)
        x = drawn(n_tokens, 3)
        agree(
            "pieces of one text make the text again",
            joined(
                put_together,
                [x[start:stop] for start, stop in chunks],
                chunks,
                slow_owners(chunks, n_tokens),
            ),
            x,
            given={"tokens": n_tokens, "size": size, "overlap": overlap},
            hint=INSIDE,
        )


def joined(
    put_together: Callable, pieces: list[Tensor], chunks: list[Pair], owners: list[int]
) -> Tensor:
    """Ask for pieces to be put together, and take the answer for one row a token."""
    copies = [piece.clone() for piece in pieces]
    with on_error(INSIDE):
        came = put_together(copies, list(chunks), list(owners))
    require(
        len(copies) == len(pieces) and all(map(same, pieces, copies)),
        "the pieces stay as they are",
        came="a piece was changed",
        expected="each as it was",
        hint="write into a new tensor, or collect rows in a list and torch.stack them",
    )
    is_tensor(came)
    want = (len(owners), *pieces[0].shape[1:])
    require(
        tuple(came.shape) == want,
        "the result has one row a token of the document",
        given={"chunks": chunks, "owners": owners},
        came=f"shape {tuple(came.shape)}",
        expected=f"shape {want}",
        hint="torch.cat of whole pieces keeps what they share twice: one row a token, "
        "and the row's own axes stay",
    )
    return came
