"""Check of lesson 07: the fewest words that cover a share."""

from collections.abc import Callable

import torch
from torch import Tensor

from longctx_edu.checks.ask import ask, on_error, tensor_of
from longctx_edu.checks.compare import agree
from longctx_edu.checks.report import check, require

__all__ = ["check_top_p_shares"]

FOUR = [0.125, 0.5, 0.25, 0.125 / 2, 0.125 / 2 * 0.75, 0.125 / 2 * 0.25]


@check("As many words as the model is unsure of, and their shares sum to 1.")
def check_top_p_shares(top_p_shares: Callable):
    """Between two words, less than the first, nearly all, all; then drawn ones."""
    shares = torch.tensor(FOUR)
    for p in (0.6, 0.3, 0.8, 0.9, 1.0, 0.5, 0.75):  # the last two are covered exactly
        one_share(top_p_shares, shares, p)
    for n in (1, 2, 9, 40):
        numbers = torch.randn(n, generator=torch.Generator().manual_seed(n))
        for p in (0.1, 0.5, 0.95):
            one_share(top_p_shares, (2 * numbers).softmax(dim=0), p)


def one_share(top_p_shares: Callable, shares: Tensor, p: float) -> None:
    """Ask for the words that cover one share."""
    with on_error("shares has one axis: sort, cumsum and softmax along dim 0"):
        got = ask(top_p_shares, shares, p)
    got = tensor_of(got, tuple(shares.shape), "word", hint="a share for each word")
    require(
        not got.isnan().any(),
        "at least one word stays",
        given={"shares": shares, "p": p},
        came=got,
        expected=kept(shares, nucleus(shares, p)),
        hint="0 / 0, nothing was left: the word that crosses p stays, and p is a share "
        "of all words together, not the least share of one",
    )
    stays = nucleus(shares, p)
    agree(
        "the fewest words that cover p, scaled to sum to 1",
        got,
        kept(shares, stays),
        given={"shares": shares, "p": p},
        hint="from the largest down; a word stays if those before it cover less than p",
        mistakes=mistakes(shares, p, stays),
    )


def nucleus(shares: Tensor, p: float) -> list[int]:
    """List the words that stay, the likeliest first, by adding one after another.

    Example:
        >>> nucleus(torch.tensor([0.2, 0.5, 0.3]), 0.6)
        [1, 2]
    """
    order = sorted(range(len(shares)), key=lambda word: -float(shares[word]))
    stays, covered = [], 0.0
    for word in order:
        if covered >= p - 1e-9:
            break
        stays.append(word)
        covered += float(shares[word])
    return stays


def kept(shares: Tensor, words: list[int], *, scaled: bool = True) -> Tensor:
    """Leave some words' shares, scaled to sum to 1."""
    left = torch.zeros_like(shares, dtype=torch.float64)
    left[words] = shares[words].double()
    return left / left.sum() if scaled and words else left


def mistakes(shares: Tensor, p: float, stays: list[int]) -> list[tuple[Tensor, str]]:
    """List what misconceptions give; those that happen to be right are left out."""
    order = shares.argsort(descending=True).tolist()
    few, many = stays[:-1], order[: len(stays) + 1]
    right = kept(shares, stays)
    ordered = torch.cat([right[order], right[:0]])
    rising = [w for w in order[::-1] if float(shares[shares <= shares[w]].sum()) <= p]
    low = [w for w in range(len(shares)) if float(shares[w]) >= p]
    first = [w for w in range(len(shares)) if float(shares[:w].sum()) < p]
    unscaled = kept(shares, stays, scaled=False)
    one_less = "one word too few: the word that crosses p stays, since without it p is "
    smoothed = torch.where(unscaled > 0, unscaled, 0.0).softmax(dim=0)
    inside = torch.full_like(right, -torch.inf)
    inside[stays] = shares[stays].double()
    found = [
        (kept(shares, few), one_less + "not covered"),
        (kept(shares, few, scaled=False), one_less + "not covered"),
        (kept(shares, many), "one word too many: stop at the word that crosses p"),
        (kept(shares, many, scaled=False), "one word too many: stop at the word that "
         "crosses p"),
        (unscaled, "what is left sums to less than 1: divide by its sum"),
        (ordered[order], "s[order] sorts once more: left[order] = s brings it back"),
        (ordered, "the answer is in the order of the sort: bring it back, "
         "left[order] = ..."),
        (kept(shares, rising), "from the largest down: sort(descending=True)"),
        (kept(shares, low), "p is a share of all words together, not the least share "
         "of one"),
        (kept(shares, first), "sort first: the likeliest words stay, not the first "
         "of the list"),
        (smoothed, "a softmax of shares flattens them, and gives 0 a share: divide "
         "by the sum"),
        (inside.softmax(dim=0), "a softmax of shares flattens them: divide by the "
         "sum"),
        (shares, "nothing was left out"),
    ]  # fmt: skip
    return [(x, words) for x, words in found if (x - right).abs().max() > 1e-4]
