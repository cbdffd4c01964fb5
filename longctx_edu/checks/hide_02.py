"""Check of lesson 02: tokens hidden for a model that is to fill the gaps."""

from collections.abc import Callable

import torch
from torch import Tensor

from longctx_edu.checks.ask import ask, on_error, tensor_of
from longctx_edu.checks.pairs_02 import pair_of
from longctx_edu.checks.report import check, require

__all__ = ["check_hide_tokens"]

VOCAB, MASK, SPECIAL, NONE = 50, 1, (0, 1, 2), -100
GIVEN = {"vocab_size": VOCAB, "mask_id": MASK, "special_ids": SPECIAL}
CLOSE = 0.03  # many times the standard deviation of each share below


@check("A few tokens are asked for: most hidden, some swapped, some left to be read.")
def check_hide_tokens(hide_tokens: Callable):
    """Many texts that begin with a special token: labels, then inputs, then chance."""
    ids = torch.randint(3, VOCAB, (16, 2000), generator=seeded(5))
    ids[:, 0], ids[:, -3:] = 0, 2
    inputs, labels = hidden(hide_tokens, ids, 0.15, 0)
    labels_are_right(ids, inputs, labels)
    inputs_are_right(ids, inputs, labels)
    chance_is_right(hide_tokens, ids, inputs)


def labels_are_right(ids: Tensor, inputs: Tensor, labels: Tensor) -> None:
    """The true id where one is asked for, and -100 elsewhere."""
    asked, special = labels != NONE, torch.isin(ids, torch.tensor(SPECIAL))
    other = "no other number marks a token without a question than -100"
    all_asked = "everything is asked for: labels are -100 where nothing was chosen"
    require(
        not asked.all(),
        "where nothing was chosen the label is -100",
        given={"ids[0]": ids[0]},
        came={"labels[0]": labels[0]},
        expected="-100 in most places",
        hint=all_asked if torch.equal(ids, labels) else other,
    )
    require(
        not (asked & special).any(),
        "special tokens are never asked for, nor hidden",
        given={"special_ids": SPECIAL, "ids[0]": ids[0]},
        came={"labels[0]": labels[0]},
        expected="-100 at the start and at the padding",
        hint="leave the special ids out of the choice: torch.isin(ids, ...)",
    )
    wrong = asked & (labels != ids)
    masks = bool((labels[wrong] == MASK).all()) if wrong.any() else False
    hint = "a label is what stood there before: take it from ids, not from the inputs"
    require(
        not wrong.any(),
        "a label is the true id, or -100",
        came=labels[wrong][:8],
        expected=ids[wrong][:8],
        hint=hint if masks or (inputs == labels)[wrong].all() else other,
    )
    share, ordinary = float(asked[~special].float().mean()), int((~special).sum())
    near = [
        (1.00, all_asked),
        (0.85, "the other way round: share is what is asked for, not what is left"),
        (0.12, "the tokens that were swapped or left as they are, are asked for too"),
        (0.135, "the tokens that were left as they are, are asked for too"),
    ]
    fits = [hint for at, hint in near if abs(share - at) < 0.006]
    require(
        abs(share - 0.15) < 0.0075,
        "15 of 100 ordinary tokens are asked for",
        given={"share": 0.15, "ordinary tokens": ordinary},
        came=f"{share:.3f} of them have a label",
        expected="0.150",
        hint=fits[0] if fits else "a draw from 0 to 1 is below share that often",
    )


def inputs_are_right(ids: Tensor, inputs: Tensor, labels: Tensor) -> None:
    """Eighty, ten and ten of a hundred that are asked for."""
    asked = labels != NONE
    changed = (inputs != ids) & ~asked
    require(
        not changed.any(),
        "what is not asked for stays",
        came=f"{int(changed.sum())} tokens without a label differ",
        expected="0",
        hint="change the inputs only where a token was chosen; nobody asks about the "
        "others, and the model should read them",
    )
    before, now = ids[asked], inputs[asked]
    masked, left = now == MASK, now == before
    swapped = now[~masked & ~left]
    shares = [float(x.float().mean()) for x in (masked, ~masked & ~left, left)]
    near = [
        ((1.0, 0, 0), "all of them are hidden: 80 of 100 are; else the model never "
         "has to read what stands there"),
        ((0, 0, 1.0), "nothing is hidden: put mask_id into a copy of ids"),
        ((0.8, 0, 0.2), "none is swapped: 10 of 100 become another token"),
        ((0.8, 0.2, 0), "none is left: 10 of 100 stay as they are"),
        ((0.8, 0.1 - 0.08, 0.1 + 0.08), "swapped are a tenth of all that was chosen, "
         "not of what was left over"),
        ((0.1, 0.1, 0.8), "80 of 100 are hidden, 10 stay: the other way round"),
        ((0.1, 0.8, 0.1), "80 of 100 are hidden, 10 are swapped"),
        ((0.9, 0, 0.1), "10 of 100 become another token, not the mask"),
    ]  # fmt: skip
    came = torch.tensor(shares)
    off = [(float((came - torch.tensor(at)).abs().max()), words) for at, words in near]
    fits = [words for distance, words in sorted(off) if distance < CLOSE]
    require(
        abs(shares[0] - 0.8) < CLOSE and abs(shares[2] - 0.1) < CLOSE,
        "of those that are asked for, 80 % are hidden, 10 % swapped, 10 % left",
        came="{:.2f} hidden, {:.2f} swapped, {:.2f} left".format(*shares),
        expected="0.80 hidden, 0.10 swapped, 0.10 left",
        hint=fits[0]
        if fits
        else "one more number for each token decides what becomes "
        "of it: below 0.8, below 0.9, else",
    )
    swapped_are_ordinary(swapped)


def swapped_are_ordinary(swapped: Tensor) -> None:
    """Drawn one by one, from all that is not special."""
    kinds = set(swapped.tolist())
    require(
        not kinds & set(SPECIAL) and max(kinds) < VOCAB,
        "a swapped token is an ordinary one",
        came=sorted(kinds & set(SPECIAL)) or max(kinds),
        expected=f"ids from 0 to {VOCAB - 1} without {SPECIAL}",
        hint="draw from the ids that are not special",
    )
    require(
        len(kinds) > 0.8 * (VOCAB - len(SPECIAL)),
        "each swapped token is drawn for itself, from all that there are",
        came=f"{len(kinds)} different tokens among {len(swapped)}",
        expected=f"about {VOCAB - len(SPECIAL)}",
        hint="draw one id for each place: torch.randint(..., ids.shape, ...)",
    )


def chance_is_right(hide_tokens: Callable, ids: Tensor, first: Tensor) -> None:
    """The generator decides, the share is used, and ids stay as they are."""
    again, _ = hidden(hide_tokens, ids, 0.15, 0)
    other, _ = hidden(hide_tokens, ids, 0.15, 1)
    require(
        torch.equal(first, again) and not torch.equal(first, other),
        "the same seed hides the same tokens, another seed others",
        came="others from the same seed"
        if not torch.equal(first, again)
        else "the same from another seed",
        expected="all chance from the generator",
        hint="give generator=generator to each torch.rand and torch.randint",
    )
    _, labels = hidden(hide_tokens, ids, 0.5, 0)
    ordinary = ~torch.isin(ids, torch.tensor(SPECIAL))
    share = float((labels != NONE)[ordinary].float().mean())
    require(
        abs(share - 0.5) < CLOSE,
        "share says how many are asked for",
        given={"share": 0.5},
        came=f"{share:.2f}",
        expected="0.50",
        hint="use the parameter share; 0.15 is only its usual value",
    )


def hidden(hide_tokens: Callable, ids: Tensor, share: float, seed: int) -> list[Tensor]:
    """Ask for a hiding, and take the answer for inputs and labels."""
    with on_error("a choice is one bool a token: torch.where(chosen, one, other)"):
        got = ask(hide_tokens, ids, **GIVEN, share=share, generator=seeded(seed))
    return [
        tensor_of(part, tuple(ids.shape), f"batch token, {name}", dtype=torch.int64)
        for name, part in zip(
            ("inputs", "labels"), pair_of(got, "inputs, labels"), strict=True
        )
    ]


def seeded(seed: int) -> torch.Generator:
    """Make a source of chance."""
    return torch.Generator().manual_seed(seed)
