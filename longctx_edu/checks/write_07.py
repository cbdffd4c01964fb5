"""Check of lesson 07: a loop that writes on, reads each token once, and stops."""

from collections.abc import Callable

import torch
from torch import Tensor

from longctx_edu.checks.plain import equal, list_of, plain_numbers
from longctx_edu.checks.report import check, require

__all__ = ["check_write_on"]

N_WORDS, END = 7, 6
LESS = "the end token is the last new id: append first, then see whether it was the end"


@check("Each token is read once, the end is the last word, and enough is enough.")
def check_write_on(write_on: Callable):
    """A long text, one that ends, one that ends at once, one that may say nothing."""
    for prompt, most, end in (
        ([3, 1, 4], 5, -1), ([2], 9, END), ([5, 5], 9, 1), ([0, 2], 1, END),
        ([4, 2, 2], 6, 0), ([1], 0, END), ([END, 1], 8, END),
    ):  # fmt: skip
        one_text(write_on, prompt, most, end)


class Reader:
    """Stands for a model with a cache; its next word depends on all that it has read.

    Attributes:
        calls: The ids of each call.
    """

    def __init__(self):
        self.calls: list[list[int]] = []

    def __call__(self, ids: object) -> Tensor:
        """Read on, and give the logits of the next token."""
        require(
            isinstance(ids, list | tuple) and all(type(i) is int for i in ids),
            "read gets a list of ids",
            came=repr(ids) if not isinstance(ids, Tensor) else "a tensor",
            expected="a list of whole numbers: [token] for one",
            hint="read([token]): a list with the new id in it, int(...) of a tensor",
        )
        require(
            len(self.calls) < 40,
            "it stops",
            came="more than 40 calls of read",
            expected="`most` tokens at most",
            hint="count the new tokens, and stop at most",
        )
        self.calls.append(list(ids))
        return logits_after([i for call in self.calls for i in call])


def logits_after(ids: list[int]) -> Tensor:
    """Score the words by all that was read: one sum of places and ids decides.

    Example:
        >>> int(logits_after([2]).argmax()), int(logits_after([2, 2]).argmax())
        (5, 1)
    """
    mixed = sum((place + 2) * (i + 1) for place, i in enumerate(ids)) + len(ids) // 2
    likeliest, least = (mixed - 1) % N_WORDS, (mixed + 2) % N_WORDS
    scores = torch.arange(N_WORDS, dtype=torch.float32).cos() - 2
    scores[likeliest], scores[least] = 3.0, -9.0
    return scores


def one_text(write_on: Callable, prompt: list[int], most: int, end: int) -> None:
    """Ask for one text; what was read counts as well as what was said."""
    reader, handed = Reader(), list(prompt)
    got = list_of(write_on(reader, handed, most, end), "ids")
    new = plain_numbers(got)
    given = {"prompt": str(prompt), "most": most, "end": end}
    require(
        handed == prompt,
        "the prompt stays as it is",
        given=given,
        came=str(handed),
        expected=str(prompt),
        hint="new = prompt is the same list under another name: new = []",
    )
    once(reader.calls, prompt, given)
    want = written(prompt, most, end)
    equal(
        "the likeliest token, until the end or until it is enough",
        new,
        want,
        given=given,
        hint="argmax of the logits, append, and hand the new token to read",
        mistakes=[
            (prompt + want, "the new ids alone, without the prompt"),
            (want[:-1], LESS if end in want else "one too few: `most` new ids"),
            (written(prompt, most, -1), "nothing comes after the end token: see "
             "whether the last one was it"),
            (written(prompt, most + 1, end), "one too many: count the new ids"),
            (written(prompt, most - len(prompt), end), "most counts the new ids, not "
             "the prompt"),
            (written(prompt, most, end, least=True), "argmax, not argmin"),
            (written(prompt, most, end, least=True)[:1], "argmax, not argmin"),
        ],
    )  # fmt: skip

    read = [i for ids in reader.calls for i in ids]
    require(
        len(read) <= len(prompt) + len(want),
        "nothing is read after the end",
        given=given,
        came=f"read {read}",
        expected=f"read {prompt + want} at most",
        hint="stop reading once the end was said: each call of a real model costs",
    )


def once(calls: list[list[int]], prompt: list[int], given: dict) -> None:
    """Refuse a loop that reads the prompt in another way, or anything twice."""
    read: list[int] = []
    for ids in calls:
        behind = len(read) >= len(prompt)
        require(
            not behind or len(ids) == 1,
            "each token is read once",
            given=given,
            came=f"read {read}, then {ids}",
            expected="the prompt, then each new token alone",
            hint="read remembers: hand over the new token alone, not the whole text"
            if ids
            else "an empty list says nothing new: hand over the new token",
        )
        read += ids
    new = read[len(prompt) :]
    follows = all(
        token == int(logits_after([*prompt, *new[:n]]).argmax())
        for n, token in enumerate(new)
    )
    first = read[: len(prompt)] == prompt[: len(read)]
    require(
        first and (follows or chosen_otherwise(new, prompt)),
        "the prompt is read first, then each new token",
        given=given,
        came=f"read {read}",
        expected=f"read {prompt}, then the token that was said",
        hint="read([token]) with the token that was just chosen"
        if first
        else "unread = prompt before the loop: whole and in its order",
    )


def chosen_otherwise(new: list[int], prompt: list[int]) -> bool:
    """Tell whether another token than the likeliest was said, and read rightly."""
    return new[0] == int(logits_after(prompt).argmin())


def written(
    prompt: list[int], most: int, end: int, *, least: bool = False
) -> list[int]:
    """Write on by reading the whole text again for each token.

    Example:
        >>> written([2], most=3, end=5)
        [5]
    """
    new: list[int] = []
    while len(new) < most:
        logits = logits_after([*prompt, *new])
        new.append(int(logits.argmin() if least else logits.argmax()))
        if new[-1] == end:
            break
    return new
