"""Checks of lesson 03: attention tile by tile, exact and never the whole square."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from longctx_edu.checks.ask import ask, on_error, tensor_of
from longctx_edu.checks.compare import agree
from longctx_edu.checks.largest import largest_tensor
from longctx_edu.checks.merge_03 import out_and_lse
from longctx_edu.checks.oracles import drawn, slow_attention, slow_scores
from longctx_edu.checks.report import check, require

__all__ = ["check_attention_in_tiles", "check_causal_tiles"]

AXES = "rows are queries, in scores, maximum and mixture alike: dim=-1, [:, None]"
SCALE = "the scale is missing: 1 / sqrt(d_head), in every tile"
SHORT = "the last tile was left out: it is smaller, and counts"


@check("Exact for any tile and any length, and the square never exists.")
def check_attention_in_tiles(attention_in_tiles: Callable):
    """Two tiles that fit, a last tile that does not, large scores; then the square."""
    q, k, v = drawn(3, 4), drawn(4, 4), drawn(4, 2)
    out, lse = tiles_asked(attention_in_tiles, q, k, v, 2)
    want, rows = slow_attention(q, k, v), slow_scores(q, k, 2.0)
    first, last = (slow_attention(q, k[c], v[c]) for c in (slice(0, 2), slice(2, 4)))
    agree(
        "two tiles of two keys give what four keys give",
        out,
        want,
        given={"q": q, "k": k, "v": v, "block": 2},
        hint="for each tile: scores, new maximum, shrink, add; at the end divide",
        mistakes=[
            (last, "this is the last tile alone: add to what is carried"),
            (first, "this is the first tile alone: return after the loop"),
            ((first + last) / 2, "a softmax in each tile, then a mean: tiles count "
             "with their sums, and those differ"),
            (first + last, "a softmax in each tile, then a sum: weights add up to 2"),
            (unshrunk(rows, v, 2), "when the maximum rises, shrink mixture and sum"),
            (slow_attention(q, k, v, None, 1.0), SCALE),
            (slow_attention(q, k, v, None, 4.0), "the root is missing: sqrt(d_head)"),
            (want * total(rows)[:, None], "divide the mixture by the sum at the end"),
        ],
    )  # fmt: skip
    agree(
        "the lse is the logarithm of the summed exponentials of a row",
        lse,
        rows.logsumexp(1),
        given={"q": q, "k": k, "block": 2},
        hint="maximum + log(sum), both after the last tile",
        mistakes=[
            (total(rows).log(), "the maximum is missing: top + total.log()"),
            (total(rows), "maximum + log(sum), not the sum"),
            (rows.amax(1), "the maximum alone: + log(sum)"),
            (rows.amax(1) + total(rows), "the sum's logarithm: top + total.log()"),
            (rows[:, 2:].logsumexp(1), "this is the last tile's alone"),
        ],
    )
    uneven_tiles(attention_in_tiles)
    q, k, v = drawn(96, 4), drawn(640, 4), drawn(640, 2)
    no_square(attention_in_tiles, q, k, v, 16)


def uneven_tiles(attention_in_tiles: Callable) -> None:
    """Lengths that no tile divides, a tile larger than the text, large scores."""
    q, k, v = drawn(3, 4), drawn(5, 4), drawn(5, 2)
    want = slow_attention(q, k, v)
    filled = slow_attention(q, *(torch.cat([x, 0 * x[:1]]) for x in (k, v)))
    for block in (2, 3, 4, 1, 8):
        out, lse = tiles_asked(attention_in_tiles, q, k, v, block)
        whole = slice(0, 5 // block * block)
        lost = (slow_attention(q, k[whole], v[whole]),) if whole.stop else ()
        agree(
            "five keys count, whatever the tile",
            out,
            want,
            given={"keys": 5, "block": block},
            hint="the last tile is what is left: it may be smaller than block",
            mistakes=[
                *((x, SHORT) for x in lost),
                (filled, "filling up with zeros adds keys: a score of 0 has a weight"),
            ],
        )
        full = slow_scores(q, k, 2.0).logsumexp(1)
        agree("so does the lse", lse, full, given={"block": block}, hint="all tiles")
    q = q * 1000
    out, _ = tiles_asked(attention_in_tiles, q, k, v, 2)
    agree(
        "scores of a thousand are as good",
        out,
        slow_attention(q, k, v),
        given={"q": q, "k": k, "block": 2},
        hint="exp overflows, or 0 / 0: each row has its own maximum so far; subtract "
        "it before exp, in every tile",
    )


@check("Only what may be seen is computed: half the square, in tiles.")
def check_causal_tiles(causal_tiles: Callable):
    """Four tokens in tiles of two, other sizes, large scores; work and room last."""
    q, k, v = drawn(4, 4), drawn(4, 4) - 1, drawn(4, 2)
    seen = torch.ones(4, 4).tril().bool()
    tile = torch.arange(4) // 2
    whole = tile[:, None] >= tile
    with on_error(AXES):
        out = tensor_of(ask(causal_tiles, q, k, v, 2), (4, 2), "token d_value")
    agree(
        "each token sees itself and what came before",
        out,
        slow_attention(q, k, v, seen),
        given={"q": q, "k": k, "v": v, "block": 2},
        hint="mask the tile on the diagonal; all tiles before it are seen whole",
        mistakes=[
            (slow_attention(q, k, v), "nothing is hidden: later keys are seen"),
            (slow_attention(q, k, v, whole), "the tile on the diagonal needs a mask "
             "too: inside it half is ahead"),
            (slow_attention(q, k, v, whole & whole.mT & seen), "tiles before the "
             "diagonal are missing: their keys came earlier, and are seen"),
            (slow_attention(q, k, v, seen & ~torch.eye(4).bool()), "a token sees "
             "itself: hide what lies above the diagonal, triu(1)"),
            (slow_attention(q, k, v, seen.mT), "the wrong half: this hides what came "
             "before; triu(1) marks what lies ahead"),
            (slow_attention(q, k, v, seen, 1.0), SCALE),
            (slow_attention(q, k, v, seen[torch.arange(4) % 2]), "the mask starts "
             "again in each tile: count the queries from the start of the text"),
        ],
    )  # fmt: skip
    for n, block in ((5, 2), (7, 3), (3, 8), (1, 1), (6, 1)):
        q, k, v = drawn(n, 4), drawn(n, 4) - 1, drawn(n, 2)
        with on_error("the last tile may be smaller: take its size, not block"):
            out = ask(causal_tiles, q, k, v, block)
        agree(
            "any length and any tile",
            tensor_of(out, (n, 2), "token d_value"),
            slow_attention(q, k, v, torch.ones(n, n).tril().bool()),
            given={"tokens": n, "block": block},
            hint="places count from the start of the text: start + place in the tile",
        )
    half_the_work(causal_tiles)
    no_square(causal_tiles, *drawn(3, 320, 4), 16)


def half_the_work(causal_tiles: Callable) -> None:
    """Count the operations of 8 by 8 tiles: 36 of 64 are needed."""
    q, k, v = drawn(3, 64, 4)
    with FlopCounterMode(display=False) as counter:
        causal_tiles(q, k, v, 8)
    tiles = counter.get_total_flops() / (8 * 8 * (2 * 4 + 2 * 4))
    require(
        tiles <= 40,
        "tiles beyond the diagonal are not computed",
        given={"tokens": 64, "block": 8, "tiles": "8 by 8"},
        came=f"the products of {tiles:g} tiles",
        expected="36 tiles: 1 + 2 + ... + 8",
        hint="a mask hides what was computed; leave out the tiles that start after the "
        "last query of the block",
    )


def no_square(answer: Callable, q: Tensor, k: Tensor, v: Tensor, block: int) -> None:
    """Refuse the square in disguise: count the largest tensor that is formed."""
    largest = largest_tensor(answer, q, k, v, block)
    allowed = 2 * max(block * len(q), block * len(k), q.numel(), k.numel())
    require(
        largest <= allowed,
        "no tensor grows with queries times keys",
        given={"queries": len(q), "keys": len(k), "block": block},
        came=f"a tensor of {largest} numbers",
        expected=f"{allowed} at most, twice block times the longer text",
        hint="dense in disguise: scores, masks and weights exist for one tile at a "
        "time, and no list keeps them",
    )


def tiles_asked(answer: Callable, *given: object) -> tuple[Tensor, Tensor]:
    """Ask for the attention of a few queries, and take the answer for out and lse."""
    q, _, v, _ = given
    with on_error(AXES):
        out, lse = out_and_lse(ask(answer, *given))
    out = tensor_of(out, (len(q), v.shape[1]), "query d_value")
    return out, tensor_of(lse, (len(q),), "query", hint="one number a query")


def total(rows: Tensor) -> Tensor:
    """Sum the exponentials of each row against its maximum."""
    return (rows - rows.amax(1, keepdim=True)).exp().sum(1)


def unshrunk(rows: Tensor, v: Tensor, block: int) -> Tensor:
    """Attend in tiles, each against the maximum so far, and never shrink."""
    top = torch.full((len(rows), 1), -math.inf, dtype=rows.dtype)
    mixed, summed = 0, 0
    pairs = zip(rows.split(block, 1), v.double().split(block), strict=True)
    for scores, values in pairs:
        top = torch.maximum(top, scores.amax(1, keepdim=True))
        parts = (scores - top).exp()
        mixed, summed = mixed + parts @ values, summed + parts.sum(1, keepdim=True)
    return mixed / summed
