import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from longctx_edu.data.catalogue import load
from longctx_edu.data.check import check
from longctx_edu.data.columns import Layout
from longctx_edu.data.findings import Finding, Findings
from longctx_edu.data.splits import read_splits
from longctx_edu.errors import DataError, UserError

MARK = "-DOCSTART- O\n\n"
GOOD = f"{MARK}Ada B-PER\nsings O\n\n{MARK}Bo{{}} B-PER\nin O\nRome B-LOC\n"


@pytest.fixture
def data(tmp_path):
    """Return a function that writes train, dev and test, good where nothing is said."""

    def write(folder="set", **contents):
        path = tmp_path / folder
        path.mkdir(exist_ok=True)
        for split in ("train", "dev", "test"):
            content = contents.get(split, GOOD.format(split).replace("Ada", split))
            content = content.encode() if isinstance(content, str) else content
            (path / f"{split}.conll").write_bytes(content)
        return path

    return write


def said(checked, level="error"):
    """The findings of a level, with the folder cut off."""
    folder = re.escape(f"{checked.path}/")
    return [re.sub(folder, "", str(f)) for f in checked.findings.in_order(level)]


# equals the strict reader


WORDS = ["a O", "b B-X", "c I-X", "d I-Y", "e", "f g O", "", "h E-X", "i S-Y"]
line = st.sampled_from([*WORDS, "j B-Z", "k NN", "-DOCSTART- O", "l B-X", "n O"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(line, min_size=1, max_size=12), st.booleans())
def test_finds_what_the_strict_reader_stops_at_and_reads_the_same(data, lines, repair):
    path = data(train="\n".join(["x B-X", "", *lines]))
    layout = Layout(types=("X", "Y", "PER", "LOC"))
    checked = check(path, layout, repair=repair)
    found = {(f.path, f.line, f.message) for f in checked.findings.kept["error"]}
    try:
        splits = read_splits(path, layout, repair=repair)
    except DataError as error:
        assert (str(error.path), error.line, error.message) in found
        assert not checked.is_usable
    else:
        assert {f.kind for f in checked.findings.kept["error"]} <= {"scheme"}
        assert checked.types == splits.types
        assert checked.n_repaired == splits.n_repaired
        assert checked.splits["train"].tokens == sum(map(len, splits.train))


# all errors at once


def test_each_mistake_with_its_file_and_line_and_no_other(data):
    path = data(
        train=b"Ada B-PER\nLove I-PRE\nlace I-PER\n\ncaf\xe9 O\nx X-PER\ny I-PER\n\n"
        b"Bo\tin Rome\tI-LOC\nz\nz\t\tO\n\tO\n\nq I-LOC\nq I-LOC\n",
        dev="Ada B-PER\n\nt  \n",
    )
    checked = check(path, Layout(types=("PER", "LOC")))
    assert said(checked) == [
        "error: train.conll:2: need one of the types PER, LOC, got 'I-PRE'; did you "
        "mean I-PER?",
        "error: train.conll:5: need UTF-8, got the byte 0xe9; save it as UTF-8 (iconv "
        "-f LATIN1 -t UTF-8 converts the usual case)",
        "error: train.conll:6: need O, B-TYPE or I-TYPE, got 'X-PER'",
        "error: train.conll:9: need 2 columns, as in line 1, got 3: 'Bo in Rome I-LOC'",
        "error: train.conll:10: need at least 2 columns (token and tag), got 1: 'z'",
        "error: train.conll:11: need 2 columns, as in line 1, got 3: 'z  O'",
        "error: train.conll:12: need a token in column 1, got none: ' O'",
        "error: train.conll:14: need B-LOC or I-LOC before I-LOC, got nothing; correct "
        "it, or read it as B-LOC with --repair (repair=True)",
        "error: dev.conll:3: need at least 2 columns (token and tag), got 1: 't'",
    ]


def test_a_header_is_the_odd_line_out_and_a_file_without_tags_is_one_error(data):
    path = data(train="token pos tag\nAda B-PER\nsings O\n", dev="a\nb\n\nc\n")
    assert said(check(path)) == [
        "error: train.conll:1: need 2 columns, as in line 2, got 3: 'token pos tag'",
        "error: dev.conll:1: need at least 2 columns (token and tag), got 1: 'a'",
    ]


def test_missing_and_doubled_and_empty_splits_are_told_together(data):
    path = data(dev="", test="-DOCSTART- O\n\n")
    (path / "train.conll").unlink()
    (path / "x.test.conll").write_text("a B-X\n")
    checked = check(path)
    assert said(checked) == [
        f"error: need files or folders named train, dev and test in {path}, got "
        "dev.conll, test.conll, x.test.conll; add train",
        f"error: need one test file in {path}, got test.conll and x.test.conll; keep "
        "one",
        "error: dev.conll: need some text, got an empty file",
        "error: test.conll: need at least one token with its tag, got none",
    ]
    assert said(checked, "warning") == [
        "warning: test.conll:1: a document mark with no token behind it: it stays out"
    ]


def test_a_folder_with_nothing_and_a_path_that_is_not_there(tmp_path):
    (tmp_path / "none").mkdir()
    (finding, *_) = check(tmp_path / "none").findings.kept["error"]
    assert finding.kind == "splits" and "got nothing" in finding.message
    with pytest.raises(UserError, match=r"^need a file or folder that exists"):
        check(tmp_path / "gone")


def test_lists_of_files_are_checked_to_their_end(tmp_path):
    (tmp_path / "entities").mkdir()
    (tmp_path / "splits").mkdir()
    (tmp_path / "entities" / "a.tsv").write_text("Ada\tB-PER\n")
    (tmp_path / "splits" / "train.ids").write_text("a.tsv\nb.tsv\nc.tsv\n")
    (tmp_path / "splits" / "dev.ids").write_text("")
    errors = said(check(tmp_path))
    assert errors[:3] == [
        "error: splits/train.ids:2: need the name of a file in entities/, got 'b.tsv'",
        "error: splits/train.ids:3: need the name of a file in entities/, got 'c.tsv'",
        "error: splits/dev.ids: need some text, got an empty file",
    ]
    assert "test.ids" in errors[3] and len(errors) == 4


def test_the_first_are_kept_and_the_rest_are_counted(data):
    path = data(train="x B-X\n\n" + "a b c\n" + "b NN\n" * 9)
    checked = check(path, limit=4)
    kept = checked.findings.kept["error"]
    assert [f.line for f in kept] == [3, 4, 5, 6]
    assert checked.findings.rest == {("error", "tag"): 6}
    assert checked.findings.count("error") == 10


# schemes


def write_scheme(scheme):
    ends = {"IOB2": "BI", "IOB1": "II", "BIOES": "BE", "BILOU": "BL", "BMES": "BE"}
    one = {"BIOES": "S", "BILOU": "U", "BMES": "S", "IOB1": "I"}.get(scheme, "B")
    first, last = ends[scheme]
    return f"Ada {first}-PER\nL {last}-PER\nin O\n{{}} {one}-LOC\n\nx O\n"


@pytest.mark.parametrize("scheme", ["IOB2", "IOB1", "BIOES", "BILOU"])
def test_the_scheme_is_found_out(data, scheme):
    splits = {s: write_scheme(scheme).format(s) for s in ("train", "dev", "test")}
    checked = check(data(**splits))
    assert (checked.layout.scheme, said(checked)) == (scheme, [])
    assert checked.splits["test"].entities == {"LOC": 1, "PER": 1}
    assert load(checked.path).train == load(checked.path, layout=checked.layout).train


def test_files_in_different_schemes(data):
    iob1, bioes = (write_scheme(scheme) for scheme in ("IOB1", "BIOES"))
    checked = check(data(train=iob1))
    assert said(checked)[0] == (
        "error: train.conll: need the tag scheme IOB2 of all files together, got IOB1"
    )
    checked = check(data(train=bioes * 9))
    assert said(checked) == [
        f"error: {split}.conll: need the tag scheme BIOES of all files together, got "
        "IOB2"
        for split in ("dev", "test")
    ]
    checked = check(data(), Layout(scheme="BIOES"))
    assert "scheme BIOES that was asked for, got IOB2" in said(checked)[0]
    assert said(check(data(), Layout(scheme="IOB1"))) == []


def test_entities_that_are_not_closed(data):
    row = "a B-X\nb E-X\n\nc S-X\n\n"
    path = data(**{s: row * 2 + f"{s} B-X\n" for s in ("train", "dev", "test")})
    assert said(check(path), "warning")[0] == (
        "warning: train.conll: need each entity closed, as BIOES asks, got 1 that are "
        "not: they are read as they stand"
    )


def test_repair_counts_and_asks_for_no_scheme(data):
    checked = check(data(train="Ada I-PER\n\nBo B-PER\n\nin O\n"), repair=True)
    assert (said(checked), checked.n_repaired) == ([], 1)


# between the splits


def test_documents_in_train_and_test(data):
    long = " O\n".join("abcdefgh") + " O\n\n"
    path = data(test=GOOD.format("train").replace("Ada", "test"))
    (error,) = said(check(path))
    assert error == (
        "error: 1 of 2 documents of test stand in train too, word for word: 60.0 % of "
        "its words, the first in test.conll:8 and train.conll:8; scores on test "
        "measure memory there"
    )
    marks = "-DOCSTART- O\n\n"
    many = GOOD.format("x") + marks + long * 9
    checked = check(data(test=many, train=GOOD.format("x").replace("Ada", "Eve")))
    assert said(checked) == []
    assert "1 of 3 documents of test" in said(checked, "warning")[0]


def test_sentences_where_a_split_is_one_document(data):
    sentence = "".join(f"w{i} O\n" for i in range(10)) + "\n"
    path = data(train=f"Ada B-PER\n\n{sentence}", dev=f"Bo B-PER\n\n{sentence}")
    (error,) = said(check(path))
    assert error.startswith(
        "error: 1 of 1 sentences of 10 words or more of dev stand in train too"
    )


def test_documents_that_stand_twice_in_a_split(data):
    checked = check(data(train=GOOD.format("y") * 2))
    (note,) = said(checked, "note")
    assert note == (
        "note: 2 of 4 documents of train stand there more than once, word for word"
    )


def test_splits_without_entities_and_types_without_training(data):
    path = data(dev="a O\n\nb O\n", test="c B-ORG\n\nd O\n")
    checked = check(path, Layout(types=("LOC", "ORG", "PER", "WORK")))
    assert said(checked) == []
    assert said(checked, "warning") == [
        "warning: need an entity in dev, got the tag O alone",
        "warning: need ORG in train, got it in test alone: no model learns it",
        "warning: the label WORK stands nowhere",
    ]
    (error,) = said(check(data(train="a O\n\nb O\n")))
    assert error == "error: need an entity in train, got the tag O alone"
    for split in ("dev", "test", "train"):
        (path / f"{split}.conll").write_text(f"{split} B-X O\n\nb O O\n")
    assert said(check(path))[0].endswith(
        "the tag O alone; are the tags in another column (--tag-column), or nested in "
        "several (--nested)?"
    )


# notes and warnings of a file


def test_long_sentences_and_empty_documents(data):
    path = data(train="-DOCSTART- O\n\n" + GOOD + "\n-DOCSTART-\n")
    checked = check(path, long_sentence=2)
    assert said(checked, "warning")[:3] == [
        "warning: train.conll:1: a document mark with no token behind it: it stays out",
        "warning: train.conll:10: need a blank line behind each sentence, got one of 3 "
        "words (more than 2)",
        "warning: train.conll:14: a document mark with no token behind it: it stays "
        "out",
    ]
    assert said(check(path, long_sentence=3), "warning")[1:2] == [
        "warning: train.conll:14: a document mark with no token behind it: it stays out"
    ]


def test_a_file_without_marks_is_a_note(data):
    path = data(train="Ada B-PER\n\nsings O\n")
    assert said(check(path), "note") == [
        "note: train.conll: the file is one document of 2 words, as no second "
        "-DOCSTART- mark parts it; if its sentences are texts on their own, say "
        "--document-per-sentence"
    ]
    checked = check(path, Layout(document_per_sentence=True))
    assert said(checked, "note") == []
    assert checked.splits["train"].documents == 2


def test_one_file_is_cut(tmp_path):
    path = tmp_path / "x.conll"
    path.write_text("a B-X\n\nb B-X\n\nc B-X\n")
    checked = check(path)
    assert said(checked) == []
    assert "cut 80/10/10" in checked.note and checked.files == ()
    assert [part.tokens for part in checked.splits.values()] == [1, 1, 1]
    path.write_text("a B-X\n")
    assert said(check(path))[0].startswith("error: need 3 sentences at least to cut")


# the summary


def test_what_is_in_each_split(data):
    checked = check(data())
    assert checked.is_usable and checked.types == ("LOC", "PER")
    assert said(checked) == said(checked, "warning") == said(checked, "note") == []
    part = checked.splits["train"]
    assert (part.documents, part.sentences, part.tokens) == (2, 2, 5)
    assert part.entities == {"LOC": 1, "PER": 2}
    assert (part.median_tokens, part.longest_tokens) == (2.5, 3)


def test_a_known_set_is_checked_as_what_it_is(real_data):
    checked = check(real_data("wnut17"))
    assert checked.is_usable and checked.layout.document_per_sentence
    assert len(checked.files) == 3
    counts = [sum(part.entities.values()) for part in checked.splits.values()]
    assert counts == [1975, 836, 1079]


def test_a_saved_set_is_read_up_to_its_first_mistake(tmp_path):
    datasets = pytest.importorskip("datasets")
    table = datasets.Dataset.from_dict({"tokens": [["a"]], "ner_tags": [["I-PER"]]})
    for split in ("train", "validation", "test"):
        table.to_parquet(tmp_path / "set" / f"{split}.parquet")
    (error,) = said(check(tmp_path / "set"))
    assert error.startswith("error: set/train:1: need B-PER or I-PER before I-PER")
    assert check(tmp_path / "set", repair=True).n_repaired == 3


# messages


def test_settings_outside_their_range(data):
    with pytest.raises(UserError, match=r"^need long_sentence >= 1, got 0$"):
        check(data(), long_sentence=0)
    with pytest.raises(ValueError, match=r"^need limit >= 1, got limit=0$"):
        Findings(0)


def test_a_finding_names_as_much_of_its_place_as_is_known():
    finding = Finding("note", "x", "so it is", "a.conll", 3)
    assert str(finding) == "note: a.conll:3: so it is"
    assert str(replace(finding, line=None)) == "note: a.conll: so it is"
    assert str(replace(finding, line=None, path=None)) == "note: so it is"
