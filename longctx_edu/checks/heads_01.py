"""Checks of lesson 01: several heads, split, merged, and as a layer."""

from collections.abc import Callable

import torch

from longctx_edu.checks.ask import ask, on_error, shape_of, tensor_of
from longctx_edu.checks.compare import agree
from longctx_edu.checks.oracles import drawn, slow_heads, slow_product
from longctx_edu.checks.report import check

__all__ = ["check_merge_heads", "check_multi_head", "check_split_heads"]

ROWS = torch.arange(24.0).reshape(4, 6)  # four tokens of six numbers, in order
TOKENS = ROWS[None]
HEADS = torch.stack([ROWS[:, :3], ROWS[:, 3:]])[None]


@check("Head 0 has the first numbers of every token, head 1 the next.")
def check_split_heads(split_heads: Callable):
    """Four tokens of six numbers, for two heads."""
    got = ask(split_heads, TOKENS, 2)
    shapes = {
        (1, 4, 2, 3): "the heads come before the tokens: swap the two axes at the end",
        (1, 3, 4, 2): "n_heads is the number of heads, not the width of one",
        (2, 1, 4, 3): "the batch stays first",
    }
    hint = shapes.get(shape_of(got), "cut the last axis in n_heads parts")
    got = tensor_of(got, (1, 2, 4, 3), "batch head token d_head", hint=hint)
    second = torch.stack([ROWS[:, ::2], ROWS[:, 1::2]])[None]
    agree(
        "head 0 has the first half of every token",
        got,
        HEADS,
        given={"n_heads": 2, "x": TOKENS},
        hint="rearrange says it in one line",
        mistakes=[
            (TOKENS.reshape(1, 2, 4, 3), "reshape alone mixes tokens: cut, then swap"),
            (second, "a head has neighbours, 0 1 2: (head d), not (d head)"),
            (HEADS.flip(1), "head 0 comes first"),
        ],
    )


@check("The heads of a token stand side by side again.")
def check_merge_heads(merge_heads: Callable):
    """What splitting four tokens of six numbers gives, put back."""
    with on_error("view wants neighbours in memory; reshape copies where it must"):
        got = ask(merge_heads, HEADS)
    shapes = {
        (1, 4, 3): "the heads stand side by side; neither sum nor mean",
        (1, 8, 3): "the heads belong into the last axis, not under each other",
        (4, 6): "the batch stays, also a batch of one",
    }
    hint = shapes.get(shape_of(got), "head and d_head become d_model")
    got = tensor_of(got, (1, 4, 6), "batch token d_model", hint=hint)
    woven = torch.stack([ROWS[:, :3], ROWS[:, 3:]], dim=-1).reshape(1, 4, 6)
    agree(
        "merging undoes splitting",
        got,
        TOKENS,
        given={"x": HEADS},
        hint="swap head and token, then join the last two axes",
        mistakes=[
            (HEADS.reshape(1, 4, 6), "reshape alone mixes tokens: swap first"),
            (woven, "head 0 comes whole, then head 1: (head d), not (d head)"),
        ],
    )


@check("Project, split, attend, merge, project: a layer of attention.")
def check_multi_head(multi_head: Callable):
    """One text of three tokens with two heads, then two texts."""
    x, w = drawn(3, 4), [drawn(4, 4 + n)[:, :4] for n in range(4)]
    got = ask(multi_head, x[None], *w, n_heads=2)
    got = tensor_of(got, (1, 3, 4), "batch token d_model")
    want, mistakes = layer_and_mistakes(x, w)
    agree(
        "two heads, each with its own softmax",
        got[0],
        want,
        given={"x": x, "n_heads": 2},
        hint="split, attend, swap head and token back, merge, @ w_out",
        mistakes=mistakes,
    )
    got = ask(multi_head, torch.stack([2 * x, x]), *w, n_heads=2)
    got = tensor_of(got, (2, 3, 4), "batch token d_model")
    first = "the batch stays the first axis from beginning to end"
    agree("a text does not look into its neighbour", got[1], want, hint=first)


def layer_and_mistakes(x: torch.Tensor, w: list) -> tuple[torch.Tensor, list]:
    """Compute a layer of two heads the slow way, and what misconceptions make of it."""
    q, k, v, out = w

    def layer(q=q, k=k, v=v, out=out, n_heads=2, divisor=None):
        return slow_product(slow_heads(x, q, k, v, n_heads, divisor), out)

    itself = torch.eye(4)
    return layer(), [
        (layer(n_heads=1), "one head for all: split q, k and v before attending"),
        (layer(divisor=2.0), "a head is d_model / n_heads wide, and so its scale"),
        (layer(divisor=1.0), "the scale is missing: 1 / sqrt(d_head)"),
        (layer(out=itself), "the heads are not mixed yet: the last step is @ w_out"),
        (layer(k, q), "queries come from w_q and keys from w_k: these are swapped"),
        (layer(v=itself), "the values go through w_v"),
        (
            layer(q.mT, k.mT, v.mT, out.mT),
            "x @ w as it stands; only nn.Linear turns it",
        ),
    ]
