"""Checks of lesson 01: scores, softmax, attention; masks and heads stand beside."""

import math
from collections.abc import Callable

import torch

from longctx_edu.checks.ask import ask, on_error, tensor_of
from longctx_edu.checks.compare import agree, close
from longctx_edu.checks.heads_01 import (
    check_merge_heads,
    check_multi_head,
    check_split_heads,
)
from longctx_edu.checks.masks_01 import (
    check_causal_mask,
    check_masked_weights,
    check_padding_mask,
)
from longctx_edu.checks.oracles import (
    TURN,
    drawn,
    slow_attention,
    slow_product,
    slow_scores,
    slow_softmax,
    slow_weights,
)
from longctx_edu.checks.report import check, require

__all__ = [
    "check_attention",
    "check_causal_mask",
    "check_masked_weights",
    "check_merge_heads",
    "check_multi_head",
    "check_padding_mask",
    "check_scaled_scores",
    "check_softmax_rows",
    "check_split_heads",
]

LOG3 = math.log(3)
Q = torch.tensor([[1.0, 0.0, 2.0, 1.0], [0.0, 1.0, 0.0, 3.0]])
K = torch.tensor([[2.0, 0.0, 1.0, 0.0], [0.0, 4.0, 0.0, 0.0], [2.0, 2.0, 2.0, 2.0]])
V = torch.tensor([[0.0, 3.0, 1.0], [3.0, 3.0, 0.0], [6.0, 9.0, 2.0]])

EXTREME = (
    ([[-math.inf, 0.0]], "exp(-inf) is 0: nothing to repair"),
    (
        [[1000.0, 1001.0]],
        "exp(1000) is inf, and inf / inf is nan: subtract the row's maximum first",
    ),
    (
        [[0.0, 1.0], [1000.0, 1001.0]],
        "each row has its own maximum; that of the whole square leaves 0 / 0 elsewhere",
    ),
)


@check("A dot product for each query and key, over the square root of d_head.")
def check_scaled_scores(scaled_scores: Callable):
    """Two queries, three keys, four numbers each; then a batch with heads."""
    turned = "is it the transpose? rows are queries, columns are keys: q @ k.mT"
    with on_error("@ takes rows on the left and columns on the right: turn k, k.mT"):
        got = ask(scaled_scores, Q, K)
    got = tensor_of(got, (2, 3), "query key", hint=turned)
    raw = slow_scores(Q, K, 1.0)
    agree(
        "a score is a dot product divided by the square root of d_head",
        got,
        raw / 2,
        given={"q": Q, "k": K},
        hint="one dot product over d_head, and nothing else",
        mistakes=[
            (raw, "the scale is missing: divide by math.sqrt(d_head)"),
            (raw / 4, "the root is missing: math.sqrt(d_head), not d_head"),
            (raw * 2, "divide by the root, do not multiply"),
            (raw / math.sqrt(3), "d_head is q.shape[-1], not the number of keys"),
            (raw / math.sqrt(2), "d_head is q.shape[-1], not the number of queries"),
        ],
    )
    q, k = drawn(2, 3, 5, 4), drawn(2, 3, 7, 4)
    with on_error(TURN):
        got = ask(scaled_scores, q, k)
    got = tensor_of(got, (2, 3, 5, 7), "batch head query key", hint=TURN)
    want = slow_scores(q[1, 2], k[1, 2], 2.0)
    agree("each head of each text has its own square", got[1, 2], want, hint=TURN)


@check("Each row sums to 1, also for scores of 1000 and for hidden keys.")
def check_softmax_rows(softmax_rows: Callable):
    """Whole shares first; then scores that are large or hidden, and a batch."""
    scores = torch.tensor([[0.0, LOG3], [LOG3, 0.0], [LOG3, LOG3]])
    got = tensor_of(ask(softmax_rows, scores), (3, 2), "query key")
    exp, down = scores.exp(), slow_weights(scores.mT).mT
    agree(
        "a weight is exp(score) over the sum of its row",
        got,
        slow_weights(scores),
        given={"scores (0 and log 3)": scores},
        hint="exp, then divide by the sum over the last axis",
        mistakes=[
            (down, "dim=0 runs down a column; a row is one query: dim=-1"),
            (exp / exp.sum(), "each row has its own sum: sum(dim=-1, keepdim=True)"),
            (scores / scores.sum(-1, keepdim=True), "exp comes before the sum"),
            (exp, "divide by the sum of the row"),
        ],
    )
    for rows, hint in EXTREME:
        extreme_scores(softmax_rows, torch.tensor(rows), hint)
    x = drawn(2, 3, 4)
    with on_error(TURN):
        got = tensor_of(ask(softmax_rows, x), (2, 3, 4), "batch query key", hint=TURN)
    agree("a batch is so many squares", got[1], slow_weights(x[1]), hint=TURN)


def extreme_scores(softmax_rows: Callable, scores: torch.Tensor, hint: str) -> None:
    """Hold scores that are far from 0, or far from each other, against the slow way."""
    got = tensor_of(ask(softmax_rows, scores), tuple(scores.shape), "query key")
    want = torch.tensor([slow_softmax(row) for row in scores.tolist()])
    require(
        close(got, want, atol=1e-3),
        "any scores give weights",
        given={"scores": scores},
        came=got,
        expected=want,
        hint=hint,
    )


@check("Each query gets the mean of the values it may see, weighted by its scores.")
def check_attention(attention: Callable):
    """No preference, then scores, a mask, and a batch with heads."""
    wide = "the last axis is d_value: weights @ v, not the weights alone"
    none = 0 * Q
    got = tensor_of(ask(attention, none, K, V), (2, 3), "query d_value", hint=wide)
    agree(
        "a query of zeros prefers no key: it gets the mean of the values",
        got,
        V.mean(dim=0).expand(2, 3),
        given={"q": none, "v": V},
        hint="softmax(scores) @ v, with v as it came",
        mistakes=[
            (V.sum(dim=0).expand(2, 3), "the values were added: a row sums to 1"),
            (torch.full((2, 3), 1 / 3), "the values are still to come: weights @ v"),
            (torch.zeros(2, 3), "a score of 0 is not a weight of 0: softmax first"),
        ],
    )
    one_head(attention, wide)
    q, k, v = drawn(2, 3, 5, 4), drawn(2, 3, 7, 4), drawn(2, 3, 7, 6)
    with on_error(TURN):
        got = ask(attention, q, k, v)
    got = tensor_of(got, (2, 3, 5, 6), "batch head query d_value", hint=TURN)
    want = slow_attention(q[1, 2], k[1, 2], v[1, 2])
    agree("each head attends on its own", got[1, 2], want, hint=TURN)


def one_head(attention: Callable, wide: str) -> None:
    """Five queries, seven keys: without a mask, then with one."""
    q, k, v = drawn(5, 4), drawn(7, 4), drawn(7, 3)
    got = tensor_of(ask(attention, q, k, v), (5, 3), "query d_value", hint=wide)
    free, shared = slow_attention(q, k, v), slow_weights(slow_scores(q, k, 2.0).mT).mT
    agree(
        "the better a key matches, the more of its value",
        got,
        free,
        hint="scores, softmax, weights @ v, in this order",
        mistakes=[
            (
                slow_attention(q, k, v, None, 1.0),
                "the scale is missing: 1 / sqrt(d_head)",
            ),
            (slow_attention(q, k, v, None, 3**0.5), "d_head is the last axis of q"),
            (slow_product(shared, v), "softmax over the keys, dim=-1"),
        ],
    )
    mask = drawn(5, 7) > 0
    got = tensor_of(ask(attention, q, k, v, mask), (5, 3), "query d_value", hint=wide)
    agree(
        "hidden keys give nothing",
        got,
        slow_attention(q, k, v, mask),
        given={"mask": mask},
        hint="hide before the softmax",
        mistakes=[
            (free, "the mask changed nothing"),
            (slow_attention(q, k, v, ~mask), "True means: may look"),
        ],
    )
