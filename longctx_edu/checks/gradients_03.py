"""Check of lesson 03: gradients from what was kept, tile by tile."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from longctx_edu.checks.ask import ask, on_error, tensor_of
from longctx_edu.checks.compare import agree
from longctx_edu.checks.largest import largest_tensor
from longctx_edu.checks.oracles import drawn
from longctx_edu.checks.report import check, require

__all__ = ["check_recomputed_gradients"]

NAMES = ("d_q", "d_k", "d_v")
AXES = (
    "a row's number stands beside its row as lse[:, None]; d_q has a row for each "
    "query, d_k and d_v one for each key: p.mT @ d_out"
)


@check("The gradients of attention, from five small things and no square.")
def check_recomputed_gradients(recomputed_gradients: Callable):
    """One query by hand, then several tiles, then the square in disguise."""
    logs = torch.tensor([[1.0], [4.0], [2.0]]).log()
    one, v = torch.ones(1, 1), torch.tensor([[7.0], [0.0], [14.0]])
    given = (one, logs, v, 5 * one, torch.tensor([7.0]).log(), one, 3)
    d_q, d_k, d_v = gradients_asked(recomputed_gradients, *given)
    shown = {"k": "log 1, log 4, log 2", "v": v, "q, d_out": "1", "out": 5.0}
    shown["lse"] = "log 7"
    p = torch.tensor([[1.0], [4.0], [2.0]]) / 7
    agree(
        "d_v: a value moves the answer by its weight",
        d_v,
        p,
        given=shown,
        hint="p = exp(scores - lse), then p.mT @ d_out",
        mistakes=[
            (p * 7, "the weights are exp(scores - lse): lse is missing"),
            (p * 7 / math.log(7), "exp(scores - lse), no division by lse"),
            (p * v, "d_v does not depend on the values"),
        ],
    )
    agree(
        "d_k: a score moves the answer by p * (v - 5), and q is 1",
        d_k,
        p * (v - 5),
        given=shown,
        hint="d_s = p * (d_out @ v.mT - rowsum(d_out * out)), then d_s.mT @ q",
        mistakes=[
            (p * v, "the mean is missing: subtract rowsum(d_out * out)"),
            (p * (5 - v), "the other way round: d_out @ v.mT minus the mean"),
            (v - 5, "times p: the softmax is between scores and weights"),
            (p * (1 - p) * v, "a softmax moves all weights of its row: no p * (1 - p)"),
        ],
    )
    want = (p * (v - 5) * logs).sum().reshape(1, 1)
    agree("d_q: all keys pull", d_q, want, given=shown, hint="d_s @ k, over all tiles")
    several_tiles(recomputed_gradients)
    q, k, v, d_out = drawn(96, 4), drawn(640, 4), drawn(640, 3), drawn(96, 3)
    given = (q, k, v, *forward(q, k, v), d_out, 16)
    largest, allowed = largest_tensor(recomputed_gradients, *given), 2 * 640 * 16
    require(
        largest <= allowed,
        "no tensor grows with queries times keys",
        given={"queries": 96, "keys": 640, "block": 16},
        came=f"a tensor of {largest} numbers",
        expected=f"{allowed} at most",
        hint="dense in disguise: weights and d_s exist for one tile at a time",
    )


def several_tiles(recomputed_gradients: Callable) -> None:
    """Five queries, seven keys, all gradients against small differences by autograd."""
    q, k, v, d_out = drawn(5, 4), drawn(7, 4), drawn(7, 3), drawn(5, 3)
    want = by_autograd(q, k, v, d_out)
    scaled_twice = by_hand(q, k, v, d_out, outer=1.0)
    for block in (7, 3, 2, 10):
        given = (q, k, v, *forward(q, k, v), d_out, block)
        got = gradients_asked(recomputed_gradients, *given)
        last = slice((7 - 1) // block * block, 7)
        mistakes = [
            (
                scaled_twice,
                "the scale counts again, for d_q and d_k: d_s * scale",
            ),
            (by_hand(q, k, v, d_out, scale=1.0), "the scale is missing in the scores"),
            (
                by_hand(q, k, v, d_out, keys=last),
                "this is the last tile alone: a query's gradient sums over all tiles",
            ),
            (
                [x / -(-7 // block) for x in want],
                "a sum over the tiles, not a mean",
            ),
        ]
        for n, name in enumerate(NAMES):
            agree(
                f"{name} is what autograd gives, for any tile",
                got[n],
                want[n],
                given={"queries": 5, "keys": 7, "d_head": 4, "block": block},
                hint="lse belongs to whole rows: p = exp(scores - lse) in every tile, "
                "and no softmax within a tile",
                mistakes=[(result[n], words) for result, words in mistakes],
            )


def gradients_asked(answer: Callable, *given: object) -> tuple[Tensor, ...]:
    """Ask for the gradients, and take the answer for three tensors."""
    with on_error(AXES):
        got = ask(answer, *given)
    require(
        isinstance(got, tuple | list) and len(got) == 3,
        "the result is d_q, d_k and d_v",
        came=type(got).__name__,
        expected="d_q, d_k, d_v",
        hint="a function without return gives None: end it with return"
        if got is None
        else "return all three, with commas between",
    )
    shapes = [tuple(x.shape) for x in given[:3]]
    return tuple(
        tensor_of(x, shape, f"of {name[2:]}, as {name} goes with it", hint=AXES)
        for x, shape, name in zip(got, shapes, NAMES, strict=True)
    )


def forward(q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """Give what a forward pass keeps: the answers and the log-sum-exps."""
    scores = q.double() @ k.double().mT / math.sqrt(q.shape[1])
    out = scores.softmax(dim=1) @ v.double()
    return out.float(), scores.logsumexp(dim=1).float()


def by_autograd(q: Tensor, k: Tensor, v: Tensor, d_out: Tensor) -> list[Tensor]:
    """Let autograd make the gradients, in float64."""
    leaves = [x.double().requires_grad_() for x in (q, k, v)]
    scores = leaves[0] @ leaves[1].mT / math.sqrt(q.shape[1])
    (scores.softmax(dim=1) @ leaves[2]).backward(d_out.double())
    return [leaf.grad for leaf in leaves]


def by_hand(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    d_out: Tensor,
    *,
    scale: float | None = None,
    outer: float | None = None,
    keys: slice | None = None,
) -> list[Tensor]:
    """Make the gradients with a mistake: a wrong scale, or some keys alone for d_q."""
    right = 1 / math.sqrt(q.shape[1])
    q, k, v, d_out = (x.double() for x in (q, k, v, d_out))
    p = (q @ k.mT * right - (q @ k.mT * right).logsumexp(1, keepdim=True)).exp()
    mean = (d_out * (p @ v)).sum(1, keepdim=True)
    if scale is not None:  # the weights come from scores without it
        p = (q @ k.mT * scale - (q @ k.mT * right).logsumexp(1, keepdim=True)).exp()
    d_s = p * (d_out @ v.mT - mean) * (right if outer is None else outer)
    some = slice(None) if keys is None else keys
    return [d_s[:, some] @ k[some], d_s.mT @ q, p.mT @ d_out]
