import pytest
from hypothesis import given
from hypothesis import strategies as st

from longctx_edu.metrics import KINDS, entities, entity_scores, errors_by_kind

TAGS = ["O", "B-A", "I-A", "B-B", "I-B"]
texts = st.lists(st.tuples(st.sampled_from(TAGS), st.sampled_from(TAGS)), max_size=15)


@given(texts)
def test_every_gold_entity_is_of_one_kind(pairs):
    gold, predicted = [g for g, _ in pairs], [p for _, p in pairs]
    counts = errors_by_kind([gold], [predicted])
    assert tuple(counts) == KINDS
    assert sum(counts[kind] for kind in KINDS[:-1]) == len(entities(gold))
    recall = entity_scores([gold], [predicted])["micro"].recall
    assert counts["correct"] == pytest.approx(recall * len(entities(gold)))


@given(texts)
def test_seen_from_the_other_side_missed_is_spurious(pairs):
    gold, predicted = [g for g, _ in pairs], [p for _, p in pairs]
    there = errors_by_kind([gold], [predicted])
    back = errors_by_kind([predicted], [gold])
    assert there["missed"] == back["spurious"]
    assert there["spurious"] == back["missed"]


@pytest.mark.parametrize(
    ("predicted", "kind"),
    [
        (["B-A", "I-A", "O"], "correct"),
        (["B-B", "I-B", "O"], "wrong type"),
        (["B-A", "O", "O"], "wrong boundary"),
        (["B-B", "I-B", "I-B"], "wrong boundary"),
        (["O", "I-A", "O"], "missed"),
    ],
)
def test_kinds_by_hand(predicted, kind):
    counts = errors_by_kind([["B-A", "I-A", "O"]], [predicted])
    assert counts == dict.fromkeys(KINDS, 0) | {kind: 1}


def test_a_prediction_on_nothing_is_spurious():
    assert errors_by_kind([["O", "O"]], [["B-A", "B-B"]])["spurious"] == 2


def test_refuses_texts_that_do_not_match():
    with pytest.raises(ValueError, match=r"got 0 predicted and 1 gold$"):
        errors_by_kind([["O"]], [])
