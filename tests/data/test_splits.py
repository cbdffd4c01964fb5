import re

import pytest

from longctx_edu.data.columns import Layout
from longctx_edu.data.splits import read_splits
from longctx_edu.errors import DataError, UserError


@pytest.fixture
def folder(tmp_path):
    """Return a function that writes files, each with its own name as its only token."""

    def write(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{path.name} B-X\n")
        return tmp_path

    return write


def tokens(splits):
    parts = (splits.train, splits.dev, splits.test)
    return [[d.tokens[0] for d in part] for part in parts]


@pytest.mark.parametrize(
    "names",
    [
        ("train.conll", "dev.conll", "test.conll"),
        ("train.txt", "valid.txt", "test.txt"),
        ("de-train.tsv", "de-validation.tsv", "de-test.tsv"),
        ("eng.train", "eng.testa", "eng.testb"),
        ("wnut17train.conll", "emerging.dev.conll", "emerging.test.annotated"),
        ("Train.iob2", "DEVEL.bio", "x_test.iob"),
    ],
)
def test_three_files_named_by_their_split(folder, names):
    path = folder(*names)
    (path / "README.md").write_text("no data")
    splits = read_splits(path)
    assert tokens(splits) == [[name] for name in names]
    assert splits.note == "train: {}, dev: {}, test: {}".format(*names)
    assert (splits.name, splits.types) == (path.name, ("X",))


def test_three_folders_with_a_document_a_file(folder):
    path = folder("train/b.tsv", "train/a.tsv", "valid/c.tsv", "test/d.tsv")
    assert tokens(read_splits(path)) == [["a.tsv", "b.tsv"], ["c.tsv"], ["d.tsv"]]


def test_lists_beside_the_files(folder):
    path = folder("entities/a.tsv", "entities/b.tsv", "entities/c", "entities/d.tsv")
    (path / "splits").mkdir()
    (path / "splits" / "train.ids").write_text("d.tsv\nb.tsv\n")
    (path / "splits" / "dev.ids").write_text("c\r\n\n")
    (path / "splits" / "test.ids").write_text("a.tsv")
    splits = read_splits(path)
    assert tokens(splits) == [["d.tsv", "b.tsv"], ["c"], ["a.tsv"]]
    assert splits.note == "as listed in splits/"


def test_named_files(folder):
    path = folder("a.train.conll", "b.train.conll", "x.conll", "y.conll")
    names = ("b.train.conll", "x.conll", "y.conll")
    assert tokens(read_splits(path, files=names)) == [[name] for name in names]


def test_any_other_folder_is_cut_by_document(folder):
    path = folder("the_train.txt", *(f"{i}.txt" for i in range(9)))
    splits = read_splits(path)
    assert [len(part) for part in tokens(splits)] == [8, 1, 1]
    assert "cut 80/10/10" in splits.note


def test_a_file_is_cut(tmp_path):
    path = tmp_path / "x.conll"
    path.write_text("a I-X\n\nb O\n\nc O\n")
    layout = Layout(document_per_sentence=True)
    splits = read_splits(path, layout, repair=True)
    assert tokens(splits) == [["a"], ["b"], ["c"]]
    assert (splits.name, splits.n_repaired) == ("x.conll", 1)


# messages


def test_a_missing_split_is_named(folder):
    path = folder("train.conll", "test.conll")
    message = (
        f"need files or folders named train, dev and test in {path}, got "
        "test.conll, train.conll; add dev"
    )
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        read_splits(path)


def test_an_empty_folder(tmp_path):
    message = (
        f"need files or folders named train, dev and test in {tmp_path}, got "
        "nothing; add train and dev and test"
    )
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        read_splits(tmp_path)


def test_two_files_for_one_split(folder):
    path = folder("train.conll", "dev.conll", "test.annotated", "test.conll")
    message = (
        f"need one test file in {path}, got test.annotated and test.conll; keep one"
    )
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        read_splits(path)


def test_a_list_with_a_name_that_is_not_there(folder):
    path = folder("entities/a.tsv")
    (path / "splits").mkdir()
    ids = path / "splits" / "train.ids"
    ids.write_text("a.tsv\nb.tsv\n")
    message = f"{ids}:2: need the name of a file in entities/, got 'b.tsv'"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        read_splits(path)


def test_a_list_that_is_not_there(folder):
    path = folder("entities/a.tsv")
    (path / "splits").mkdir()
    (path / "splits" / "trian.ids").write_text("a.tsv")
    with pytest.raises(UserError, match=r"train\.ids; did you mean trian\.ids\?$"):
        read_splits(path)


def test_a_named_file_that_is_not_there(folder):
    path = folder("a.conll", "b.conll")
    with pytest.raises(UserError, match=r"c\.conll; did you mean "):
        read_splits(path, files=("a.conll", "b.conll", "c.conll"))


def test_a_path_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match=r"^need a file or folder that exists"):
        read_splits(tmp_path / "nothing")
