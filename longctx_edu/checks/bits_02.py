"""Checks of lesson 02: bits of a held-out text, and the choice of a next token."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from longctx_edu.checks.ask import ask, on_error, tensor_of
from longctx_edu.checks.plain import equal, numbers_of
from longctx_edu.checks.report import check, require

__all__ = ["check_choose_token", "check_held_out_bits"]

# Shares of 1/2, 1/2 and 1/16 at the labels, then 1/8 and two places without a label.
SHARES = torch.tensor(
    [
        [[8.0, 4, 3, 1], [1, 8, 4, 3], [8, 4, 3, 1]],
        [[2, 8, 4, 2], [13, 1, 1, 1], [13, 1, 1, 1]],
    ]
)
LABELS = torch.tensor([[0, 1, 3], [0, -100, -100]])
BITS = (1 + 1 + 4 + 3) / 4
ROW = "-100 is no column: take the rows with a label first, logits[labels != -100]"


@check("The mean over all tokens that were asked for, in bits.")
def check_held_out_bits(held_out_bits: Callable):
    """Four tokens on paper; then logits of any size."""
    logits = SHARES.log() + 1  # a logit is a share's logarithm and any number more
    zero, clamped = 13 / 16, 2 * math.log2(16 / 13)
    raw = -(logits.gather(-1, LABELS.clamp(min=0)[..., None])[..., 0][LABELS >= 0])
    with on_error(ROW):
        got = numbers_of(ask(held_out_bits, logits, LABELS), ["the bits"])
    equal(
        "shares of 1/2, 1/2, 1/16 and 1/8 cost 1, 1, 4 and 3 bits",
        got,
        [BITS],
        given={
            "sixteenths, text 1": SHARES[0],
            "sixteenths, text 2": SHARES[1],
            "labels": LABELS,
        },
        hint="-log2 of the share that the label got, and the mean over the labels",
        mistakes=[
            ([BITS * math.log(2)], "these are nats: log2, or divide by log(2)"),
            ([BITS * math.log(2) ** 2], "divide by log(2), do not multiply"),
            ([-BITS], "the sign: a share's logarithm is negative, its cost is not"),
            ([9 / 6], "the mean is over padding: divide by the labels that are there"),
            ([9 / 6 * math.log(2)], "the mean is over padding, and these are nats"),
            ([(2 + 3) / 2], "a mean of means: a short text would count as much as a "
             "long one; sum over all, then divide"),
            ([(2 + 3 / 3) / 2], "the mean is over padding: divide by the labels"),
            ([9.0], "this is the sum: divide by the labels that are there"),
            ([2**BITS], "this is the perplexity, 2 to the power of the bits"),
            ([BITS * math.log10(2)], "the logarithm to base 2: log2"),
            ([(9 + clamped) / 6], "padding was counted as label 0: leave it out"),
            ([float(raw.mean()) / math.log(2)], "logits are no logarithms of shares "
             "yet: log_softmax first"),
            ([float(raw.mean())], "logits are no logarithms of shares yet: log_softmax "
             "first"),
            ([1 - (0.5 + 0.5 + 1 / 16 + 1 / 8) / 4 + 0 * zero], "the logarithm of the "
             "share, not the share"),
        ],
    )  # fmt: skip
    logits, labels = torch.tensor([[[1e4, 0.0], [1e4, 0.0]]]), torch.tensor([[0, 1]])
    got = numbers_of(ask(held_out_bits, logits, labels), ["the bits"])[0]
    require(
        abs(got - 5000 / math.log(2)) < 1,
        "logits of any size have their bits",
        given={"logits": logits, "labels": labels},
        came=got,
        expected=5000 / math.log(2),
        hint="exp(10000) is inf, and log(0) is -inf: log_softmax takes the maximum out",
    )


N, TINY = 20_000, 0.02
FOUR = torch.tensor([[1.0, 2.0, 4.0, 9.0]]) / 16
ONE_EACH = "one id a text: multinomial gives a column, [:, 0] takes it out"


@check("A low temperature sharpens, a high one flattens, and 0 takes the likeliest.")
def check_choose_token(choose_token: Callable):
    """The likeliest; shares at three temperatures; the generator."""
    two = torch.tensor([[0.0, 3.0, 1.0], [2.0, 0.0, -1.0]])
    got = chosen(choose_token, two, 0.0)
    require(
        torch.equal(got, torch.tensor([1, 0])),
        "at temperature 0 the likeliest token is chosen",
        given={"logits": two, "temperature": 0},
        came=got,
        expected=[1, 0],
        hint="argmax over the vocabulary, dim=-1: a division by 0 says nothing",
    )
    logits = FOUR.log().expand(N, 4) + torch.arange(N)[:, None] % 3
    for temperature in (1.0, 0.5, 2.0):
        shares_are_right(choose_token, logits, temperature)
    before = torch.get_rng_state()
    draws = [chosen(choose_token, logits[:50], 1.0, seed) for seed in (0, 0, 1)]
    same, another = torch.equal(*draws[:2]), torch.equal(draws[0], draws[2])
    untouched = torch.equal(before, torch.get_rng_state())
    require(
        same and not another and untouched,
        "all chance comes from the generator",
        came="the same from another seed" if another else "torch's own chance was used",
        expected="the same seed, the same tokens",
        hint="give generator=generator to torch.multinomial",
    )


def shares_are_right(choose_token: Callable, logits: Tensor, heat: float) -> None:
    """Draw twenty thousand tokens, and count them."""
    got = chosen(choose_token, logits, heat)
    shares = got.bincount(minlength=4)[:4] / N
    right = (FOUR[0].log() / heat).softmax(0)
    flat = torch.full((4,), 0.25)
    known = [
        ((FOUR[0].log() * heat).softmax(0), "divide by the temperature, do not "
         "multiply: a low one sharpens"),
        (FOUR[0], "the temperature changes nothing: divide the logits by it, before "
         "the softmax"),
        ((FOUR[0] / heat).softmax(0), "softmax twice: the logits / temperature once"),
        (torch.tensor([0.0, 0, 0, 1]), "always the likeliest: draw, except at 0"),
        (flat, "all are as likely: draw with the shares of a softmax over the "
         "vocabulary, dim=-1"),
    ]  # fmt: skip
    near = [why for at, why in known if (at - shares).abs().max() < TINY]
    one = "each text draws for itself: one number a row"
    require(
        (shares - right).abs().max() < TINY,
        f"at temperature {heat:g} tokens come as often as softmax(logits / {heat:g})",
        given={"shares at temperature 1": FOUR[0], "temperature": heat},
        came=shares,
        expected=right,
        hint=one if shares.max() == 1 and shares[3] != 1 else (near or [
            "softmax(logits / temperature), then torch.multinomial"])[0],
    )  # fmt: skip


def chosen(choose_token: Callable, logits: Tensor, heat: float, seed: int = 0):
    """Ask for tokens, one a text."""
    generator = torch.Generator().manual_seed(seed)
    with on_error("temperature 0 is no division: choose the likeliest instead"):
        got = ask(choose_token, logits, heat, generator)
    return tensor_of(got, (len(logits),), "batch", dtype=torch.int64, hint=ONE_EACH)
