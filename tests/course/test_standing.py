"""Where a learner stands, and the line under a verdict."""

import pytest

from longctx_edu.checks.lesson_00 import check_chunk_of
from longctx_edu.course.outline import Exercise, Lesson
from longctx_edu.course.progress import progress_file, read_progress
from longctx_edu.course.record import Progress, Tried
from longctx_edu.course.standing import after_check, count, next_step, summary

ONE = Lesson("01", "01_one", "One", (Exercise("01", "a", "1.1"),))
TWO = Lesson(
    "02", "02_two", "Two", (Exercise("02", "b", "2.1"), Exercise("02", "c", "2.2"))
)
COURSE = [ONE, TWO]


@pytest.fixture
def noting(tmp_path, monkeypatch):
    """Let verdicts be noted, in a folder of this test."""
    monkeypatch.setenv("LONGCTX_HOME", str(tmp_path))
    monkeypatch.setenv("LONGCTX_PROGRESS", "on")


def noted(**last):
    """Return a record: `a="3"` is done then, `a_="3"` was tried in vain."""
    exercises = {}
    for name, at in last.items():
        key = f"0{1 if name[0] == 'a' else 2}/{name[0]}"
        done = None if name.endswith("_") else at
        exercises[key] = Tried("done" if done else "started", 1, at, at, done)
    return Progress(exercises)


@pytest.mark.parametrize(
    ("progress", "name"),
    [
        (noted(), "a"),
        (noted(a_="1"), "a"),
        (noted(a="1"), "b"),
        (noted(a="1", b="2"), "c"),
        (noted(c_="1"), "b"),
        (noted(c="1"), "b"),
        (noted(b="1", a_="2"), "a"),
        (noted(b="2", a_="1"), "c"),
        (noted(b="1", c="2"), "a"),
        (noted(a="1", b="2", c="3"), None),
    ],
)
def test_the_next_step_is_in_the_lesson_at_work(progress, name):
    step = next_step(COURSE, progress)
    assert (step and step.name) == name


def test_each_exercise_has_one_status():
    progress = noted(b_="1")
    assert [count(TWO, progress, s) for s in ("done", "started", "open")] == [0, 1, 1]


@pytest.mark.parametrize(
    ("progress", "line"),
    [
        (noted(), "lesson 02: 0 of 2 done; next: 2.1 b"),
        (noted(b="1"), "lesson 02: 1 of 2 done; next: 2.2 c"),
        (noted(b="1", c="1"), "lesson 02: 2 of 2 done; next: 1.1 a in "),
        (noted(a="1", b="1", c="1"), "lesson 02: 2 of 2 done; the whole course is "),
    ],
)
def test_the_line_says_how_far_and_what_comes_next(progress, line):
    assert summary("02", COURSE, progress).startswith(line)


def test_a_verdict_is_noted_and_shown_below(noting):
    verdict = check_chunk_of(lambda token, size: token // size)
    page = verdict._repr_html_()
    assert "lesson 00: 1 of 3 done; next: 0.2 distance_to_evidence" in page
    assert "width: 33%" in page and page.startswith("<pre")
    assert repr(verdict) == verdict.message and "1 of 3" not in verdict.message
    assert read_progress(progress_file()).exercises["00/chunk_of"].status == "done"


def test_a_failure_is_started_and_a_blank_is_nothing(noting):
    def blank(*_):
        raise NotImplementedError

    assert "0 of 3 done" in check_chunk_of(blank).progress
    assert not progress_file().exists()
    assert "0 of 3 done; next: 0.1" in check_chunk_of(lambda *_: None).progress
    assert read_progress(progress_file()).exercises["00/chunk_of"].status == "started"


def test_nothing_is_noted_nor_shown_where_it_is_switched_off(noting, monkeypatch):
    monkeypatch.setenv("LONGCTX_PROGRESS", "off")
    verdict = check_chunk_of(lambda token, size: token // size)
    assert verdict.progress == "" and verdict._repr_html_().endswith("</pre>")
    assert not progress_file().exists()


def test_a_check_of_somebody_else_is_not_noted(noting):
    for module in ("__main__", "my.checks.band_05", "longctx_edu.checks.report"):
        assert after_check(module, "a", "passed") == ""
    assert not progress_file().exists()


def test_what_cannot_be_written_is_one_line(noting, monkeypatch):
    monkeypatch.setenv("LONGCTX_HOME", "/dev/null/<b>")
    verdict = check_chunk_of(lambda token, size: token // size)
    assert verdict.status == "passed"
    assert "progress is not noted: " in verdict.progress
    assert "<b>" not in verdict.progress and "&lt;b&gt;" in verdict.progress


def test_a_damaged_file_is_said_under_the_verdict(noting):
    progress_file().write_text("{")
    line = check_chunk_of(lambda token, size: token // size).progress
    assert "1 of 3 done" in line
    assert "was damaged; it is kept as" in line and "damaged-1.json" in line
