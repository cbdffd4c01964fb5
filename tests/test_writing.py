import os

import pytest

from longctx_edu import writing
from longctx_edu.writing import write_whole


def test_the_file_is_on_the_disk_before_it_takes_its_place(tmp_path, monkeypatch):
    order = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)

        def note(*args, name=name, real=real):
            order.append(name)
            return real(*args)

        monkeypatch.setattr(writing.os, name, note)
    write_whole(tmp_path / "a.txt", lambda place: place.write_text("new"))
    assert order == ["fsync", "replace"]


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def look(place):
        place.write_text("new")
        assert (place.parent, place.name[0]) == (tmp_path, ".")
        assert path.read_text() == "old"

    write_whole(path, look)
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_missing_folders_are_made(tmp_path):
    path = tmp_path / "a" / "b" / "c.bin"
    write_whole(path, lambda place: place.write_bytes(b"\x00"))
    assert path.read_bytes() == b"\x00"


def test_what_a_killed_process_began_is_written_over(tmp_path):
    begun = []
    write_whole(tmp_path / "a.txt", lambda place: begun.append(place) or place.touch())
    begun[0].write_text("half of something long")
    write_whole(tmp_path / "a.txt", lambda place: place.write_text("new"))
    assert (tmp_path / "a.txt").read_text() == "new"
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.parametrize(
    "error",
    [OSError(28, "No space left on device"), KeyError("x"), KeyboardInterrupt()],
)
def test_what_stops_it_is_told_and_what_was_begun_is_removed(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail(place):
        place.write_text("half")
        raise error

    with pytest.raises(type(error)) as told:
        write_whole(path, fail)
    assert told.value is error
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_parent_that_is_a_file(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        write_whole(tmp_path / "file" / "a.txt", lambda place: place.touch())
