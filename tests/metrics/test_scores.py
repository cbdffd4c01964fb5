import dataclasses
import random
import re
import time
import warnings

import pytest
import seqeval.metrics
from hypothesis import given
from hypothesis import strategies as st
from seqeval.scheme import IOB2

from longctx_edu.metrics import Score, entities, entity_scores
from longctx_edu.metrics.scores import mean_score

TAGS = ["O", "B-A", "I-A", "B-B", "I-B", "B-C", "I-C"]


@st.composite
def pairs(draw):
    """Return gold and predicted tags of the same lengths, valid or not."""
    texts = draw(
        st.lists(
            st.lists(
                st.tuples(st.sampled_from(TAGS), st.sampled_from(TAGS)), max_size=12
            ),
            min_size=1,
            max_size=5,
        )
    )
    return [[g for g, _ in t] for t in texts], [[p for _, p in t] for t in texts]


def entity_counts_by_loops(gold, predicted):
    """Count right, predicted and gold entities, text by text and pair by pair."""
    right = said = there = 0
    for gold_tags, tags in zip(gold, predicted, strict=True):
        said += len(entities(tags))
        there += len(entities(gold_tags))
        for entity in entities(tags):
            for other in entities(gold_tags):
                right += entity == other
    return right, said, there


# equals the definition


@given(pairs())
def test_micro_equals_the_counts(texts):
    wanted = Score.from_counts(*entity_counts_by_loops(*texts))
    assert entity_scores(*texts)["micro"] == wanted


# equals seqeval


@given(pairs())
def test_entity_scores_equal_seqeval_strict(texts):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of scores that are undefined
        report = seqeval.metrics.classification_report(
            *texts, mode="strict", scheme=IOB2, output_dict=True, zero_division=0
        )
    report = {name.split()[0]: row for name, row in report.items()}
    assert report.pop("weighted")
    ours = entity_scores(*texts)
    if len(ours) == 2:  # no type at all, where seqeval's means are nan
        ours.pop("macro"), report.pop("macro")
    assert ours.keys() == report.keys()
    for name, row in report.items():
        assert dataclasses.asdict(ours[name]) == pytest.approx(
            {key.replace("-score", ""): float(value) for key, value in row.items()},
            abs=1e-12,
        )


# properties


@given(pairs())
def test_swapping_gold_and_predicted_swaps_precision_and_recall(texts):
    gold, predicted = texts
    there, back = entity_scores(gold, predicted), entity_scores(predicted, gold)
    for name in there:
        assert there[name].precision == back[name].recall
        assert there[name].f1 == back[name].f1


@given(pairs())
def test_one_hundred_percent_for_the_gold_tags_themselves(texts):
    gold, _ = texts
    scores = entity_scores(gold, gold)
    for name in scores.keys() - {"micro", "macro"}:
        assert scores[name].precision == scores[name].recall == scores[name].f1 == 1.0


def test_f1_is_the_harmonic_mean():
    score = Score.from_counts(true_positive=3, predicted=4, gold=10)
    p, r = score.precision, score.recall
    assert (p, r) == (0.75, 0.3)
    assert score.f1 == pytest.approx(2 * p * r / (p + r), abs=1e-15)


# edges


def test_what_is_undefined_is_zero():
    assert Score.from_counts(0, 0, 0) == Score(0.0, 0.0, 0.0, 0)
    assert Score.from_counts(0, 3, 0) == Score(0.0, 0.0, 0.0, 0)
    assert Score.from_counts(0, 0, 3) == Score(0.0, 0.0, 0.0, 3)
    assert mean_score([]) == Score(0.0, 0.0, 0.0, 0)


def test_no_texts_and_no_tokens():
    for texts in ([], [[]]):
        assert entity_scores(texts, texts).keys() == {"micro", "macro"}


def test_types_in_alphabetical_order_then_micro_and_macro():
    scores = entity_scores([["B-Z", "B-A"]], [["B-M", "O"]])
    assert list(scores) == ["A", "M", "Z", "micro", "macro"]


def test_the_same_span_in_another_text_is_not_right():
    assert entity_scores([["B-A"], ["O"]], [["O"], ["B-A"]])["micro"].f1 == 0.0


def test_scores_200_000_tokens_in_half_a_second():
    chooser = random.Random(0)
    share = [54, 1, 1, 1, 1, 1, 1]  # a tenth of the tokens belongs to entities
    gold, predicted = (
        [chooser.choices(TAGS, share, k=2000) for _ in range(100)] for _ in range(2)
    )
    fastest_s = float("inf")
    for _ in range(5):
        began_s = time.perf_counter()
        entity_scores(gold, predicted)
        fastest_s = min(fastest_s, time.perf_counter() - began_s)
    assert fastest_s < 0.5


# messages


@pytest.mark.parametrize(
    ("gold", "predicted", "message"),
    [
        (
            [["O"], ["O"], ["O"]],
            [["O"], ["O"]],
            "need as many predicted texts as gold ones, got 2 predicted and 3 gold",
        ),
        (
            [["O"], ["O", "O"]],
            [["O"], ["O"]],
            "need one predicted tag a gold tag, got 1 predicted and 2 gold in text 1",
        ),
    ],
)
def test_refuses_texts_that_do_not_match(gold, predicted, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        entity_scores(gold, predicted)


def test_refuses_a_tag_outside_iob2():
    with pytest.raises(ValueError, match="need tags O, B-TYPE or I-TYPE, got 'X'"):
        entity_scores([["X"]], [["O"]])
