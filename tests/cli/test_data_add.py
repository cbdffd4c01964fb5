import json
import re

import pytest

from longctx_edu.cli.data_options import DataOptions, absolute, load_splits
from longctx_edu.data.gazette import GazetteConfig, article

PARTS = ("train", "dev", "test")


@pytest.fixture
def folder(tmp_path):
    """Return a function that writes files, and returns the folder they are in."""

    def write(**files):
        path = tmp_path / "own"
        for name, content in files.items():
            place = path / name.replace("__", "/")
            place = place.with_name(f"{place.name}.conll")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content.encode("utf-8"))
        return path

    return write


def rows(split):
    return f"Ada{split} B-PER\nLove I-PER\nin O\nRome B-LOC\n\nShe O\n"


def wanted(split):
    tokens = (f"Ada{split}", "Love", "in", "Rome", "She")
    return tokens, ("B-PER", "I-PER", "O", "B-LOC", "O")


def with_columns(text, columns):
    return re.sub(r"^(\S+) ", rf"\1 {columns}", text, flags=re.M)


def scheme(text, one, last):
    text = re.sub(r"I-(?=PER$)", f"{last}-", text, flags=re.M)
    return text.replace("B-LOC", f"{one}-LOC")


FORMS = {
    "2 columns": rows,
    "4 columns": lambda s: with_columns(rows(s), "NNP I-NP "),
    "IOB1": lambda s: rows(s).replace("B-", "I-"),
    "BIOES": lambda s: scheme(rows(s), "S", "E"),
    "BILOU": lambda s: scheme(rows(s), "U", "L"),
    "BMES": lambda s: scheme(rows(s), "S", "E"),
    "marks": lambda s: f"-DOCSTART- -X- O O\n\n{rows(s)}",
    "windows": lambda s: rows(s).replace("\n", "\r\n"),
    "byte order mark": lambda s: f"\ufeff{rows(s)}",
    "tabs": lambda s: rows(s).replace(" ", "\t"),
    "blanks": lambda s: rows(s).replace(" ", "   ").replace("\n\n", "\n \t\n\n"),
    "blanks at the end": lambda s: rows(s).replace("\n", " \n"),
    "no last line end": lambda s: rows(s).rstrip("\n"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("place", ["{}", "{}__a", "x-{}"])
def test_every_form_reads_the_same_by_its_path_and_by_its_name(
    call, folder, form, place
):
    path = folder(**{place.format(split): FORMS[form](split) for split in PARTS})
    code, out, err = call("data", "add", "own", "--path", path, "--labels", "LOC,PER")
    assert (code, err) == (0, "") and "errors: 0, warnings: 0" in out
    for options in (DataOptions(str(path)), DataOptions("own")):
        splits = load_splits(options)
        assert splits.types == ("LOC", "PER")
        for split in PARTS:
            (document,) = getattr(splits, split)
            assert (document.tokens, document.tags) == wanted(split)
            assert document.sentence_starts == (0, 4)


def test_a_document_a_file_without_splits(call, folder):
    path = folder(**{f"d{i}": rows(str(i)) for i in range(10)})
    assert call("data", "add", "own", "--path", path)[0] == 0
    splits = load_splits(DataOptions("own"))
    assert splits == load_splits(DataOptions(str(path)))
    assert [len(getattr(splits, split)) for split in PARTS] == [8, 1, 1]


def test_chinese_a_character_a_line(call, folder):
    lines = (
        "高 B-NAME\n勇 E-NAME\n： O\n男 O\n\n中 B-CONT\n国 M-CONT\n籍 E-CONT\n{} O\n\n"
    )
    path = folder(**{split: lines.format(split) for split in PARTS})
    code, out, _ = call("data", "add", "own", "--path", path)
    assert code == 0 and "tags in BMES" in out
    (document,) = load_splits(DataOptions("own")).train
    assert "".join(document.tokens) == "高勇：男中国籍train"
    assert document.tags[:2] == ("B-NAME", "I-NAME")
    assert document.tags[4:7] == ("B-CONT", "I-CONT", "I-CONT")
    assert document.sentence_starts == (0, 4)


def test_a_document_of_22_000_words(call, folder):
    made = {s: article(GazetteConfig(n_tokens=22_000, split=s), 0) for s in PARTS}
    files = {
        split: "".join(
            ("\n" if number and number in starts else "") + f"{token}\t{tag}\n"
            for number, (token, tag) in enumerate(zip(d.tokens, d.tags, strict=True))
        )
        for split, d in made.items()
        for starts in [set(d.sentence_starts)]
    }
    path = folder(**files)
    code, out, _ = call("data", "add", "own", "--path", path, "--json")
    assert code == 0
    assert json.loads(out)["splits"]["test"]["longest_tokens"] == len(made["test"])
    assert len(made["test"]) >= 22_000
    splits = load_splits(DataOptions("own"))
    for split, document in made.items():
        (read,) = getattr(splits, split)
        assert (read.tokens, read.tags) == (document.tokens, document.tags)
        assert read.sentence_starts == document.sentence_starts


# what is added


def test_a_name_is_no_path_and_takes_options_of_its_own(call, folder):
    path = folder(**{s: with_columns(rows(s), "O ") for s in PARTS})
    assert call("data", "add", "own", "--path", path)[0] == 0
    assert absolute(DataOptions("own")).data == "own"
    assert absolute(DataOptions("./own")).data == str(path)
    by_sentence = load_splits(DataOptions("own", document_per_sentence=True))
    assert len(by_sentence.train) == 2
    assert by_sentence.types == ("LOC", "PER")


def test_added_sets_are_listed_and_removed(call, folder, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    path = folder(**{split: rows(split) for split in PARTS})
    assert call("data", "add", "own", "--path", path)[0] == 0
    listed = call("data", "list")[1]
    assert f"{path} (added; noted in " in listed
    (path / "train.conll").unlink()
    path.rename(path.with_name("moved"))
    assert f"nothing is there any more: {path} (added" in call("data", "list")[1]
    code, out, _ = call("data", "remove", "own")
    assert (code, out) == (0, "own is no longer known; its files stay where they are\n")
    assert "noted in" not in call("data", "list")[1]


def test_labels_are_kept_for_later(call, refused, folder):
    path = folder(**{split: rows(split) for split in PARTS})
    assert call("data", "add", "own", "--path", path, "--labels", "LOC, PER")[0] == 0
    (path / "dev.conll").write_text("Ada B-PRE\n")
    with pytest.raises(ValueError, match=r"got 'B-PRE'; did you mean B-PER\?$"):
        load_splits(DataOptions("own"))


def test_repair_is_kept_too(call, folder):
    files = {split: rows(split) + "\nx I-PER\n" for split in PARTS}
    path = folder(**files)
    assert call("data", "add", "own", "--path", path)[0] == 1
    code, out, _ = call("data", "add", "own", "--path", path, "--repair")
    assert code == 0 and "3 tags read as B-" in out
    assert load_splits(DataOptions("own")).n_repaired == 3


# what is wrong


def test_errors_end_with_1_and_nothing_is_added(call, folder, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    path = folder(
        train=rows("train") + "x B-PRE\n\ny\n", dev=rows("dev"), test="z NN\n" * 9
    )
    code, out, err = call(
        *("data", "add", "own", "--path", path, "--labels", "LOC,PER", "--show", 3)
    )
    assert (code, err) == (1, "")
    assert out.splitlines()[:4] == [
        f"error: {path}/train.conll:7: need one of the types LOC, PER, got 'B-PRE'; "
        "did you mean B-PER?",
        f"error: {path}/train.conll:9: need at least 2 columns (token and tag), got 1: "
        "'y'",
        f"error: {path}/test.conll:1: need O, B-TYPE or I-TYPE, got 'NN'",
        "error: and 8 more (8 tag); --show N",
    ]
    assert out.endswith("own is not added: correct the errors first\n")
    with pytest.raises(ValueError, match=r"^unknown data set 'nothing'"):
        load_splits(DataOptions("nothing"))
    assert "noted in" not in call("data", "list")[1]


def test_warnings_end_with_0(call, folder):
    path = folder(train=rows("train"), dev=rows("dev"), test="x B-ORG\n")
    code, out, _ = call("data", "add", "own", "--path", path)
    assert code == 0 and "errors: 0, warnings: 1" in out
    assert "warning: need ORG in train, got it in test alone" in out


def test_the_report_for_machines(call, folder):
    path = folder(train="Ada B-PER\nx NN\n", dev=rows("dev"), test="z NN\n" * 9)
    words = ["data", "add", "own", "--path", path, "--json", "--show", 2]
    code, out, err = call(*words)
    said = json.loads(out)
    assert (code, err) == (1, "")
    assert (said["added"], said["noted_in"], said["path"]) == (False, None, str(path))
    assert said["counts"] == {"error": 10, "warning": 2, "note": 1}
    assert said["findings"][0] == {
        "level": "error",
        "kind": "tag",
        "message": "need O, B-TYPE or I-TYPE, got 'NN'",
        "path": f"{path}/train.conll",
        "line": 2,
    }
    assert said["not_shown"] == [{"level": "error", "kind": "tag", "count": 8}]
    (path / "train.conll").write_text(rows("train"))
    (path / "test.conll").write_text(rows("test"))
    code, out, _ = call(*words)
    said = json.loads(out)
    assert code == 0 and said["added"] and said["layout"]["scheme"] == "IOB2"
    assert said["splits"]["dev"]["entities"] == {"LOC": 1, "PER": 1}


# messages


def test_a_name_that_stands_for_other_data(call, refused, folder, tmp_path):
    path = folder(**{split: rows(split) for split in PARTS})
    other = tmp_path / "other.conll"
    other.write_text("a B-X\n\nb B-X\n\nc B-X\n")
    assert call("data", "add", "own", "--path", path)[0] == 0
    assert call("data", "add", "own", "--path", path)[0] == 0
    assert refused("data", "add", "own", "--path", other) == (
        f"need another name than own: it stands for {path}; --overwrite lets it mean "
        "these data"
    )
    assert call("data", "add", "own", "--path", other, "--overwrite")[0] == 0
    assert load_splits(DataOptions("own")).types == ("X",)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["own"], "need --path with a file or a folder, got none"),
        (["own", "--path", "x"], r"need a file or folder that exists, got .*x; .*"),
        (
            ["own", "--path", ".", "--labels", "A,,B"],
            "need labels parted by commas, each once, got 'A,,B'",
        ),
        (
            ["own", "--path", ".", "--labels", "A,A"],
            "need labels parted by commas, each once, got 'A,A'",
        ),
        (["a/b", "--path", "."], "need a name of letters, digits, - and _, 64 at .*"),
        (["wnut17", "--path", "."], "need another name than wnut17: a built-in .*"),
        (["own", "--path", ".", "--show", 0], "need --show >= 1, got 0"),
        (
            ["own", "--path", ".", "--long-sentence", 0],
            "need long_sentence >= 1, got 0",
        ),
        (["own", "--path", ".", "--scheme", "BIO"], "unknown tag scheme 'BIO': .*"),
    ],
)
def test_options_that_do_not_fit(refused, words, line):
    assert re.fullmatch(line, refused("data", "add", *words))


def test_a_name_that_was_not_added(refused):
    assert refused("data", "remove", "own") == (
        "need a set that was added, got 'own'; there is none"
    )
