import os
import re
import time

import datasets
import pytest

from longctx_edu.data import catalogue, hub
from longctx_edu.data.catalogue import CATALOGUE, find, load
from longctx_edu.data.columns import Layout
from longctx_edu.data.sets import WNUT17_FILES
from longctx_edu.errors import DataError, UserError
from longctx_edu.metrics import entities


@pytest.fixture
def wnut17(tmp_path):
    """Write a folder as WNUT-17 comes, a post a split."""
    folder = tmp_path / "data" / "wnut17"
    folder.mkdir(parents=True)
    for name in WNUT17_FILES:
        (folder / name).write_text(f"{name}\tB-person\n\nsings\tO\n")
    return folder


@pytest.fixture
def out_of_reach(tmp_path, monkeypatch):
    """Let neither the hub nor its cache have anything."""
    monkeypatch.setattr(hub, "hub_in_reach", lambda: False)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


# where a known set is found


def test_the_path_that_is_handed_in_comes_first(wnut17, tmp_path, monkeypatch):
    monkeypatch.setenv("LONGCTX_DATA", str(wnut17))
    assert find("wnut17", data=tmp_path) == tmp_path
    assert find("wnut17", data=wnut17) == wnut17
    assert find("wnut17", data=wnut17.parent) == wnut17


def test_the_variable_names_the_folder_or_the_one_above(wnut17, tmp_path, monkeypatch):
    for folder in (wnut17, wnut17.parent):
        monkeypatch.setenv("LONGCTX_DATA", str(folder))
        assert find("wnut17") == wnut17
        assert find("litbank") is None
    several = os.pathsep.join([str(tmp_path / "gone"), "", str(wnut17.parent)])
    monkeypatch.setenv("LONGCTX_DATA", several)
    assert find("wnut17") == wnut17


def test_nothing_is_found_where_nothing_is_named(wnut17, monkeypatch):
    assert find("wnut17") is None
    monkeypatch.setenv("LONGCTX_DATA", "")
    assert find("wnut17") is None


# loading


def test_a_known_set_by_its_name(wnut17, monkeypatch):
    monkeypatch.setenv("LONGCTX_DATA", str(wnut17.parent))
    splits = load("wnut17")
    assert splits.name == "wnut17" and splits.types == ("person",)
    assert [d.tokens for d in splits.train] == [("wnut17train.conll",), ("sings",)]
    assert splits.test[0].tokens == ("emerging.test.annotated",)
    assert splits == load("wnut17", data=wnut17)


def test_a_known_set_by_its_path_is_read_as_what_it_is(wnut17):
    assert load(wnut17) == load("wnut17", data=wnut17)
    assert load(str(wnut17)) == load(wnut17)


def test_any_folder_by_its_path(tmp_path):
    for split in ("train", "dev", "test"):
        (tmp_path / f"{split}.conll").write_text("a B-X\n\nb I-X\n")
    splits = load(tmp_path, repair=True)
    assert (splits.name, splits.types, splits.n_repaired) == (tmp_path.name, ("X",), 3)
    assert len(splits.train) == 1
    layout = Layout(document_per_sentence=True)
    assert len(load(tmp_path, layout=layout, repair=True).train) == 2


def test_a_path_relative_to_the_folder_one_stands_in(tmp_path, monkeypatch):
    path = tmp_path / "posts"
    path.write_text("a B-X\n\nb O\n\nc O\n")
    monkeypatch.chdir(tmp_path)
    assert load("posts").train[0].tokens == ("a",)


def test_conll2003_in_iob1_and_in_iob2_reads_the_same(tmp_path):
    for name, first in (("one", "I"), ("two", "B")):
        (tmp_path / name).mkdir()
        for split in ("train", "testa", "testb"):
            rows = "-DOCSTART- -X- O O\n\nEU NNP I-NP {}-ORG\nBo NNP I-NP B-ORG\n"
            (tmp_path / name / f"eng.{split}").write_text(rows.format(first))
    one, two = (load("conll2003", data=tmp_path / name) for name in ("one", "two"))
    assert one == two
    assert one.train[0].tags == ("B-ORG", "B-ORG")


def test_a_saved_copy_of_the_hub(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    table = datasets.Dataset.from_dict({"tokens": [["a"]], "ner_tags": [["B-PER"]]})
    for split in ("train", "validation", "test"):
        table.to_parquet(tmp_path / "set" / f"{split}.parquet")
    splits = load(tmp_path / "set")
    assert (splits.name, splits.types) == ("set", ("PER",))
    assert load("conll2003", data=tmp_path / "set").name == "conll2003"


def test_the_hub_where_no_copy_is_found(monkeypatch):
    table = datasets.Dataset.from_dict({"tokens": [["a"]], "ner_tags": [["B-person"]]})
    asked = []

    def fetch(hub_id, revision):
        asked.append((hub_id, revision))
        return dict.fromkeys(("train", "validation", "test"), table)

    monkeypatch.setattr(catalogue, "fetch", fetch)
    splits = load("wnut17")
    assert asked == [("leondz/wnut_17", "refs/convert/parquet")]
    assert (splits.name, splits.train[0].tags) == ("wnut17", ("B-person",))


def test_the_gazette_is_made():
    pytest.importorskip("longctx_edu.data.gazette")
    splits = load("gazette", counts=(2, 1, 1), n_tokens=256, seed=3)
    assert [len(splits.train), len(splits.dev), len(splits.test)] == [2, 1, 1]
    assert splits.types == CATALOGUE["gazette"].types
    assert splits == load("gazette", counts=(2, 1, 1), n_tokens=256, seed=3)
    assert splits != load("gazette", counts=(2, 1, 1), n_tokens=256, seed=4)


# real files


def test_real_wnut17(real_data):
    splits = load(real_data("wnut17"))
    counts = [
        sum(len(entities(document.tags)) for document in part)
        for part in (splits.train, splits.dev, splits.test)
    ]
    assert counts == [1975, 836, 1079]
    assert splits.types == CATALOGUE["wnut17"].types


def test_real_litbank_by_its_folder_or_the_one_of_its_files(real_data):
    folder = real_data("litbank")
    assert find("litbank", data=folder.parent) == folder
    splits = load(folder / "entities")
    assert [len(splits.train), len(splits.dev), len(splits.test)] == [80, 10, 10]
    assert splits.types == CATALOGUE["litbank"].types
    assert (splits.name, splits.note) == ("litbank", "as listed in splits/")


# messages


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("wnut", "unknown data set 'wnut': did you mean wnut17? Known are "),
        ("./wnut", "need a file or folder that exists, got wnut; "),
        ("wnut.conll", "need a file or folder that exists, got wnut.conll; "),
    ],
)
def test_a_name_that_is_nothing(name, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=f"^{re.escape(message)}"):
        load(name)


def test_find_refuses_an_unknown_name():
    with pytest.raises(UserError, match=r"^unknown data set 'wnut'"):
        find("wnut")


def test_find_refuses_a_path_that_does_not_exist(tmp_path):
    with pytest.raises(UserError, match=r"^need a file or folder that exists"):
        find("wnut17", data=tmp_path / "gone")


def test_nothing_found_and_no_network_lists_the_ways(out_of_reach, monkeypatch):
    began_s = time.perf_counter()
    message = (
        "no data for wnut17: the hub is out of reach; hand in --data PATH, or let "
        "LONGCTX_DATA (now not set) name its folder, or connect once so that "
        "leondz/wnut_17 is fetched from the hub"
    )
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        load("wnut17")
    assert time.perf_counter() - began_s < 10
    monkeypatch.setenv("LONGCTX_DATA", "/nowhere")
    message = (
        "no data for litbank: it is not on the hub; hand in --data PATH, or let "
        "LONGCTX_DATA (now /nowhere) name its folder"
    )
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        load("litbank")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RuntimeError("scripts are gone\nmore"), "scripts are gone"),
        (FileNotFoundError(), "FileNotFoundError"),
    ],
)
def test_an_error_of_the_hub_is_told_in_its_first_line(monkeypatch, error, reason):
    def fail(hub_id, revision):
        raise error

    monkeypatch.setattr(catalogue, "fetch", fail)
    message = f"no data for conll2003: {reason}; hand in --data PATH"
    with pytest.raises(UserError, match=f"^{re.escape(message)}"):
        load("conll2003")


def test_an_error_in_the_hubs_rows_is_told_as_it_is(monkeypatch):
    table = datasets.Dataset.from_dict({"tokens": [["a"]], "ner_tags": [["I-PER"]]})
    rows = dict.fromkeys(("train", "validation", "test"), table)
    monkeypatch.setattr(catalogue, "fetch", lambda hub_id, revision: rows)
    with pytest.raises(DataError, match=r"^conll2003/train:1: need B-PER"):
        load("conll2003")
    assert load("conll2003", repair=True).n_repaired == 3


def test_a_set_without_any_entity(tmp_path):
    for split in ("train", "dev", "test"):
        (tmp_path / f"{split}.tsv").write_text("a\tB-X\tO\n")
    message = (
        f"need an entity in {tmp_path}, got the tag O alone; are the tags in another "
        "column (tag_column), or nested in several (nested)?"
    )
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        load(tmp_path)
    assert load(tmp_path, layout=Layout(nested=True)).types == ("X",)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda path: load(path, data=path),
            "need a path or a name with data, got {0} and {0}",
        ),
        (
            lambda path: load("gazette", data=path),
            "the gazette is made, not read: leave out data={0}",
        ),
        (
            lambda path: load(path, n_tokens=9),
            "only the gazette has dials: leave out n_tokens",
        ),
        (
            lambda path: load("gazette", n_token=9),
            "unknown dial of the gazette 'n_token': did you mean n_tokens",
        ),
        (
            lambda path: load("gazette", split="dev"),
            "unknown dial of the gazette 'split': ",
        ),
    ],
)
def test_settings_that_do_not_fit(call, message, tmp_path):
    with pytest.raises(UserError, match=f"^{re.escape(message.format(tmp_path))}"):
        call(tmp_path)
