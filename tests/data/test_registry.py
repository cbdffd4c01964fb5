import json
import os
import re
import sys
from pathlib import Path

import pytest

from longctx_edu.data import registry
from longctx_edu.data.catalogue import load, resolve
from longctx_edu.data.columns import Layout
from longctx_edu.data.registry import (
    FOLDER,
    Registered,
    all_registered,
    register,
    registered,
    unregister,
    user_folder,
)
from longctx_edu.errors import UserError


@pytest.fixture
def entry(tmp_path):
    """A set that is ready to be added, its tags in BIOES."""
    path = tmp_path / "texts" / "posts.conll"
    path.parent.mkdir()
    path.write_text("1 Ada S-PER\n\n2 in O\n\n3 Rome S-LOC\n", encoding="utf-8")
    layout = Layout(token_column=1, scheme="BIOES", types=("LOC", "PER"))
    return Registered("posts", path, layout, types=("LOC", "PER"))


# what was added is found


def test_a_name_stands_for_its_path_and_its_layout(entry, tmp_path, monkeypatch):
    noted_in = register(entry)
    assert noted_in == tmp_path / "user" / "longctx" / FOLDER / "posts.json"
    assert registered("posts") == Registered(
        "posts", entry.path, entry.layout, types=entry.types, noted_in=noted_in
    )
    monkeypatch.chdir("/")
    splits = load("posts")
    assert (splits.name, splits.types) == ("posts", ("LOC", "PER"))
    assert splits.train[0].tags == ("B-PER",)
    assert splits.test[0].tokens == ("Rome",)


def test_files_and_repair_are_kept_too(tmp_path):
    for name in ("a.txt", "b.txt", "c.txt"):
        (tmp_path / name).write_text("a B-X\n\nb I-X\n")
    files = ("b.txt", "a.txt", "c.txt")
    register(Registered("own", tmp_path, Layout(), files=files, repair=True))
    splits = load("own")
    assert (splits.note, splits.n_repaired) == (
        "train: b.txt, dev: a.txt, test: c.txt",
        3,
    )


def test_a_layout_that_is_asked_for_comes_first(entry):
    register(entry)
    with pytest.raises(UserError, match=r"need O, B-TYPE or I-TYPE, got 'S-PER'$"):
        load("posts", layout=Layout(scheme="IOB2"))


def test_names_of_the_catalogue_and_paths_come_as_before(entry):
    register(entry)
    assert resolve("wnut17")[1] is None
    assert resolve(str(entry.path)) == (None, entry.path.resolve(), False)
    assert registered("./posts") is None


# where it is noted


def test_the_folder_that_the_variable_names_comes_first(entry, tmp_path, monkeypatch):
    register(entry)
    one, two = tmp_path / "one", tmp_path / "two"
    monkeypatch.setenv("LONGCTX_DATA", os.pathsep.join([str(one), str(two)]))
    other = Registered("other", entry.path, entry.layout)
    assert register(other) == one / FOLDER / "other.json"
    assert [each.name for each in all_registered()] == ["other", "posts"]
    monkeypatch.setenv("LONGCTX_DATA", str(two))
    assert registered("other") is None and registered("posts")


def test_a_name_stays_where_it_was_noted(entry, tmp_path, monkeypatch):
    noted_in = register(entry)
    monkeypatch.setenv("LONGCTX_DATA", str(tmp_path / "one"))
    assert register(entry) == noted_in
    assert not (tmp_path / "one").exists()


@pytest.mark.parametrize(
    ("platform", "wanted"),
    [
        ("linux", ".local/share/longctx"),
        ("darwin", "Library/Application Support/longctx"),
        ("win32", "AppData/Local/longctx"),
    ],
)
def test_the_platforms_folder(platform, wanted, monkeypatch):
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    monkeypatch.setattr(sys, "platform", platform)
    assert user_folder() == Path.home() / wanted


def test_a_note_is_whole_or_not_there(entry, monkeypatch):
    noted_in = register(entry)
    before = noted_in.read_bytes()

    def fail(path, write):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(registry, "write_whole", fail)
    with pytest.raises(OSError, match="No space left"):
        register(Registered("posts", entry.path.parent, Layout()))
    assert noted_in.read_bytes() == before
    assert [file.name for file in noted_in.parent.iterdir()] == ["posts.json"]


# what goes away


def test_a_name_is_forgotten_and_the_data_stay(entry):
    noted_in = register(entry)
    assert unregister("posts") == noted_in
    assert registered("posts") is None and entry.path.exists()
    with pytest.raises(UserError, match=r"^unknown data set 'posts': "):
        load("posts")


def test_data_that_are_gone(entry):
    register(entry)
    entry.path.unlink()
    message = (
        f"need posts at {entry.path}, where it was added, got nothing there; add it "
        "again with its new --path, or: longctx data remove posts"
    )
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        load("posts")


# messages


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"path": 3}', "\x00", "null"])
def test_a_broken_note(entry, text):
    noted_in = register(entry)
    noted_in.write_text(text)
    message = (
        f"need a note on a data set in {noted_in}, got a broken one; remove it with: "
        "longctx data remove posts"
    )
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        registered("posts")
    assert all_registered() == []
    assert unregister("posts") == noted_in


def test_a_scheme_that_a_note_makes_up(entry):
    noted_in = register(entry)
    note = json.loads(noted_in.read_text())
    note["layout"]["scheme"] = "BIO"
    noted_in.write_text(json.dumps(note))
    with pytest.raises(UserError, match=r"^need a note on a data set in "):
        registered("posts")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a/b", "need a name of letters, digits, - and _, 64 at most, got 'a/b'"),
        ("-a", "need a name of letters, digits, - and _, 64 at most, got '-a'"),
        ("a.b", "need a name of letters, digits, - and _, 64 at most, got 'a.b'"),
        ("wnut17", "need another name than wnut17: a built-in data set has it"),
    ],
)
def test_names_that_cannot_be_given(entry, name, message):
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        register(Registered(name, entry.path, entry.layout))


def test_names_that_cannot_be_removed(entry):
    with pytest.raises(UserError, match=r"^need a set that was added, got wnut17: it"):
        unregister("wnut17")
    with pytest.raises(UserError, match=r"^need a set that was added, got 'x'; there"):
        unregister("x")
    register(entry)
    with pytest.raises(UserError, match=r"^unknown added data set 'post': did you mea"):
        unregister("post")
    with pytest.raises(UserError, match=r"^unknown added data set '\.\./posts'"):
        unregister("../posts")


def test_an_unknown_name_names_those_that_were_added(entry):
    register(entry)
    with pytest.raises(UserError, match=r"did you mean posts\? Known are conll2003, "):
        load("post")
