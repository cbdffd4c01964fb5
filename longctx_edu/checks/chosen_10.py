"""Checks of lesson 10: which tokens become global, and a table with special rows."""

from collections.abc import Callable

import torch

from longctx_edu.checks.ask import ask, on_error, tensor_of
from longctx_edu.checks.compare import agree
from longctx_edu.checks.oracles import drawn
from longctx_edu.checks.plain import ask_plain, equal, list_of, on_kind
from longctx_edu.checks.report import check, require

__all__ = [
    "check_best_tokens",
    "check_help_of_keys",
    "check_starts_of_sentences",
    "check_table_with_special",
]

FIRST = "the first word of the text begins a sentence: nothing stands before it"
BEFORE = "look at the word before: is it one of the marks?"
LETTER = "ask for the mark before, not for the letter: names have capitals too"
NO_WORDS = "an empty text gives an empty list: no words[0]"
# words, starts, property, hint
BEGUN = (
    ("A b . C d", (0, 3), "the word after a full stop begins a sentence", BEFORE),
    ("a b . c d", (0, 3), "small letters begin sentences too", LETTER),
    ("A ? B ! C", (0, 2, 4), "? and ! end a sentence too", "all three marks end one"),
    ("A . . B", (0, 3), "a mark begins no sentence", "two conditions: no mark itself"),
    ("Ada met Ida .", (0,), "a capital letter inside begins nothing", LETTER),
    ("Mr. Poe ran", (0,), "a mark is a word of its own", "whole words, not endswith"),
    ("", (), "no words, no starts", NO_WORDS),
)


@check("A sentence begins behind a mark; the first word begins the first.")
def check_starts_of_sentences(starts_of_sentences: Callable):
    """Marks, letters, runs of marks, abbreviations, nothing."""
    for text, starts, prop, hint in BEGUN:
        words = text.split()
        with on_kind(IndexError, NO_WORDS):
            got = ask_plain(starts_of_sentences, words)
        flags = list_of(got, "bools")
        want = [place in starts for place in range(len(words))]
        require(
            len(flags) == len(words),
            "one bool a word",
            came=flags,
            expected=want,
            given={"words": words},
            hint="a flag for each word, not the list of places",
        )
        marks = [place > 0 and w in ".!?" for place, w in enumerate(words)]
        late = [False, *want[1:]]
        equal(
            prop,
            [bool(flag) for flag in flags],
            want,
            given={"words": words},
            hint=hint,
            mistakes=[(late, FIRST), (marks, "the word after the mark, not the mark")],
        )


# scores, real tokens, budget, chosen, property, hint
CHOSEN = (
    ([0.1, 0.9, 0.5, 0.7], 4, 2, (1, 3), "the two largest of four", "largest first"),
    (
        [-3.0, -1.0, -2.0, -5.0],
        4,
        1,
        (1,),
        "scores below 0 are scores",
        "logits may be negative: compare them with each other, not with 0",
    ),
    (
        [0.1, 0.2, 0.9, 0.8],
        2,
        1,
        (1,),
        "filling is never chosen",
        "give what is not real a score of -inf before you choose",
    ),
    (
        [-3.0, -1.0, 0.0, 0.0],
        2,
        1,
        (1,),
        "filling is not chosen either where all real scores are below 0",
        "-inf, not 0: scores times keep makes filling look good",
    ),
    (
        [0.5, 0.7, 0.7, 0.7],
        4,
        2,
        (1, 2),
        "of equal scores the earlier token wins, and no more than the budget",
        "a threshold takes all that are equal, topk any: sort with stable=True",
    ),
    (
        [0.1, 0.2, 0.9, 0.8],
        2,
        3,
        (0, 1),
        "fewer real tokens than the budget: these and nothing else",
        "choose min(budget, number of real tokens)",
    ),
    (
        [0.1, 0.2],
        2,
        9,
        (0, 1),
        "a budget beyond the text takes all",
        "choose min(budget, number of real tokens)",
    ),
    ([0.1, 0.2], 2, 0, (), "a budget of 0 takes none", "x[-0:] is all of x"),
)


@check("The best real tokens, the earlier of two, never more than the budget.")
def check_best_tokens(best_tokens: Callable):
    """Largest, below zero, filling, ties, budgets that are too large or 0."""
    for numbers, n_real, budget, chosen, prop, hint in CHOSEN:
        scores = torch.tensor(numbers)
        place = torch.arange(len(numbers))
        with on_error(hint):
            got = ask(best_tokens, scores, place < n_real, budget)
        shape = (len(numbers),)
        words = "bools, one a token: index_fill turns places into them"
        got = tensor_of(got, shape, "token", dtype=torch.bool, hint=words)
        want = torch.tensor([p in chosen for p in range(len(numbers))])
        given = {"scores": scores, "keep": place < n_real, "budget": budget}
        right = torch.equal(got, want)
        require(right, prop, came=got, expected=want, hint=hint, given=given)


def slow_help(weights: torch.Tensor, gradients: torch.Tensor, side: int) -> list[float]:
    """Add up with loops."""
    n = len(weights)
    return [
        sum(
            (
                -float(weights[i, j]) * float(gradients[i, j])
                for i in range(n)
                if abs(i - j) > side
            ),
            0.0,
        )
        for j in range(n)
    ]


@check("More weight, less loss: that is help, and only from outside the window.")
def check_help_of_keys(help_of_keys: Callable):
    """A square of three by hand, then random ones with windows of 0, 1 and all."""
    weights, gradients = drawn(5, 5).softmax(-1), drawn(6, 6)[:5, :5]
    for side in (1, 0, 2, 9):
        far = (torch.arange(5)[:, None] - torch.arange(5)).abs() > side
        product = weights * gradients
        within = (torch.arange(5)[:, None] - torch.arange(5)).abs() >= side
        got = ask(help_of_keys, weights, gradients, side)
        agree(
            "side 9 of 5 tokens: nobody stands outside"
            if side == 9
            else f"help from queries more than {side} tokens away",
            tensor_of(got, (5,), "key", hint="one number a key: sum over the queries"),
            slow_help(weights, gradients, side),
            given={"weights": weights, "gradients": gradients, "side": side},
            hint="minus weight times gradient, outside of the window, over queries",
            mistakes=[
                ((product * far).sum(0), "a positive gradient harms: minus the sum"),
                ((-product * far).sum(1), "one number a key: sum over the queries, 0"),
                (-product.sum(0), "leave out the queries within the window"),
                ((-product * within).sum(0), "more than side away: >, not >="),
                ((-product * ~far).sum(0), "these are the near ones: turn the mask"),
                (
                    (-gradients * far).sum(0),
                    "times the weight: what nobody looks at is no help",
                ),
                ((product.abs() * far).sum(0), "keep the sign: harm is no help"),
                ((-product * far).mean(0), "the sum over the queries, not the mean"),
            ],
        )


@check("Special rows once and in front; trained rows over and over.")
def check_table_with_special(table_with_special: Callable):
    """Lengths that divide and that do not, no special rows, long enough already."""
    for rows, n_special, n_places in ((5, 2, 6), (5, 2, 7), (4, 0, 9), (6, 1, 3)):
        table = torch.arange(rows)[:, None] + torch.tensor([0.0, 0.5])
        trained = rows - n_special
        order = [n_special + place % trained for place in range(n_places)]
        if n_places <= trained:
            order = list(range(n_special, rows))
        want = table[[*range(n_special), *order]]
        with on_error("a place has row place + n_special: count both apart"):
            got = ask(table_with_special, table, n_places, n_special)
        given = {"table": table, "n_places": n_places, "n_special": n_special}
        text = f"{n_places} places behind {n_special} special rows"
        require(
            isinstance(got, torch.Tensor) and got.shape[-1:] == (2,),
            "the result is a table with rows of two numbers",
            came=got,
            expected=want,
            hint="torch.cat joins rows; a function without return gives None",
        )
        require(
            len(got) == len(want),
            text if n_places > trained else "a table that is long enough stays",
            came=f"{len(got)} rows",
            expected=f"{len(want)} rows",
            given=given,
            hint="n_special rows more than places"
            if n_places > trained
            else "never cut: max(n_places, rows that are there)",
        )
        agree(
            text,
            got,
            want,
            given=given,
            hint="place p has row n_special + p % (number of trained rows)",
            mistakes=tables_of_mistakes(table, order, n_special, len(want)),
        )


def tables_of_mistakes(
    table: torch.Tensor, order: list[int], n_special: int, n: int
) -> list[tuple[torch.Tensor, str]]:
    """Say what known misconceptions give, each with its hint."""
    rows, front = len(table), range(n_special)
    zeros = table.new_zeros(max(0, n - rows), 2)
    return [
        (
            table[[row % rows for row in range(n)]],
            "special rows are never copied: cut them off first",
        ),
        (
            table[[min(row, rows - 1) for row in range(n)]],
            "copy all rows over and over, not the last one",
        ),
        (
            torch.cat([table, zeros]),
            "new rows are copies of trained ones, not zeros",
        ),
        (table[[*order, *front]], "the special rows stand in front"),
    ]
