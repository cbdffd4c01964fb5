"""Check of lesson 07: heads of queries that share heads of keys."""

from collections.abc import Callable

import torch
from torch import Tensor

from longctx_edu.checks.ask import ask, on_error, tensor_of
from longctx_edu.checks.compare import Mistake, agree, likely
from longctx_edu.checks.oracles import drawn, slow_attention
from longctx_edu.checks.report import check

__all__ = ["check_grouped_attention"]

AXES = (
    "heads are the first axis: give k and v as many as q has, "
    "repeat_interleave(group, dim=0), or cut q's heads into (kv_head, group)"
)


@check("Neighbours share their keys, and it is attention as before.")
def check_grouped_attention(grouped_attention: Callable):
    """Four heads on two, then as many as queries, then one for all."""
    q, k, v = drawn(4, 3, 4), drawn(2, 5, 4), drawn(2, 5, 6)
    got = grouped_asked(grouped_attention, q, k, v)
    in_turn = attended(q, k, v, [0, 1, 0, 1])
    head_by_head(
        "heads 0 and 1 ask the first keys, heads 2 and 3 the second",
        got,
        attended(q, k, v, [0, 0, 1, 1]),
        {"heads of queries": 4, "heads of keys": 2},
        [
            (in_turn, "neighbours share: h // group, not h % n_kv_heads; "
             "repeat_interleave puts copies side by side, repeat in turn"),
            (attended(q, k, v, [0, 0, 0, 0]), "every head asks the first keys: the "
             "second group has its own"),
            (attended(q, k, v, [1, 1, 0, 0]), "the groups are swapped: head 0 asks "
             "the keys of head 0"),
            (attended(q, k, v, [0, 0, 1, 1], [0, 1, 0, 1]), "keys and values of "
             "different heads: repeat both in the same way"),
            (attended(q, k, v, [0, 1, 0, 1], [0, 0, 1, 1]), "keys and values of "
             "different heads: repeat both in the same way"),
            (attended(q, k.mean(0, keepdim=True), v.mean(0, keepdim=True), [0] * 4),
             "a mean over the heads of keys is one head: each group asks its own"),
            (attended(q, k, v, [0, 0, 1, 1], divisor=1.0), "the scale is missing: 1 / "
             "sqrt(d_head)"),
            (attended(q, k, v, [0, 0, 1, 1], divisor=4.0), "the root is missing: "
             "sqrt(d_head)"),
            (over_queries(q, k, v), "softmax over the keys, the last axis"),
        ],
    )  # fmt: skip
    for heads, kv_heads in ((6, 3), (6, 2), (3, 3), (4, 1)):
        q, k, v = drawn(heads, 2, 4), drawn(kv_heads, 5, 4), drawn(kv_heads, 5, 3)
        owner = [head // (heads // kv_heads) for head in range(heads)]
        head_by_head(
            "any number of groups: each with its own keys, or one for all",
            grouped_asked(grouped_attention, q, k, v),
            attended(q, k, v, owner),
            {"heads of queries": heads, "heads of keys": kv_heads},
            [
                (attended(q, k, v, [h % kv_heads for h in range(heads)]),
                 "neighbours share: h // group, not h % n_kv_heads"),
                (attended(q, k, v, [min(h // 2, kv_heads - 1) for h in range(heads)]),
                 "the group is not always 2: len(q) // len(k)"),
            ],
        )  # fmt: skip


def head_by_head(
    prop: str, got: Tensor, want: Tensor, given: dict, mistakes: list[Mistake]
) -> None:
    """Show the first head that is wrong, with the hint that fits all of them."""
    hint = likely(got, mistakes, "head h asks the keys of head h // group")
    for head, (mine, right) in enumerate(zip(got, want, strict=True)):
        agree(prop, mine, right, given={**given, "head": head}, hint=hint)


def grouped_asked(answer: Callable, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Ask for the attention of all heads."""
    with on_error(AXES):
        got = ask(answer, q, k, v)
    shape = (*q.shape[:2], v.shape[2])
    return tensor_of(got, shape, "head query d_value", hint=AXES)


def attended(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    keys: list[int],
    values: list[int] | None = None,
    divisor: float | None = None,
) -> Tensor:
    """Attend head by head, each to the keys and values of the head that is named."""
    pairs = zip(q, keys, keys if values is None else values, strict=True)
    return torch.stack(
        [slow_attention(one, k[a], v[b], None, divisor) for one, a, b in pairs]
    )


def over_queries(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Take the softmax over the wrong axis."""
    k, v = (x.repeat_interleave(len(q) // len(k), dim=0).double() for x in (k, v))
    return (q.double() @ k.mT / q.shape[-1] ** 0.5).softmax(dim=1) @ v
