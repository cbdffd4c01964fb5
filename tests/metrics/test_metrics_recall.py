import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from longctx_edu.metrics import BUCKETS, RecallScore, score_recall

token = st.tuples(
    st.integers(0, 2),  # predicted
    st.sampled_from([-100, 0, 1, 2]),  # due
    st.sampled_from([0, 1, 127, 128, 600, 1024, 9999]),
)
rows = st.lists(token, min_size=1, max_size=12)


def columns(row):
    """Part a row into predicted, answers and distances, -1 where nothing is due."""
    predicted, answers, distances = torch.tensor(row).unbind(-1)
    return predicted, answers, distances.where(answers >= 0, -1)


# equals the definition


@given(rows)
def test_equals_loops(row):
    scores = score_recall(*columns(row))
    due = [(p == a, d) for p, a, d in row if a != -100]
    assert scores.overall == RecallScore(sum(right for right, _ in due), len(due))
    assert list(scores.by_distance) == list(BUCKETS)
    for (low, high), score in scores.by_distance.items():
        inside = [r for r, d in due if low <= d and (high is None or d <= high)]
        assert score == RecallScore(sum(inside), len(inside))
        assert score.accuracy == (sum(inside) / len(inside) if inside else None)


# properties


@given(rows)
def test_buckets_that_part_all_distances_add_up(row):
    scores = score_recall(*columns(row))
    parts = scores.by_distance.values()
    assert sum(part.count for part in parts) == scores.overall.count
    assert sum(part.right for part in parts) == scores.overall.right


@given(rows)
def test_a_batch_counts_like_its_texts(row):
    one = score_recall(*columns(row)).overall
    two = score_recall(*(torch.stack([c, c]) for c in columns(row))).overall
    assert (two.right, two.count) == (2 * one.right, 2 * one.count)


# edges


def test_nothing_due_is_none_and_not_zero():
    nothing = torch.full((1, 3), -100)
    scores = score_recall(nothing, nothing, torch.full((1, 3), -1), buckets=[(0, None)])
    assert scores.overall.accuracy is scores.by_distance[0, None].accuracy is None
    assert scores.overall == RecallScore(0, 0)


def test_saying_minus_a_hundred_is_never_right():
    answers, distances = torch.tensor([[-100, 4], [-1, 1]])
    assert score_recall(answers, answers, distances).overall == RecallScore(1, 1)


def test_a_distance_in_no_bucket_counts_overall_alone():
    predicted, answers, distances = torch.tensor([[4], [4], [7]])
    scores = score_recall(predicted, answers, distances, buckets=[(8, 8)])
    assert scores.overall.count == 1 and scores.by_distance[8, 8].count == 0


def test_counts_are_exact_and_whole():
    n = 2**24 + 1  # more than a float32 counts
    ones = torch.ones(n, dtype=torch.long)
    overall = score_recall(ones, ones, ones, buckets=[]).overall
    assert overall.right == overall.count == n and isinstance(overall.right, int)


# messages


def test_refuses_other_shapes():
    message = (
        "need predicted, answers and distances of one shape, got (2, 3), (2, 4) "
        "and (2, 4)"
    )
    shapes = (torch.zeros(2, n, dtype=torch.long) for n in (3, 4, 4))
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        score_recall.__wrapped__(*shapes)  # shapes are checked before, in tests


def test_refuses_an_answer_without_a_distance():
    answers, distances = torch.tensor([[5, -100, 5], [3, -1, -1]])
    message = r"^need a distance >= 0 at each answer, got -1 at one$"
    with pytest.raises(ValueError, match=message):
        score_recall(answers, answers, distances)
