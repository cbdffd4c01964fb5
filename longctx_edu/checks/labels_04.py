"""Check of lesson 04: a token that two chunks read is scored in one of them."""

from collections.abc import Callable

from longctx_edu.checks.chunks_04 import Pair, every_cut, slow_cut, slow_owners
from longctx_edu.checks.plain import ask_plain, equal, list_of
from longctx_edu.checks.report import check, require

__all__ = ["check_labels_once"]

NO = -100
SAME = "as many labels as tokens in the chunk: put -100, take nothing away"


@check("Each label counts once, in the chunk that answers for its token.")
def check_labels_once(labels_once: Callable):
    """Six labels by hand, a label that is -100 already; then every small document."""
    chunks, owners = [(0, 4), (2, 6)], [0, 0, 0, 1, 1, 1]
    equal(
        "tokens 2 and 3 are read twice and scored once",
        labels_from(labels_once, [1, 2, 3, 4, 5, 6], chunks, owners),
        [[1, 2, 3, NO], [NO, 4, 5, 6]],
        given={"labels": [1, 2, 3, 4, 5, 6], "chunks": chunks, "owners": owners},
        hint="in each chunk: the label where owners names this chunk, else -100",
        mistakes=[
            ([[1, 2, 3, 4], [3, 4, 5, 6]], "labels 3 and 4 count twice"),
            ([[1, 2, 3, 0], [0, 4, 5, 6]], "0 is a label and would be learnt: -100"),
            ([[1, 2, NO, NO], [NO, NO, 5, 6]], "labels 3 and 4 count nowhere: one of "
             "the chunks answers for them"),
            ([[1, 2, 3, 4], [NO, NO, 5, 6]], "owners decides, not who comes first"),
            ([[1, 2, NO, NO], [3, 4, 5, 6]], "owners decides, not who comes last"),
            ([[NO, NO, NO, 4], [3, NO, NO, NO]], "the other way round: -100 where the "
             "owner is another chunk"),
            ([[1, 2, 3], [4, 5, 6]], SAME),
            ([[1, 2, 3, NO], [NO, 2, 3, 4]], "the second chunk starts at token 2: "
             "labels[token], with the token's place in the document"),
            ([[1, 2, 3, NO], [1, 4, 5, 6]], "-100 in every chunk, not in one alone"),
        ],
    )  # fmt: skip
    equal(
        "a label that asks no question asks none here",
        labels_from(labels_once, [NO, 7, 7], [(0, 2), (1, 3)], [0, 0, 1]),
        [[NO, 7], [NO, 7]],
        given={"labels": [NO, 7, 7], "owners": [0, 0, 1]},
        hint="take the label as it is, or -100",
    )
    for n_tokens, size, overlap in every_cut():
        chunks = slow_cut(n_tokens, size, overlap)
        owners = slow_owners(chunks, n_tokens)
        labels = list(range(n_tokens))
        want = [
            [t if owners[t] == n else NO for t in range(*chunk)]
            for n, chunk in enumerate(chunks)
        ]
        equal(
            "any length, size and overlap: each label once",
            labels_from(labels_once, labels, chunks, owners),
            want,
            given={"chunks": chunks, "owners": owners, "labels": labels},
            hint="a token may stand in more than two chunks: ask owners each time",
        )


def labels_from(
    labels_once: Callable, labels: list[int], chunks: list[Pair], owners: list[int]
) -> list[list[int]]:
    """Ask for the labels of each chunk, and take the answer for lists of numbers."""
    came = list_of(ask_plain(labels_once, labels, chunks, owners), "lists, one a chunk")
    require(
        len(came) == len(chunks) and all(isinstance(x, list | tuple) for x in came),
        "the result has a list for each chunk",
        given={"chunks": chunks},
        came=came,
        expected=f"{len(chunks)} lists",
        hint="two loops: over the chunks, and over the tokens of each",
    )
    return [list(part) for part in came]
