"""Checks of lesson 09: labels from words to pieces, and tags back to words."""

from collections.abc import Callable

import torch

from longctx_edu.checks.ask import ask, on_error
from longctx_edu.checks.plain import ask_plain, equal, list_of, on_kind
from longctx_edu.checks.report import check

__all__ = ["check_align_labels", "check_tags_of_words"]

WORDS = [None, 0, 1, 1, 1, 2, None]
NAMES = ["O", "B-PER", "I-PER"]
LOGITS = torch.tensor(
    [
        [0.0, 1.0, 0.0],
        [0.0, 3.0, 1.0],
        [2.0, 0.0, 1.0],
        [0.0, 2.0, 1.9],
        [0.0, 4.0, 0.0],
    ]
)

POSITION = "labels belong to words, not to positions: labels[word]"
MISALIGNED = [
    ([-100, 7, 3, 3, 3, 5, -100], "one answer a word: its first piece alone"),
    ([-100, 7, -100, -100, 3, 5, -100], "the first piece, not the last"),
    ([0, 7, 3, -100, -100, 5, 0], "no word is no label: -100, 0 is the tag O"),
    ([0, 7, 3, 0, 0, 5, 0], "0 is the tag O and would be learnt: -100"),
    ([-100, 7, 3, 0, 0, 5, -100], "0 is the tag O: a later piece is no O"),
    ([-100, -100, 3, -100, -100, 5, -100], "0 is a word: `word is not None`"),
    ([-100, 0, 1, -100, -100, 2, -100], "this is the word: labels[word]"),
    ([7, 3, -100, -100, 5], "pieces without a word have their place as well"),
    ([7, 3, 5, -100, -100, -100, -100], POSITION),
    ([-100, 7, 3, 5, -100, -100, -100], POSITION),
]


@check("The first piece of a word has its label; nothing else is asked.")
def check_align_labels(align_labels: Callable):
    """Three words in seven pieces; words that share a label; another ignore_index."""
    with on_kind(TypeError, "a piece without a word is None, and None has no label"):
        got = list_of(ask_plain(align_labels, WORDS, [7, 3, 5]), "labels")
    equal(
        "the first piece of each word has its label, all else -100",
        got,
        [-100, 7, 3, -100, -100, 5, -100],
        given={"word_ids": WORDS, "labels": [7, 3, 5]},
        hint="one label a piece: labels[word] for a first piece, else ignore_index",
        mistakes=MISALIGNED,
    )
    got = list_of(ask_plain(align_labels, [0, 0, 1, 2], [4, 4, 4]), "labels")
    equal(
        "neighbours with the same label are still two words",
        got,
        [4, -100, 4, 4],
        given={"word_ids": [0, 0, 1, 2], "labels": [4, 4, 4]},
        hint="compare the numbers of the words, not their labels",
    )
    got = list_of(ask_plain(align_labels, [None, 0], [2], ignore_index=-1), "labels")
    equal(
        "ignore_index fills the places without a question",
        got,
        [-1, 2],
        given={"word_ids": [None, 0], "labels": [2], "ignore_index": -1},
        hint="use the parameter ignore_index; -100 is only its default",
    )


ROW = "argmax over the labels, the last axis: dim=-1"
MISREAD = [
    (["B-PER", "B-PER"], "follow word_ids; a later piece does not answer"),
    (["B-PER", "I-PER"], "do not add pieces up: the first one answers alone"),
    (["B-PER", "O", "B-PER"], "one tag a word: leave out its later pieces"),
    (["B-PER", "B-PER", "O", "B-PER", "B-PER"], "one tag a word, not a piece"),
    (["O"], "0 is a word: `word is not None`, not `if word`"),
    ([1, 0], "these are numbers of labels: names[label]"),
    (["O", "B-PER"], "the largest logit, not the smallest: argmax"),
]


@check("Each word has the tag that its first piece votes for.")
def check_tags_of_words(tags_of_words: Callable):
    """Two words in five pieces, where the later piece disagrees; then a longer text."""
    word_ids = [None, 0, 1, 1, None]
    with on_error(ROW):
        got = list_of(ask(tags_of_words, LOGITS, word_ids, list(NAMES)), "tags")
    equal(
        "a word has the best label of its first piece",
        got,
        ["B-PER", "O"],
        given={"word_ids": word_ids, "names": NAMES, "logits": LOGITS},
        hint="argmax of each row, then the rows of first pieces alone",
        mistakes=MISREAD,
    )
    logits = torch.eye(3).repeat(3, 1)
    got = ask(tags_of_words, logits, [0, 0, 0, 1, 2, 3, 3, 4, 5], list(NAMES))
    equal(
        "any number of words and pieces",
        list_of(got, "tags"),
        ["O", "O", "B-PER", "I-PER", "B-PER", "I-PER"],
        given={"word_ids": "[0, 0, 0, 1, 2, 3, 3, 4, 5]"},
        hint="nothing may depend on marks at both ends, or on two pieces a word",
    )
