"""Files put into somebody's folder: theirs stay, and a stop leaves no halves."""

import os
from pathlib import Path

import pytest

from longctx_edu.course import put
from longctx_edu.course.put import RECORD, put_files
from longctx_edu.errors import UserError

FIRST = {"a.txt": "1", "deep/b.txt": "1"}
SECOND = {"a.txt": "2", "deep/b.txt": "2"}


def texts(folder):
    """Give every file but the record with its text."""
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file() and path.name != RECORD
    }


@pytest.fixture
def place(tmp_path):
    return tmp_path / "new" / "course"


@pytest.mark.parametrize("there", [False, True], ids=["missing", "empty"])
def test_a_new_folder_holds_the_files_and_their_record(place, there):
    if there:
        place.mkdir(parents=True)
    assert put_files(place, FIRST) == []
    assert texts(place) == FIRST
    assert (place / RECORD).is_file()
    assert os.listdir(place.parent) == ["course"]


def test_a_second_time_must_be_asked_for(place):
    put_files(place, FIRST)
    with pytest.raises(UserError, match=r"need a new or an empty.* with 3 entries: ch"):
        put_files(place, SECOND)
    assert texts(place) == FIRST
    assert put_files(place, SECOND, overwrite=True) == []
    assert texts(place) == SECOND
    assert put_files(place, FIRST, overwrite=True) == [], "the record went along"


def test_what_was_changed_or_is_not_ours_is_kept(place):
    put_files(place, FIRST)
    (place / "a.txt").write_text("mine")
    (place / "c.txt").write_text("mine")
    kept = put_files(place, {**SECOND, "c.txt": "2"}, overwrite=True)
    assert kept == [place / "a.txt", place / "c.txt"]
    assert texts(place) == {"a.txt": "mine", "deep/b.txt": "2", "c.txt": "mine"}
    again = put_files(place, {**FIRST, "c.txt": "1"}, overwrite=True)
    assert again == kept, "what was kept is still not ours"


def test_files_of_before_stay_and_stay_known(place):
    put_files(place, FIRST)
    put_files(place, {"c.txt": "2"}, overwrite=True)
    assert texts(place) == {**FIRST, "c.txt": "2"}
    assert put_files(place, SECOND, overwrite=True) == []


def test_a_file_of_the_same_bytes_is_taken_over(place):
    place.mkdir(parents=True)
    (place / "a.txt").write_text("1")
    assert put_files(place, FIRST, overwrite=True) == []
    assert put_files(place, SECOND, overwrite=True) == []


@pytest.fixture
def broken(monkeypatch):
    """Let the second file of every folder fail."""
    whole = put.write_whole

    def fails(path, write):
        if path.name == "b.txt":
            raise OSError("the disk is full")
        whole(path, write)

    monkeypatch.setattr(put, "write_whole", fails)


def test_a_new_folder_comes_whole_or_not_at_all(place, broken):
    with pytest.raises(OSError, match="the disk is full"):
        put_files(place, FIRST)
    assert list(place.parent.iterdir()) == []


def test_after_a_stop_the_next_time_goes_on(place, monkeypatch):
    put_files(place, FIRST)
    with monkeypatch.context() as patch:
        patch.setattr(put, "write_whole", _fails_at_the_record(put.write_whole))
        with pytest.raises(OSError, match="the disk is full"):
            put_files(place, SECOND, overwrite=True)
    assert put_files(place, SECOND, overwrite=True) == []
    assert texts(place) == SECOND


def _fails_at_the_record(whole):
    def fails(path, write):
        if path.name == RECORD:
            raise OSError("the disk is full")
        whole(path, write)

    return fails


def test_what_a_killed_process_has_begun_is_written_over(place):
    begun = place.parent / ".course.tmp"
    begun.mkdir(parents=True)
    (begun / "half.txt").write_text("ha")
    put_files(place, FIRST)
    assert texts(place) == FIRST
    assert os.listdir(place.parent) == ["course"]


def test_within_the_folder_a_dot_is_enough(place, monkeypatch):
    place.mkdir(parents=True)
    monkeypatch.chdir(place)
    put_files(Path("."), FIRST)
    assert sorted(os.listdir()) == ["a.txt", "deep", RECORD]


def test_a_file_is_no_folder(place):
    place.parent.mkdir()
    place.write_text("mine")
    with pytest.raises(UserError, match=r"need a folder, got .*: it is a file"):
        put_files(place, FIRST, overwrite=True)
    assert place.read_text() == "mine"


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"files": 3}', '{"files": [1]}', "\udcff"]
)
def test_a_damaged_record_is_named(place, text):
    put_files(place, FIRST)
    (place / RECORD).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UserError, match=r"need the record of an earlier export in"):
        put_files(place, SECOND, overwrite=True)
    assert texts(place) == FIRST
