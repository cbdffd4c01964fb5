"""What is noted of a learner: tries added, records merged."""

from hypothesis import given
from hypothesis import strategies as st

from longctx_edu.course.record import (
    Progress,
    Quizzed,
    Tried,
    merged,
    with_test,
    with_verdict,
    without_lesson,
)

KEYS = st.sampled_from(["01/a", "01/b", "02/c"])
TIMES = st.sampled_from(["1", "2", "3", "4"])


@st.composite
def tried(draw):
    first, last = sorted([draw(TIMES), draw(TIMES)])
    done = draw(st.booleans())
    at = draw(st.sampled_from([first, last])) if done else None
    return Tried(
        "done" if done else "started", draw(st.integers(1, 9)), first, last, at
    )


@st.composite
def quizzed(draw):
    first, last = sorted([draw(TIMES), draw(TIMES)])
    return Quizzed(draw(st.integers(0, 5)), 5, draw(st.integers(1, 9)), first, last)


RECORDS = st.builds(
    Progress,
    st.dictionaries(KEYS, tried()),
    st.dictionaries(st.sampled_from(["01", "02"]), quizzed()),
)


def noted(*verdicts):
    """Return what is noted of one exercise after these verdicts, at 1, 2, 3, ..."""
    was = Progress()
    for n, passed in enumerate(verdicts, 1):
        was = with_verdict(was, "05/a", passed=passed, at=str(n))
    return was.exercises["05/a"]


def test_tries_are_counted_and_done_stays_done():
    assert noted(False) == Tried("started", 1, "1", "1")
    assert noted(False, True) == Tried("done", 2, "1", "2", "2")
    assert noted(False, True, False, True) == Tried("done", 4, "1", "4", "2")


def test_the_best_self_test_counts():
    was = with_test(Progress(), "05", 4, 5, "1")
    was = with_test(was, "05", 2, 5, "2")
    assert was.self_tests == {"05": Quizzed(4, 5, 2, "1", "2")}
    was = with_test(was, "05", 5, 5, "3")
    assert was.self_tests == {"05": Quizzed(5, 5, 3, "1", "3")}


def test_done_wins():
    done, more = Tried("done", 2, "3", "4", "4"), Tried("started", 7, "1", "9")
    whole = merged(Progress({"05/a": done}), Progress({"05/a": more}))
    assert whole.exercises == {"05/a": Tried("done", 7, "1", "9", "4")}


@given(RECORDS, RECORDS)
def test_the_order_of_a_merge_does_not_matter(one, other):
    assert merged(one, other) == merged(other, one)


@given(RECORDS, RECORDS)
def test_merging_twice_changes_nothing(one, other):
    once = merged(one, other)
    assert merged(once, other) == once
    assert merged(one, one) == one


@given(RECORDS, RECORDS)
def test_a_merge_loses_no_exercise_that_is_done(one, other):
    whole = merged(one, other)
    for record in (one, other):
        for key, tried in record.exercises.items():
            assert tried.status in ("started", whole.exercises[key].status)
            assert tried.tries <= whole.exercises[key].tries


def test_a_lesson_can_be_forgotten():
    was = with_verdict(Progress(), "05/a", passed=True, at="1")
    was = with_verdict(was, "06/b", passed=True, at="1")
    was = with_test(with_test(was, "05", 1, 5, "1"), "06", 2, 5, "1")
    left = without_lesson(was, "05")
    assert (list(left.exercises), list(left.self_tests)) == (["06/b"], ["06"])
