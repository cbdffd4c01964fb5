import re
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longctx_edu.metrics import (
    BucketScore,
    Score,
    count_spurious,
    entities,
    entity_scores,
    scores_by_distance,
)

TAGS = ["O", "O", "B-A", "I-A", "B-B", "I-B"]


@dataclass(frozen=True)
class Gold:
    start: int
    stop: int
    type: str
    distance: int | None = 0
    ambiguous: bool = False


DISTANCES = [None, 0, 1, 127, 128, 1023, 1024, 9999]
token = st.tuples(
    st.sampled_from(TAGS), st.sampled_from(TAGS), st.sampled_from(DISTANCES)
)
documents = st.lists(st.lists(token, max_size=14), max_size=4)


def columns(texts):
    """Part each document's rows into gold tags, predicted tags and distances."""
    return [[[row[c] for row in text] for text in texts] for c in range(3)]


def mentions_of(texts, known=None):
    """Read the gold entities; each takes the distance written at its first token."""
    golds, _, distances = columns(texts)
    return [
        [
            Gold(e.start, e.stop, e.type, far[e.start] if known is None else known)
            for e in entities(tags)
        ]
        for tags, far in zip(golds, distances, strict=True)
    ]


def counts_by_loops(mentions, predicted, low, high):
    """Count right, predicted and gold of one bucket, comparing all with all."""
    right = said = there = 0
    high = 10**9 if high is None else high
    for gold, tags in zip(mentions, predicted, strict=True):
        inside = [m.distance is not None and low <= m.distance <= high for m in gold]
        there += sum(inside)
        for e in entities(tags):
            shared = [min(e.stop, m.stop) - max(e.start, m.start) for m in gold]
            most = max(shared, default=0)
            if most < 1:
                continue
            m = gold[shared.index(most)]
            if inside[shared.index(most)]:
                said += 1
                right += (e.start, e.stop, e.type) == (m.start, m.stop, m.type)
    return right, said, there


# equals the definition


@given(documents)
def test_equals_loops(texts):
    mentions, (_, predicted, _) = mentions_of(texts), columns(texts)
    for bucket in scores_by_distance(mentions, predicted):
        counts = counts_by_loops(mentions, predicted, bucket.low, bucket.high)
        assert bucket.score == Score.from_counts(*counts)


# properties


@given(documents)
def test_one_bucket_for_all_has_the_recall_of_the_strict_score(texts):
    gold, predicted, _ = columns(texts)
    known = mentions_of(texts, known=5)
    (bucket,) = scores_by_distance(known, predicted, buckets=[(0, None)])
    micro = entity_scores(gold, predicted)["micro"]
    assert bucket.score.recall == micro.recall
    assert bucket.score.support == micro.support
    assert bucket.score.precision >= micro.precision


@given(documents)
def test_each_prediction_is_in_a_bucket_or_spurious(texts):
    gold, predicted, _ = columns(texts)
    known = mentions_of(texts, known=5)
    (bucket,) = scores_by_distance(known, predicted, buckets=[(0, None)])
    if bucket.score.precision > 0:
        micro = entity_scores(gold, predicted)["micro"]
        n_right = micro.recall * micro.support
        in_bucket = n_right / bucket.score.precision
        n_predicted = n_right / micro.precision
        spurious = count_spurious(known, predicted)
        assert in_bucket + spurious == pytest.approx(n_predicted)


# by hand


def test_a_prediction_counts_where_it_overlaps_most():
    near, far = Gold(0, 1, "A", 0), Gold(1, 4, "A", 200)
    scores = scores_by_distance([[near, far]], [["B-A", "I-A", "I-A", "I-A"]])
    assert scores[0].score == Score.from_counts(0, 0, 1)
    assert scores[2].score == Score.from_counts(0, 1, 1)


def test_of_two_overlapped_alike_the_earlier_counts():
    near, far = Gold(0, 1, "A", 0), Gold(1, 2, "A", 200)
    scores = scores_by_distance([[near, far]], [["B-A", "I-A"]])
    assert [bucket.score.support for bucket in scores] == [1, 0, 1, 0, 0]
    assert scores_by_distance([[near]], [["B-A", "I-A"]])[0].score.precision == 0.0
    shared = scores_by_distance([[near, far]], [["B-A", "B-A"]])
    assert shared[0].score.f1 == shared[2].score.f1 == 1.0


def test_a_wrong_type_costs_precision_and_recall_in_its_bucket():
    scores = scores_by_distance([[Gold(0, 1, "A", 600)]], [["B-B"]])
    assert scores[3].score == Score.from_counts(0, 1, 1)


def test_a_prediction_on_nothing_is_spurious_and_in_no_bucket():
    mentions, tags = [[Gold(0, 1, "A", 0)]], [["B-A", "O", "B-A", "I-A"]]
    assert scores_by_distance(mentions, tags)[0].score.precision == 1.0
    assert count_spurious(mentions, tags) == 1


def test_only_leaves_out_the_others_and_what_was_predicted_on_them():
    plain, unsure = Gold(0, 1, "A", 3), Gold(2, 3, "A", 3, ambiguous=True)
    tags = ["B-B", "O", "B-A"]
    both = scores_by_distance([[plain, unsure]], [tags])
    one = scores_by_distance([[plain, unsure]], [tags], only=lambda m: m.ambiguous)
    assert both[1].score == Score.from_counts(1, 2, 2)
    assert one[1].score == Score.from_counts(1, 1, 1)


# edges


@pytest.mark.parametrize(
    ("distance", "number"),
    [(0, 0), (1, 1), (127, 1), (128, 2), (511, 2), (512, 3), (1023, 3), (1024, 4)],
)
def test_ends_of_the_buckets(distance, number):
    scores = scores_by_distance([[Gold(0, 1, "A", distance)]], [["O"]])
    wanted = [int(n == number) for n in range(5)]
    assert [bucket.score.support for bucket in scores] == wanted


def test_a_distance_that_is_unknown_or_in_no_bucket_stays_out():
    mentions = [[Gold(0, 1, "A", None), Gold(1, 2, "A", 50)]]
    (bucket,) = scores_by_distance(mentions, [["B-A", "B-A"]], buckets=[(0, 9)])
    assert bucket == BucketScore(0, 9, Score.from_counts(0, 0, 0))


def test_no_documents():
    assert all(bucket.score.support == 0 for bucket in scores_by_distance([], []))
    assert count_spurious([], []) == 0


# messages


@pytest.mark.parametrize("function", [scores_by_distance, count_spurious])
@pytest.mark.parametrize(
    ("mentions", "tags", "message"),
    [
        (
            [[], []],
            [["O"]],
            "need mentions and tags of the same documents, got 2 documents with "
            "mentions and 1 with tags",
        ),
        (
            [[], [Gold(1, 3, "A")]],
            [["O"], ["O", "O"]],
            "need mentions inside the text, got stop=3 and 2 tags in document 1",
        ),
    ],
)
def test_messages(function, mentions, tags, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        function(mentions, tags)
