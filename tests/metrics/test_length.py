import pytest
from hypothesis import given
from hypothesis import strategies as st

from longctx_edu.metrics import LENGTHS, entity_scores, scores_by_length

TAGS = ["O", "B-A", "I-A"]
text = st.lists(st.tuples(st.sampled_from(TAGS), st.sampled_from(TAGS)), max_size=8)
BUCKETS = [(0, 1), (2, 3), (4, None)]


def test_by_hand():
    gold = [["B-A"], ["B-A", "O"], ["B-A", "O", "B-B"], ["O"] * 4]
    predicted = [["B-A"], ["B-A", "O"], ["O", "B-A", "B-B"], ["O"] * 4]
    short, middle, long = scores_by_length(gold, predicted, buckets=BUCKETS)
    assert (short.low, short.high, short.documents, short.score.f1) == (0, 1, 1, 1.0)
    assert middle.documents == 2
    assert (middle.score.precision, middle.score.recall) == (2 / 3, 2 / 3)
    assert middle.score.support == 3
    assert (long.high, long.documents, long.score.support) == (None, 1, 0)
    assert long.score.f1 == 0


@pytest.mark.parametrize(("n", "bucket"), [(15, 0), (16, 1), (16383, 5), (16384, 6)])
def test_both_ends_belong_to_a_bucket(n, bucket):
    rows = scores_by_length([["O"] * n], [["O"] * n])
    assert [row.documents for row in rows] == [number == bucket for number in range(7)]


def test_the_buckets_leave_no_length_out():
    ends = [high for _, high in LENGTHS]
    assert [low for low, _ in LENGTHS] == [0, *(end + 1 for end in ends[:-1])]
    assert ends[-1] is None


@given(st.lists(text, max_size=5))
def test_one_bucket_for_all_is_the_micro_score(pairs):
    gold = [[g for g, _ in one] for one in pairs]
    predicted = [[p for _, p in one] for one in pairs]
    row = scores_by_length(gold, predicted, buckets=[(0, None)])[0]
    assert row.score == entity_scores(gold, predicted)["micro"]
    assert row.documents == len(pairs)


def test_a_text_in_no_bucket_stays_out():
    rows = scores_by_length([["B-A"]], [["B-A"]], buckets=[(2, 3)])
    assert (rows[0].documents, rows[0].score.support) == (0, 0)


def test_refuses_texts_that_do_not_match():
    with pytest.raises(ValueError, match=r"got 0 predicted and 1 gold$"):
        scores_by_length([["O"]], [])
