"""Check of lesson 02: the tokens that go in, and those that are asked for."""

from collections.abc import Callable

import torch

from longctx_edu.checks.ask import ask, tensor_of
from longctx_edu.checks.compare import agree
from longctx_edu.checks.plain import list_of
from longctx_edu.checks.report import check, require

__all__ = ["check_next_token_pairs", "pair_of"]

WINDOWS = torch.tensor([[11, 12, 13, 14, 15], [21, 22, 23, 24, 25]])


@check("The label of each token is the one behind it, and the last has none left.")
def check_next_token_pairs(next_token_pairs: Callable):
    """Two windows of five tokens: four go in, four are asked for."""
    inputs, labels = pair_of(ask(next_token_pairs, WINDOWS), "inputs, labels")
    four = "n + 1 tokens make n questions: the last token has nothing behind it"
    whole = torch.Size((2, 5))
    rolled = isinstance(labels, torch.Tensor) and labels.shape == whole
    around = rolled and any(map(labels.equal, (WINDOWS.roll(-1, 1), WINDOWS.roll(-1))))
    turned = "roll asks the last token for the first one: leave it out instead"
    two = "two tokens are lost: the label of a token is the next one, not the second"
    over = "cut along the tokens, [:, :-1]; [:-1] leaves out a whole text"
    sizes = {(2, 3): two, (1, 5): over, (2, 5): turned if around else four}
    for name, part in (("inputs", inputs), ("labels", labels)):
        shape = tuple(getattr(part, "shape", ()))
        tensor_of(
            part,
            (2, 4),
            f"batch token, in the {name}",
            dtype=torch.int64,
            hint=sizes.get(shape, four) if around is False else turned,
        )
    agree(
        "the label of a token is the token behind it",
        labels - inputs,
        torch.ones(2, 4),
        given={"ids": WINDOWS, "your inputs": inputs, "your labels": labels},
        hint="inputs are all tokens but the last, labels all but the first",
        mistakes=[
            (torch.zeros(2, 4), "each token is asked for itself, and sees itself: "
             "shift the labels by one"),
            (-torch.ones(2, 4), "the wrong way: this asks for the token before, which "
             "the model has just read"),
            (torch.full((2, 4), 10), "shifted over the texts: the tokens are the "
             "second axis"),
        ],
    )  # fmt: skip
    agree("the first token goes in first", inputs, WINDOWS[:, :-1], hint="ids[:, :-1]")


def pair_of(got: object, names: str) -> list:
    """Take an answer for a pair, or say what it is."""
    parts = list_of(got, f"two tensors, {names}")
    require(
        len(parts) == 2,
        "the result is a pair",
        came=f"{len(parts)} things",
        expected=names,
        hint=f"return both, with a comma between: return {names}",
    )
    return parts
