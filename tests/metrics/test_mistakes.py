import pytest
from hypothesis import given
from hypothesis import strategies as st

from longctx_edu.metrics import (
    MISTAKES,
    Entity,
    Mistake,
    count_mistakes,
    entities,
    errors_by_kind,
    mistakes,
)
from longctx_edu.metrics.mistakes import kind_of, owners

TAGS = ["O", "B-A", "I-A", "B-B", "I-B"]
texts = st.lists(st.tuples(st.sampled_from(TAGS), st.sampled_from(TAGS)), max_size=15)
GOLD = ["O", "B-A", "I-A", "I-A", "O"]


# by hand


@pytest.mark.parametrize(
    ("predicted", "kinds"),
    [
        (["O", "B-A", "I-A", "I-A", "O"], []),
        (["O", "B-B", "I-B", "I-B", "O"], ["wrong type"]),
        (["O", "B-A", "I-A", "O", "O"], ["wrong boundary"]),
        (["B-A", "I-A", "I-A", "I-A", "O"], ["wrong boundary"]),
        (["O", "B-B", "O", "B-A", "O"], ["wrong boundary"]),
        (["O", "O", "O", "B-B", "I-B"], ["wrong boundary and type"]),
        (["O", "I-A", "I-A", "O", "O"], ["missed"]),
        (["B-A", "O", "O", "O", "B-A"], ["spurious", "missed", "spurious"]),
    ],
)
def test_kinds_by_hand(predicted, kinds):
    assert [mistake.kind for mistake in mistakes(GOLD, predicted)] == kinds


def test_all_overlapping_predictions_stand_at_a_mistake():
    found = mistakes(GOLD, ["O", "B-B", "O", "B-A", "I-A"])
    wanted = (Entity(1, 2, "B"), Entity(3, 5, "A"))
    assert found == [Mistake("wrong boundary", Entity(1, 4, "A"), wanted)]
    assert found[0].place == Entity(1, 4, "A")


def test_one_prediction_over_two_entities():
    said = Entity(0, 3, "A")
    assert mistakes(["B-A", "B-B", "I-B"], ["B-A", "I-A", "I-A"]) == [
        Mistake("wrong boundary", Entity(0, 1, "A"), (said,)),
        Mistake("wrong boundary and type", Entity(1, 3, "B"), (said,)),
    ]


def test_a_made_up_one_has_its_own_place():
    assert mistakes(["O", "O"], ["O", "B-A"])[0].place == Entity(1, 2, "A")


def test_counts_over_texts():
    counts = count_mistakes([GOLD, ["O"], []], [["O"] * 5, ["B-A"], []])
    assert counts == dict.fromkeys(MISTAKES, 0) | {"missed": 1, "spurious": 1}


# properties


@given(texts)
def test_the_counts_are_those_by_kind_with_the_boundaries_parted(pairs):
    gold, predicted = [g for g, _ in pairs], [p for _, p in pairs]
    counts = count_mistakes([gold], [predicted])
    kinds = errors_by_kind([gold], [predicted])
    both = counts.pop("wrong boundary and type")
    counts["wrong boundary"] += both
    assert counts == {kind: kinds[kind] for kind in counts}


@given(texts)
def test_each_entity_that_is_not_right_stands_once(pairs):
    gold, predicted = [g for g, _ in pairs], [p for _, p in pairs]
    found = mistakes(gold, predicted)
    there, said = set(entities(gold)), set(entities(predicted))
    lost = [mistake.gold for mistake in found if mistake.gold is not None]
    assert sorted(lost) == sorted(there - said)
    assert [m.place for m in found] == sorted(m.place for m in found)
    assert {e for m in found for e in m.predicted} == said - there


@given(texts)
def test_a_kind_follows_from_its_entity_and_what_overlaps_it(pairs):
    gold, predicted = [g for g, _ in pairs], [p for _, p in pairs]
    for mistake in mistakes(gold, predicted):
        if mistake.gold is not None:
            assert mistake.kind == kind_of(mistake.gold, mistake.predicted)


@given(texts)
def test_owners_are_the_entities_of_the_tokens(pairs):
    found = entities([g for g, _ in pairs])
    for token, number in enumerate(owners(found, len(pairs))):
        inside = [n for n, e in enumerate(found) if e.start <= token < e.stop]
        assert ([] if number is None else [number]) == inside


# messages


def test_refuses_texts_that_do_not_match():
    with pytest.raises(ValueError, match=r"got 0 predicted and 1 gold in text 0$"):
        mistakes(["O"], [])
    with pytest.raises(ValueError, match=r"got 0 predicted and 1 gold$"):
        count_mistakes([["O"]], [])
