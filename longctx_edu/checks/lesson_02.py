"""Checks of lesson 02: normalise and embed; the block, the texts, the bits beside."""

from collections.abc import Callable

import torch

from longctx_edu.checks.ask import ask, on_error, tensor_of
from longctx_edu.checks.bits_02 import check_choose_token, check_held_out_bits
from longctx_edu.checks.block_02 import check_feed_forward, check_pre_norm_block
from longctx_edu.checks.compare import agree
from longctx_edu.checks.hide_02 import check_hide_tokens
from longctx_edu.checks.oracles import drawn
from longctx_edu.checks.pairs_02 import check_next_token_pairs
from longctx_edu.checks.report import check

__all__ = [
    "check_choose_token",
    "check_embed",
    "check_feed_forward",
    "check_held_out_bits",
    "check_hide_tokens",
    "check_layer_norm",
    "check_next_token_pairs",
    "check_pre_norm_block",
]

# Rows of mean 3 and standard deviation 2, then 3.
ROWS = torch.tensor([[1.0, 1, 5, 5], [0, 6, 0, 6]])
SIGNS = torch.tensor([[-1.0, -1, 1, 1], [-1, 1, -1, 1]])
ONES, ZEROS = torch.ones(4), torch.zeros(4)
WIDE = "mean and variance of each vector: dim=-1, keepdim=True"


@check("Each vector gets mean 0 and variance 1, then its gain and its shift.")
def check_layer_norm(layer_norm: Callable):
    """Two vectors on paper, gain and shift, epsilon, and one more axis."""
    with on_error(WIDE):
        got = ask(layer_norm, ROWS, ONES, ZEROS, 0.0)
    column = (ROWS - ROWS.mean(0)) / ROWS.std(0, correction=0)
    agree(
        "each vector gets mean 0 and variance 1",
        tensor_of(got, (2, 4), "token d_model"),
        SIGNS,
        given={"x": ROWS, "gain": 1, "shift": 0, "eps": 0},
        hint=WIDE,
        mistakes=[
            (column, "the wrong axis: one mean a token, not one a column; dim=-1"),
            *(((ROWS - 3) / ROWS.std(correction=n), "one variance for all: each token "
               "has its own; dim=-1, keepdim=True") for n in (0, 1)),
            (SIGNS * 0.75**0.5, "divide the squares by all 4 numbers, not by 3: "
             "correction=0, or the mean of squares"),
            ((ROWS - 3) / torch.tensor([[4.0], [9.0]]), "divide by the root of the "
             "variance"),
            (ROWS - 3, "divide by the root of the variance as well"),
            (ROWS / torch.tensor([[2.0], [3.0]]), "the mean is not taken off"),
            (ROWS / ROWS.square().mean(-1, keepdim=True).sqrt(), "the mean is not "
             "taken off: the variance is the mean square of x - mean"),
        ],
    )  # fmt: skip
    gain_and_shift(layer_norm)
    got = ask(layer_norm, ROWS, ONES, ZEROS, 5.0)
    agree(
        "eps is added to the variance, under the root",
        tensor_of(got, (2, 4), "token d_model"),
        (ROWS - 3) / torch.tensor([[9.0], [14.0]]).sqrt(),
        given={"x": ROWS, "variances": torch.tensor([4.0, 9.0]), "eps": 5},
        hint="(variance + eps).sqrt()",
        mistakes=[
            ((ROWS - 3) / torch.tensor([[7.0], [8.0]]), "eps stands under the root: "
             "it is added to the variance, not to its root"),
            (SIGNS, "eps is not used: a vector of equal numbers would be 0 / 0"),
        ],
    )  # fmt: skip


def gain_and_shift(layer_norm: Callable) -> None:
    """A gain and a shift for each place, whatever axes stand before."""
    gain, shift = torch.tensor([1.0, 2, 3, 4]), torch.tensor([0.0, 10, 0, 0])
    agree(
        "then each place of the vector has its own gain and shift",
        tensor_of(ask(layer_norm, ROWS, gain, shift, 0.0), (2, 4), "token d_model"),
        SIGNS * gain + shift,
        given={"x": ROWS, "gain": gain, "shift": shift, "eps": 0},
        hint="times gain, plus shift, at the end",
        mistakes=[
            (SIGNS, "gain and shift are forgotten"),
            (SIGNS * gain, "the shift is forgotten"),
            (SIGNS + shift, "the gain is forgotten"),
            ((SIGNS + shift) * gain, "first times gain, then plus shift"),
        ],
    )
    x = drawn(2, 3, 4)
    with on_error(WIDE):
        got = tensor_of(ask(layer_norm, x, gain, shift, 0.0), (2, 3, 4), "batch token")
    x = x.double()
    want = (x - x.mean(-1, keepdim=True)) / x.std(-1, correction=0, keepdim=True)
    agree(
        "the last axis, however many stand before",
        got,
        want * gain + shift,
        hint="count from the end: dim=-1 is the vector, dim=1 only by chance",
    )


TABLE = torch.tensor([[0.0, 0, 0, 0], [1, 2, 3, 4], [5, 5, 5, 5], [9, 8, 7, 6]])
PLACES = torch.tensor([[0.1, 0, 0, 0], [0, 0.2, 0, 0], [0, 0, 0.3, 0], [0, 0, 0, 0.4]])
IDS = torch.tensor([[1, 3, 1], [2, 2, 0]])


@check("A row of the table for each token, a row of the positions for each place.")
def check_embed(embed: Callable):
    """Two texts of three tokens, vectors of four numbers."""
    lookup = "ids are row numbers: table[ids] takes a row for each, whatever the axes"
    with on_error(lookup):
        got = ask(embed, IDS, TABLE, PLACES)
    found = TABLE[IDS]
    here = PLACES[:3]
    agree(
        "each token is its row times the root of d_model, plus the row of its place",
        tensor_of(got, (2, 3, 4), "batch token d_model", hint=lookup),
        2 * found + here,
        given={"ids": IDS, "table": TABLE, "positions": PLACES},
        hint="table[ids] * d_model ** 0.5 + positions[:n_tokens]",
        mistakes=[
            (found + here, "the scale is missing: times the root of d_model, here 2"),
            (4 * found + here, "the root: times d_model ** 0.5, not times d_model"),
            (found / 2 + here, "times the root, not divided by it: the rows are small"),
            (2 * (found + here), "only the token's row is scaled, not its place"),
            (2 * found, "the places are missing: positions[:n_tokens]"),
            (2 * found + PLACES[IDS], "places, not ids: the first token has place 0"),
            (2 * found + PLACES[1:], "places count from 0"),
            (3**0.5 * found + here, "the root of the width d_model, not of the number "
             "of tokens"),
            (2**0.5 * found + here, "the root of the width d_model, not of the number "
             "of texts"),
        ],
    )  # fmt: skip
    agree(
        "one text of one token is no special case",
        tensor_of(ask(embed, IDS[:1, :1], TABLE, PLACES), (1, 1, 4), "batch token"),
        2 * found[:1, :1] + here[:1],
        hint="take as many positions as there are tokens: ids.shape[1]",
    )
    table = torch.arange(63.0).reshape(7, 9) / 10
    agree(
        "vectors of nine numbers are scaled by 3",
        tensor_of(ask(embed, IDS[:1], table, 0 * table), (1, 3, 9), "batch token"),
        3 * table[IDS[:1]],
        given={"ids": IDS[:1], "d_model": 9, "positions": 0},
        hint="the root of d_model, table.shape[1] ** 0.5, for a table of any shape",
    )
