import pytest
from hypothesis import given
from hypothesis import strategies as st

from longctx_edu.metrics import (
    NOVELTY,
    Score,
    entities,
    known_forms,
    novelty,
    scores_by_novelty,
)

TAGS = ["O", "B-A", "I-A", "B-B"]
WORDS = ["x", "y"]
row = st.tuples(st.sampled_from(WORDS), st.sampled_from(TAGS), st.sampled_from(TAGS))
KNOWN = {"New York": ["LOC"], "Ada": ["PER", "ORG"]}


# by hand


def test_forms_with_all_their_types():
    tokens = [["New", "York", "Ada"], ["Ada", "ada", "sings"]]
    tags = [["B-LOC", "I-LOC", "B-PER"], ["B-ORG", "B-PER", "O"]]
    assert known_forms(tokens, tags) == {
        "New York": {"LOC"},
        "Ada": {"PER", "ORG"},
        "ada": {"PER"},
    }


@pytest.mark.parametrize(
    ("form", "type_", "wanted"),
    [
        ("Ada", "PER", "seen"),
        ("Ada", "ORG", "seen"),
        ("Ada", "LOC", "seen as another type"),
        ("ADA", "PER", "unseen"),
        ("New", "LOC", "unseen"),
    ],
)
def test_novelty_by_hand(form, type_, wanted):
    assert novelty(form, type_, KNOWN) == wanted


def test_scores_by_hand():
    tokens = [["New", "York", "Ada", "Bo", "met", "Ada"]]
    gold = [["B-LOC", "I-LOC", "B-PER", "B-PER", "O", "B-LOC"]]
    said = [["B-LOC", "I-LOC", "B-PER", "O", "B-ORG", "B-ORG"]]
    assert scores_by_novelty(tokens, gold, said, KNOWN) == {
        "seen": Score.from_counts(true_positive=2, predicted=3, gold=2),
        "unseen": Score.from_counts(true_positive=0, predicted=1, gold=1),
        "seen as another type": Score.from_counts(0, 0, 1),
    }


def test_nothing_known_and_nothing_there():
    scores = scores_by_novelty([["Ada"]], [["B-PER"]], [["B-PER"]], {})
    assert [scores[name].support for name in NOVELTY] == [0, 1, 0]
    empty = scores_by_novelty([], [], [], KNOWN)
    assert all(score == Score(0.0, 0.0, 0.0, 0) for score in empty.values())


# properties


@given(st.lists(row, max_size=12), st.lists(row, max_size=12))
def test_the_groups_together_are_all_entities(train, test):
    known = known_forms([[w for w, _, _ in train]], [[t for _, t, _ in train]])
    words, gold, said = ([one[n] for one in test] for n in range(3))
    scores = scores_by_novelty([words], [gold], [said], known)
    assert sum(score.support for score in scores.values()) == len(entities(gold))
    right = len(set(entities(gold)) & set(entities(said)))
    found = sum(score.recall * score.support for score in scores.values())
    assert found == pytest.approx(right)


@given(st.lists(row, max_size=12))
def test_in_its_own_training_set_all_is_seen(rows):
    words, gold, said = ([one[n] for one in rows] for n in range(3))
    known = known_forms([words], [gold])
    scores = scores_by_novelty([words], [gold], [said], known)
    assert scores["seen"].support == len(entities(gold))


# messages


def test_refuses_words_and_tags_that_do_not_match():
    wanted = r"need one tag a word, got texts of \[2\] words and \[1\] tags"
    with pytest.raises(ValueError, match=wanted):
        known_forms([["a", "b"]], [["O"]])
    with pytest.raises(ValueError, match=wanted):
        scores_by_novelty([["a", "b"]], [["O"]], [["O"]], {})
    with pytest.raises(ValueError, match=r"got 0 predicted and 1 gold$"):
        scores_by_novelty([["a"]], [["O"]], [], {})
