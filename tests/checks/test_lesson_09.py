"""What the shared guards in tests/course do not hold: how messages look."""

import itertools

import machinery as m
import pytest
import torch

from longctx_edu.checks import lesson_09
from longctx_edu.checks.entities_09 import slow_entities
from longctx_edu.checks.loss_09 import slow_losses
from longctx_edu.checks.oracles import drawn
from longctx_edu.checks.plain import ask_plain, equal, list_of, numbers_of, on_kind
from longctx_edu.checks.report import CheckFailed
from longctx_edu.checks.scores_09 import slow_scores, texts
from longctx_edu.checks.training_09 import slow_stop
from longctx_edu.metrics import entities, entity_scores

answers = m.load_file(m.WRONG_ANSWERS / "lesson_09.py")


def test_a_message_reads_well():
    wrong = answers.WRONG["check_align_labels"]["if word"][0]
    assert lesson_09.check_align_labels(wrong).message.splitlines() == [
        "✗ align_labels: the first piece of each word has its label, all else -100",
        "  given:",
        "    word_ids = [None, 0, 1, 1, 1, 2, None]",
        "    labels = [7, 3, 5]",
        "  came:",
        "    [-100, -100, 3, -100, -100, 5, -100]",
        "  expected:",
        "    [-100, 7, 3, -100, -100, 5, -100]",
        "  hint: 0 is a word: `word is not None`",
    ]


def test_a_message_about_numbers_reads_well():
    wrong = answers.WRONG["check_micro_scores"]["plain mean"][0]
    assert lesson_09.check_micro_scores(wrong).message.splitlines() == [
        "✗ micro_scores: 1 of 2 is right, 1 of 3 is found",
        "  given:",
        "    gold = B-PER I-PER O B-LOC O B-ORG",
        "    predicted = B-PER I-PER O B-ORG O O",
        "  came:",
        "    [0.5, 0.3333, 0.4167]",
        "  expected:",
        "    [0.5, 0.3333, 0.4]",
        "  hint: the harmonic mean: 2 * p * r / (p + r)",
    ]


def test_the_oracle_of_entities_equals_the_library():
    alphabet = ("O", "B-A", "I-A", "B-B", "I-B")
    for tags in itertools.product(alphabet, repeat=5):
        ours = [(e.start, e.stop, e.type) for e in entities(tags)]
        assert slow_entities(tags) == ours


def test_the_oracle_of_scores_equals_the_library():
    gold, said = texts("B-A I-A O B-B; B-A"), texts("B-A O O B-B; B-A")
    micro = entity_scores(gold, said)["micro"]
    theirs = [micro.precision, micro.recall, micro.f1]
    assert slow_scores(gold, said) == pytest.approx(theirs)


def test_the_oracle_of_losses_equals_torch():
    logits, labels = drawn(7, 5), torch.tensor([0, 1, -100, 3, 4, -100, 2])
    losses = slow_losses(logits, labels)
    theirs = torch.nn.functional.cross_entropy(logits, labels)
    assert sum(losses) / len(losses) == pytest.approx(theirs.item(), abs=1e-6)


def test_the_oracle_of_stopping_on_paper():
    assert slow_stop([0.5, 0.7, 0.6, 0.65, 0.9], 2) == [2, 4]
    assert slow_stop([0.5, 0.5], 1) == [1, 2]
    assert slow_stop([0.1, 0.2], 3) == [2, 2]


def test_a_changed_list_is_seen():
    with pytest.raises(CheckFailed, match="the input stays as it is"):
        ask_plain(lambda x: x.pop(), [1, 2])


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "end it with return"),
        (torch.zeros(2), r"\.tolist\(\) makes a list"),
        ((x for x in "ab"), "yield makes a generator"),
        ("O O", "start with an empty list"),
    ],
)
def test_what_is_no_list_is_named(value, words):
    with pytest.raises(CheckFailed, match=words):
        list_of(value, "tags")


def test_numbers_are_taken_in_any_wrapping():
    assert numbers_of((1, torch.tensor(0.5)), ["a", "b"]) == [1.0, 0.5]
    assert numbers_of(torch.tensor([2.0]), ["a"]) == [2.0]
    for value, words in ((None, "end it with"), (True, "a plain one"), ("x", "plain")):
        with pytest.raises(CheckFailed, match=words):
            numbers_of(value, ["a"])
    with pytest.raises(CheckFailed, match="the result is a and b"):
        numbers_of(1.0, ["a", "b"])


def test_a_division_by_zero_gets_a_hint():
    with (
        pytest.raises(CheckFailed, match="ask first"),
        on_kind(ZeroDivisionError, "ask first"),
    ):
        1 / 0  # noqa: B018


def test_nan_equals_nothing():
    with pytest.raises(CheckFailed, match="hint: count"):
        equal("sums", [float("nan")], [float("nan")], hint="count")
