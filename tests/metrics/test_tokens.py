import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longctx_edu.metrics import Score, confusion, token_accuracy, token_scores

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


# equals the definition


@given(pairs())
def test_confusion_equals_loops(texts):
    labels, counts = confusion(*texts)
    flat = [(g, p) for gs, ps in zip(*texts, strict=True) for g, p in zip(gs, ps)]  # noqa: B905
    for row, gold in enumerate(labels):
        for column, predicted in enumerate(labels):
            assert counts[row, column] == flat.count((gold, predicted))
    assert counts.sum() == len(flat)


@given(pairs())
def test_token_scores_equal_loops(texts):
    flat = [(g, p) for gs, ps in zip(*texts, strict=True) for g, p in zip(gs, ps)]  # noqa: B905
    scores = token_scores(*texts)
    inside = scores.pop("micro without O")
    for tag, score in scores.items():
        right = flat.count((tag, tag))
        said = sum(p == tag for _, p in flat)
        there = sum(g == tag for g, _ in flat)
        assert score == Score.from_counts(right, said, there)
    right = sum(g == p != "O" for g, p in flat)
    said, there = sum(p != "O" for _, p in flat), sum(g != "O" for g, _ in flat)
    assert inside == Score.from_counts(right, said, there)
    right_all = sum(g == p for g, p in flat)
    assert token_accuracy(*texts) == (right_all / len(flat) if flat else 0.0)


# properties


@given(pairs())
def test_swapping_gold_and_predicted_transposes_the_counts(texts):
    gold, predicted = texts
    labels, counts = confusion(gold, predicted)
    swapped_labels, swapped = confusion(predicted, gold)
    assert labels == swapped_labels and (counts == swapped.mT).all()


# edges


def test_no_texts_and_no_tokens():
    for texts in ([], [[]]):
        assert token_accuracy(texts, texts) == 0.0
        labels, counts = confusion(texts, texts)
        assert labels == [] and counts.shape == (0, 0)
        assert token_scores(texts, texts)["micro without O"].support == 0


def test_rows_are_gold_and_labels_stand_by_type():
    labels, counts = confusion([["B-B", "I-A", "O"]], [["B-B", "B-A", "I-B"]])
    assert labels == ["O", "B-A", "I-A", "B-B", "I-B"]
    assert counts[labels.index("I-A"), labels.index("B-A")] == 1
    assert counts[labels.index("B-A"), labels.index("I-A")] == 0


# messages


@pytest.mark.parametrize("score", [token_scores, token_accuracy, confusion])
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
def test_refuses_texts_that_do_not_match(score, gold, predicted, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        score(gold, predicted)


@pytest.mark.parametrize("score", [token_scores, confusion])
def test_refuses_a_tag_outside_iob2(score):
    with pytest.raises(ValueError, match="need tags O, B-TYPE or I-TYPE, got 'X'"):
        score([["X"]], [["O"]])
