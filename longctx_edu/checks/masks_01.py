"""Checks of lesson 01: masks, and the weights that they leave."""

import math
from collections.abc import Callable

import torch

from longctx_edu.checks.ask import ask, on_error, tensor_of
from longctx_edu.checks.compare import agree
from longctx_edu.checks.oracles import drawn, slow_weights
from longctx_edu.checks.report import check

__all__ = ["check_causal_mask", "check_masked_weights", "check_padding_mask"]


@check("A token sees itself and what came before it.")
def check_causal_mask(causal_mask: Callable):
    """Four tokens, then one."""
    want = torch.tensor([[key <= query for key in range(4)] for query in range(4)])
    ahead = torch.tensor([[key <= row + 1 for key in range(4)] for row in range(4)])
    itself = torch.eye(4, dtype=torch.bool)
    got = tensor_of(ask(causal_mask, 4), (4, 4), "query key", dtype=torch.bool)
    agree(
        "query i sees the keys 0 to i",
        got,
        want,
        given={"n_token": 4},
        hint="compare the position of the key with that of the query",
        mistakes=[
            (want & ~itself, "a query sees itself: <=, not <"),
            (want.mT, "is it the transpose? rows are queries"),
            (~want, "True means: may look; this one marks what is hidden"),
            (ahead, "each query looks one token ahead: it ends at the diagonal"),
        ],
    )
    side = "n_token tokens make n_token rows and n_token columns; here n_token is 1"
    got = ask(causal_mask, 1)
    got = tensor_of(got, (1, 1), "query key", dtype=torch.bool, hint=side)
    agree("one token sees itself", got, [[True]], hint="no special case is needed")


@check("Nobody looks at padding, and no row is lost.")
def check_padding_mask(padding_mask: Callable):
    """Texts of two and of three tokens, then an empty one."""
    lengths, axes = torch.tensor([2, 3]), "batch query key"
    wide = "one square a text: each query gets the same row of keys; expand it"
    got = ask(padding_mask, lengths, 3)
    got = tensor_of(got, (2, 3, 3), axes, dtype=torch.bool, hint=wide)
    keep = torch.tensor([[True, True, False], [True, True, True]])
    full = torch.ones(2, 3, 3, dtype=torch.bool)
    columns, rows = keep[:, None, :] & full, keep[:, :, None] & full
    agree(
        "every query sees the keys before its text's length",
        got,
        columns,
        given={"lengths": lengths, "n_token": 3},
        hint="compare the positions 0, 1, 2 with each length",
        mistakes=[
            (rows & columns, "hide columns only: a row that sees nothing helps nobody"),
            (rows, "these are the rows; padding is what nobody looks at: columns"),
            (full, "off by one: a text of 2 tokens has the positions 0 and 1"),
            (~columns, "True means: may look; this one marks the padding"),
            (columns.flip(2), "padding stands at the end of a text"),
        ],
    )
    got = ask(padding_mask, torch.tensor([0]), 2)
    got = tensor_of(got, (1, 2, 2), axes, dtype=torch.bool, hint=wide)
    nothing = torch.zeros(1, 2, 2).bool()
    agree("nobody sees an empty text", got, nothing, hint="position < length says so")


@check("Hidden keys weigh 0, rows sum to 1, and a row that sees nothing is 0.")
def check_masked_weights(masked_weights: Callable):
    """One hidden key, a row that sees nothing, then one mask for a batch."""
    scores = torch.tensor([[0.0, math.log(3), 2.0]])
    mask = torch.tensor([[True, True, False]])
    with on_error("a mask answers place by place: ~mask, torch.where; no if, no not"):
        got = tensor_of(ask(masked_weights, scores, mask), (1, 3), "query key")
    free = slow_weights(scores)
    agree(
        "the visible keys share the whole weight",
        got,
        slow_weights(scores, mask),
        given={"scores (0, log 3, 2)": scores, "mask": mask},
        hint="fill the scores with -inf where ~mask, then the softmax",
        mistakes=[
            (
                free,
                "the mask changed nothing: masked_fill returns a new tensor, keep it",
            ),
            (
                slow_weights(scores * mask),
                "a score of 0 weighs exp(0) = 1: fill with -inf",
            ),
            (free * mask, "the row no longer sums to 1: hide before the softmax"),
            (slow_weights(scores, ~mask), "True means: may look; fill where ~mask"),
        ],
    )
    scores, mask = torch.tensor([[1.0, 2.0]]), torch.tensor([[False, False]])
    got = tensor_of(ask(masked_weights, scores, mask), (1, 2), "query key")
    agree(
        "a row that sees nothing takes nothing",
        got,
        [[0.0, 0.0]],
        given={"scores": scores, "mask": mask},
        hint="softmax of -inf alone is 0 / 0: give such a row the value 0 afterwards",
        mistakes=[
            ([[0.5, 0.5]], "a large number averages the forbidden keys: -inf, then 0"),
        ],
    )
    scores, mask = drawn(2, 3, 4, 5), drawn(4, 5) > 0
    wide = "masked_fill and torch.where stretch one mask over heads; x[mask] does not"
    with on_error(wide):
        got = ask(masked_weights, scores, mask)
    got = tensor_of(got, (2, 3, 4, 5), "batch head query key", hint=wide)
    want = slow_weights(scores[1, 2], mask)
    agree(
        "one mask serves every head", got[1, 2], want, given={"mask": mask}, hint=wide
    )
