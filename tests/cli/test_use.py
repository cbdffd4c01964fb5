import io
import json
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from longctx_edu.cli.use import read_text
from longctx_edu.errors import UserError

TEXT = "Zoë met\nthe surgeon Marlow of Rosent Rowing Club in Lower Gilumber.\n"


@pytest.fixture
def model(trained, tmp_path):
    """A copy of the trained model, to write into or to damage."""
    shutil.copytree(trained, tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def found(trained, monkeypatch):
    """Tag every capital word as a person: a model of one article finds nothing."""

    def predict(self, documents, *, pieces=None, on_piece=None):
        return [
            ["B-PER" if word[0].isupper() else "O" for word in document.tokens]
            for document in documents
        ]

    monkeypatch.setattr("longctx_edu.recipes.tagger.Tagger.predict", predict)
    return trained


def standard_input(content, monkeypatch, is_terminal=False):
    stream = io.TextIOWrapper(io.BytesIO(content), encoding="latin-1")
    monkeypatch.setattr(stream, "isatty", lambda: is_terminal, raising=False)
    monkeypatch.setattr(sys, "stdin", stream)


# predict


def check_rows(out, text):
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["text"] for row in rows] == [
        "Zoë",
        "Marlow",
        "Rosent",
        "Rowing",
        "Club",
        "Lower",
        "Gilumber",
    ]
    for row in rows:
        assert text[row["start"] : row["stop"]] == row["text"]
        assert row["line"] == (1 if row["text"] == "Zoë" else 2)
        assert row["type"] == "PER"


def test_a_text(call, found):
    code, out, err = call("predict", found, TEXT, "--format", "jsonl")
    assert (code, err) == (0, "")
    check_rows(out, TEXT)


def test_a_file_with_its_own_line_ends(call, found, tmp_path):
    text = TEXT.replace("\n", "\r\n")
    (tmp_path / "a.txt").write_bytes(text.encode())
    _, out, _ = call("predict", found, "--file", "a.txt", "--format", "jsonl")
    check_rows(out, text)


@given(st.text(max_size=30), st.sampled_from(["", "\ufeff"]))
@example("\r\n", "\ufeff")
@example("\u00a0", "")
def test_a_file_and_standard_input_are_one_text(text, mark):
    content = (mark + text).encode()
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as monkeypatch:
        path = Path(folder) / "a.txt"
        path.write_bytes(content)
        standard_input(content, monkeypatch)
        if not text.removeprefix("\ufeff" * (not mark)).strip():
            for name, file in (("-", None), (None, path)):
                with pytest.raises(UserError, match="need some text, got"):
                    read_text(name, file)
        else:
            wanted = (mark + text).removeprefix("\ufeff")
            assert read_text(None, path) == read_text("-", None) == wanted


@pytest.mark.parametrize("way", ["--file", "-"])
def test_entities_are_the_same_from_a_file_and_from_standard_input(
    call, found, tmp_path, monkeypatch, way
):
    text = TEXT.replace("\n", "\r\n")
    content = b"\xef\xbb\xbf" + text.encode()  # as Windows saves it
    (tmp_path / "a.txt").write_bytes(content)
    standard_input(content, monkeypatch)
    words = ["--file", "a.txt"] if way == "--file" else ["-"]
    _, out, _ = call("predict", found, *words, "--format", "jsonl")
    check_rows(out, text)


@pytest.mark.parametrize("words", [["-"], []])
def test_standard_input_is_utf_8_wherever_one_lives(call, found, words, monkeypatch):
    standard_input(TEXT.encode(), monkeypatch)
    _, out, _ = call("predict", found, *words, "--format", "jsonl")
    check_rows(out, TEXT)


def test_a_table(call, found):
    _, out, _ = call("predict", found, "Ada met [bold]Bo[/bold] .")
    lines = [line.split() for line in out.splitlines()]
    assert lines == [
        ["line", "start", "stop", "type", "text"],
        ["1", "0", "3", "PER", "Ada"],
        ["1", "14", "16", "PER", "Bo"],
    ]


def test_no_entity(call, found):
    assert call("predict", found, "nobody")[1] == "no entity found\n"
    assert call("predict", found, "nobody", "--format", "jsonl")[1] == ""


def test_a_text_far_longer_than_the_articles_that_trained(call, trained, tmp_path):
    text = "The harbour town of Marlow has named a cup after its surgeon . " * 300
    (tmp_path / "long.txt").write_text(text)
    code, out, err = call("predict", trained, "--file", "long.txt", "--format", "jsonl")
    assert (code, err) == (0, "")
    for line in out.splitlines():
        row = json.loads(line)
        assert text[row["start"] : row["stop"]] == row["text"]


@pytest.mark.parametrize(
    ("text", "shown"), [("a " * 3000, True), ("李、" * 3000, True), ("a " * 100, False)]
)
def test_a_bar_for_a_long_text_where_somebody_sees_it(
    call, trained, monkeypatch, text, shown
):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    _, out, err = call("predict", trained, text, "--format", "jsonl")
    assert ("100%" in err) == shown
    assert "%" not in out
    assert call("predict", trained, text, "--quiet")[2] == ""


# predict: what is refused


def test_no_text(refused, trained, monkeypatch):
    standard_input(b"", monkeypatch, is_terminal=True)
    assert refused("predict", trained) == (
        'need a text, got none: "TEXT", --file PATH, or - for stdin'
    )


def test_blanks(refused, trained, monkeypatch):
    wanted = "need some text, got nothing but blanks"
    assert refused("predict", trained, " \n") == wanted
    standard_input(b"\n", monkeypatch)
    assert refused("predict", trained, "-") == wanted


def test_two_texts(refused, trained):
    assert refused("predict", trained, "Ada", "--file", "x") == (
        "need a text or --file, got both: 'Ada' and x"
    )


def test_standard_input_that_is_not_utf_8(refused, trained, monkeypatch):
    standard_input(b"z\xe9ro", monkeypatch)
    assert refused("predict", trained) == (
        "need UTF-8 on standard input, got the byte 0xe9 at 1"
    )


def test_an_argument_that_is_not_utf_8(refused, trained):
    assert refused("predict", trained, "Ada \udcff") == (
        "need UTF-8 in the text, got the byte 0xff at 4"
    )


def test_files_that_cannot_be_read(refused, trained, tmp_path):
    (tmp_path / "latin.txt").write_bytes(b"a\nz\xe9ro")
    (tmp_path / "empty.txt").touch()
    assert refused("predict", trained, "--file", "nope.txt") == (
        "need a file or folder that exists, got nope.txt; did you mean latin.txt or "
        "empty.txt?"
    )
    assert refused("predict", trained, "--file", "latin.txt") == (
        "latin.txt:2: need UTF-8, got the byte 0xe9; save it as UTF-8 (iconv -f LATIN1 "
        "-t UTF-8 converts the usual case)"
    )
    assert refused("predict", trained, "--file", "empty.txt") == (
        "empty.txt: need some text, got an empty file"
    )
    assert refused("predict", trained, "--file", ".") == (
        "need a file, got the folder .; name a file in it"
    )


def test_an_unknown_format(refused, trained):
    assert refused("predict", trained, "Ada", "--format", "josnl") == (
        "unknown format 'josnl': did you mean jsonl? Known are jsonl, table"
    )


def test_no_model(refused, tmp_path):
    assert refused("predict", "nowhere", "Ada") == (
        "need a folder with a saved model, got nowhere: no such folder"
    )
    assert refused("predict", tmp_path, "Ada") == (
        f"need config.json in {tmp_path}, got none"
    )


def test_truncated_weights(refused, model):
    weights = model / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])
    assert refused("predict", model, "Ada").startswith(
        f"cannot read {weights}: it is truncated or no safetensors file ("
    )


def test_weights_of_another_architecture(refused, model):
    config = (model / "config.json").read_text()
    (model / "config.json").write_text(config.replace('"n_layers": 2', '"n_layers": 3'))
    said = f"{model}/model.safetensors holds another architecture: missing encoder."
    assert refused("predict", model, "Ada").startswith(said)


def test_a_pickle(refused, model):
    (model / "model.safetensors").rename(model / "pytorch_model.bin")
    assert refused("predict", model, "Ada") == (
        f"need weights as model.safetensors, got the pickle {model}/pytorch_model.bin: "
        "a pickle can run any code, so it is not read; save the model as safetensors"
    )


# evaluate


def test_scores_are_printed_and_kept(call, model):
    sizes = ["--articles", 8, "--tokens", 160]
    code, out, _ = call("evaluate", model, "--data", "gazette", *sizes)
    assert code == 0
    kept = json.loads((model / "evaluation_gazette_test.json").read_text())
    report = json.loads((model / "report.json").read_text())
    assert {name: kept[name] for name in report["test"]} == report["test"]
    assert (kept["data"], kept["split"], kept["documents"]) == ("gazette", "test", 1)
    assert "strict entities" in out
    assert "evaluation_gazette_test.json and evaluation_gazette_test.html" in out
    assert (model / "evaluation_gazette_test.html").read_text().endswith("</html>\n")


def test_a_model_without_the_forms_of_its_training_is_scored_too(call, model):
    (model / "seen.json").unlink()
    code, out, _ = call("evaluate", model, "--data", "gazette", "--tokens", 128)
    assert code == 0
    assert "in training" not in out
    kept = json.loads((model / "evaluation_gazette_test.json").read_text())
    assert "by_novelty" not in kept
    assert len(kept["by_length"]) == 7


def test_another_split_on_files(call, model, tmp_path):
    (tmp_path / "a.conll").write_text("Ada B-PER\nsings O\n\n" * 5)
    code, out, _ = call("evaluate", model, "--data", "a.conll", "--split", "dev")
    assert code == 0
    assert "a.conll, dev: 1 documents, 2 words" in out
    assert (model / "evaluation_a.conll_dev.json").is_file()


def test_an_unknown_split(refused, trained):
    assert refused("evaluate", trained, "--data", "gazette", "--split", "tst") == (
        "unknown split 'tst': did you mean test? Known are dev, test, train"
    )


def test_types_that_the_model_does_not_know(refused, trained, tmp_path):
    (tmp_path / "a.conll").write_text("Ada B-DOG\nsings O\n\n" * 5)
    assert refused("evaluate", trained, "--data", "a.conll") == (
        f"need entity types among LOC, ORG, PER, WORK, which the model in {trained} "
        "knows, got DOG in a.conll: evaluate it on data like that it was trained on"
    )


def test_no_data(refused, trained):
    assert refused("evaluate", trained) == (
        "need --data with a data set, a file or a folder, got none"
    )


def test_a_folder_that_cannot_be_written(refused, model, monkeypatch):
    def full(*_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("os.replace", full)
    line = refused("evaluate", model, "--data", "gazette", "--tokens", 128)
    assert line == (
        f"cannot write {model}/evaluation_gazette_test.json: Read-only file system; "
        "free some space or choose another folder with --out"
    )


def test_another_decoding_can_be_asked_for(model, call):
    sizes = ["--articles", 8, "--tokens", 160]
    code, _, _ = call(
        "evaluate", model, "--data", "gazette", *sizes, "--decoding", "constrained"
    )
    assert code == 0
    kept = json.loads((model / "evaluation_gazette_test.json").read_text())
    assert kept["decoding"] == "constrained"


def test_a_crf_is_not_asked_of_a_model_that_has_none(trained, refused):
    sizes = ["--articles", 8, "--tokens", 160]
    said = refused(
        "evaluate", trained, "--data", "gazette", *sizes, "--decoding", "crf"
    )
    assert said.startswith("need a model trained with --decoding crf, got one that ")


def test_an_unknown_decoding_is_refused(trained, refused):
    said = refused("evaluate", trained, "--data", "gazette", "--decoding", "best")
    assert said == "unknown decoding 'best': Known are constrained, crf, greedy"
