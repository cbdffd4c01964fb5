"""The file of progress: written whole, by several at a time, never lost."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from longctx_edu.course import progress
from longctx_edu.course.progress import (
    Newer,
    as_text,
    change,
    progress_file,
    read_progress,
    recording,
)
from longctx_edu.course.record import Progress, Quizzed, Tried, with_verdict
from longctx_edu.errors import UserError

WHOLE = Progress(
    {"05/a": Tried("done", 2, "1", "2", "2"), "05/b": Tried("started", 1, "3", "3")},
    {"05": Quizzed(4, 5, 1, "1", "1")},
)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("LONGCTX_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def one_try(was):
    return with_verdict(was, "05/a", passed=False, at="1")


def test_what_is_written_is_read_again(home):
    assert change(lambda was: WHOLE) == (WHOLE, "")
    assert read_progress(home / "progress.json") == WHOLE
    assert progress_file() == home / "progress.json"


def test_the_same_record_has_the_same_bytes():
    backwards = Progress(dict(reversed(WHOLE.exercises.items())), WHOLE.self_tests)
    assert as_text(backwards) == as_text(WHOLE)


def test_no_file_is_an_empty_record_and_stays_away(home):
    assert change(lambda was: was) == (Progress(), "")
    assert not (home / "progress.json").exists()


@pytest.mark.parametrize(
    ("notebook", "noted"),
    [
        ("exercises/05_structured_attention.ipynb", True),
        ("solutions/05_structured_attention.ipynb", False),
        ("course/notebooks/00_start_here.ipynb", False),
        ("solutions_of_mine.ipynb", True),
    ],
)
def test_answers_that_are_opened_are_not_noted(notebook, noted, monkeypatch):
    monkeypatch.setenv("LONGCTX_PROGRESS", "on")
    monkeypatch.setenv("JPY_SESSION_NAME", notebook)
    assert progress.recording() is noted


def test_nothing_is_noted_here_and_where_it_is_switched_off(monkeypatch):
    assert not recording(), "conftest.py switches it off for every test"
    for value, on in (("on", True), ("OFF", False), ("0", False), ("", True)):
        monkeypatch.setenv("LONGCTX_PROGRESS", value)
        assert recording() == on
    monkeypatch.delenv("LONGCTX_PROGRESS")
    assert recording()


def test_processes_that_write_at_the_same_time_lose_nothing(home):
    code = """
from longctx_edu.course import progress
from longctx_edu.course.progress import change
from longctx_edu.course.record import with_verdict
progress.LOCK_S = 200.0
for n in range(6):
    change(lambda was: with_verdict(was, "05/a", passed=False, at=str(n)))
    change(lambda was: with_verdict(was, f"05/{NAME}_{n}", passed=True, at=str(n)))
"""
    begun = [
        subprocess.Popen([sys.executable, "-c", code.replace("{NAME}", name)])
        for name in ("x", "y", "z")
    ]
    assert [process.wait() for process in begun] == [0, 0, 0]
    found = read_progress(home / "progress.json").exercises
    assert found["05/a"].tries == 18 and len(found) == 19


def test_a_writer_that_is_killed_leaves_a_whole_file(home):
    change(lambda was: WHOLE)
    (home / ".progress.json.tmp").write_text('{"version": 1, "exer')
    change(one_try)
    assert read_progress(home / "progress.json").exercises["05/a"].tries == 3


DAMAGED = {
    "cut": as_text(WHOLE)[:60],
    "empty": "",
    "no object": "[]",
    "no version": '{"exercises": {}, "self_tests": {}}',
    "another field": as_text(WHOLE).replace('"tries"', '"trials"'),
    "another status": as_text(WHOLE).replace('"done"', '"finished"', 1),
    "no number": as_text(WHOLE).replace('"tries": 2', '"tries": "2"'),
    "less than nothing": as_text(WHOLE).replace('"tries": 2', '"tries": -2'),
    "no questions": as_text(WHOLE).replace('"questions": 5', '"questions": 0'),
    "no time": as_text(WHOLE).replace('"first": "1"', '"first": null', 1),
    "done at no time": as_text(WHOLE).replace('"done_at": "2"', '"done_at": null'),
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_put_aside(home, text):
    for n in (1, 2):
        home.mkdir(exist_ok=True)
        (home / "progress.json").write_text(text)
        with pytest.raises(UserError, match="need a record of progress in"):
            read_progress(home / "progress.json")
        new, note = change(one_try)
        assert new.exercises == {"05/a": Tried("started", 1, "1", "1")}
        kept = home / f"progress.damaged-{n}.json"
        assert note == f"the record of progress was damaged; it is kept as {kept}"
        assert kept.read_text() == text


def test_bytes_that_are_no_text_are_damage(home):
    home.mkdir()
    (home / "progress.json").write_bytes(b"\xff\xfe\x00")
    assert "damaged-1" in change(one_try)[1]


def test_a_file_of_a_later_version_is_left_alone(home):
    home.mkdir()
    later = json.dumps({"version": 2, "anything": []})
    (home / "progress.json").write_text(later)
    with pytest.raises(Newer, match="got version 2: update longctx"):
        change(one_try)
    assert (home / "progress.json").read_text() == later
    assert not list(home.glob("*damaged*"))


def test_a_lock_that_stays_taken_is_an_error_in_time(home, monkeypatch):
    from filelock import FileLock

    monkeypatch.setattr(progress, "LOCK_S", 0.1)
    home.mkdir()
    with FileLock(home / "progress.json.lock"), pytest.raises(OSError):
        change(one_try)


@pytest.mark.skipif(os.name == "nt", reason="another kind of path")
def test_a_folder_that_cannot_be_made_is_an_os_error(monkeypatch):
    monkeypatch.setenv("LONGCTX_HOME", "/dev/null/longctx")
    with pytest.raises(OSError):
        change(one_try)


def test_the_home_may_be_named_by_a_tilde(monkeypatch):
    monkeypatch.setenv("LONGCTX_HOME", "~/course")
    assert progress_file() == Path.home() / "course" / "progress.json"
