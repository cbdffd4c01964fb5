import json
from inspect import signature
from pathlib import Path

import pytest

from longctx_edu.cli.language_options import (
    N_TOKENS,
    VOCAB_SIZE,
    LanguageOptions,
    LanguageTraining,
    TextOptions,
    found_anywhere,
    language_config,
    language_training,
    load_text,
)
from longctx_edu.errors import UserError
from longctx_edu.models import TransformerConfig
from longctx_edu.recipes.language import gazette_language
from longctx_edu.recipes.language_run import FROM_NOTHING
from longctx_edu.training import Interrupted, TrainConfig, read_config

TRAIN = ("train", "lm")


# what a training leaves


def test_a_run_leaves_a_model_and_prints_its_bits(call, sea, tmp_path, tiny):
    code, out, err = call(*TRAIN, "--data", sea.name, *tiny)
    assert (code, err) == (0, "")
    folder = Path("runs/lm-sea")
    assert {path.name for path in folder.iterdir()} == {
        "config.json",
        "metrics.jsonl",
        "model.safetensors",
        "report.json",
        "settings.json",
        "state.safetensors",
        "tokenizer.json",
    }
    report = json.loads((folder / "report.json").read_text())
    lines = [line.split() for line in out.splitlines()]
    for name, bits in report["test"].items():
        title = {"model": ["this", "model"]}.get(name, [name])
        assert title + [f"{x:.3f}" for x in bits.values()] in lines
    sizes = report["data"]["sizes"]
    assert f"sea.txt: {sizes['train']['tokens']:,} tokens to learn from, " in out
    assert "layers 1, heads 2, width 8, positions rotary" in out
    assert "windows of 16 tokens, each sees all before it" in out
    assert f'longctx generate {folder} --prompt "' in out
    settings = json.loads((folder / "settings.json").read_text())
    assert settings["data"] == {"data": str(tmp_path / "sea.txt")}


def test_options_reach_the_model(call, sea, tiny):
    words = ["--heads", 4, "--kv-heads", 2, "--d-model", 16, "--left", 5, "--seed", 3]
    words += ["--positions", "learned", "--learning-rate", 0.02]
    code, out, _ = call(*TRAIN, "--data", sea, *tiny, *words, "--out", "a")
    config = read_config("a")
    sizes = config["transformer"]
    assert code == 0
    assert (config["left"], config["n_tokens"]) == (5, 16)
    assert (sizes["n_heads"], sizes["n_kv_heads"]) == (4, 2)
    assert (sizes["d_model"], sizes["d_ff"], sizes["vocab_size"]) == (16, 64, 270)
    assert (sizes["positions"], sizes["max_tokens"]) == ("learned", 16)
    training = json.loads(Path("a/report.json").read_text())["training"]
    assert (training["seed"], training["learning_rate"]) == (3, 0.02)
    assert "each sees the 5 before it" in out


def test_the_gazette(call, tiny):
    words = ["--data", "gazette", "--articles", 12, *tiny]
    code, out, _ = call(*TRAIN, *words)
    assert code == 0
    assert out.startswith("gazette: ")
    settings = json.loads(Path("runs/lm-gazette/settings.json").read_text())
    assert settings["data"] == {"data": "gazette", "articles": 12}


def test_progress_goes_to_stderr(call, sea, tiny):
    noisy = [word for word in tiny if word != "--quiet"]
    _, out, err = call(*TRAIN, "--data", sea, *noisy)
    assert "epoch 1" in err
    assert "it/s" not in out


# what the help says is what holds


def said_defaults(kind):
    said = {}
    for name, each in kind.__annotations__.items():
        text = getattr(each, "__metadata__", [None])[0]
        if text is not None and text.help.endswith(")."):
            said[name] = text.help[text.help.rindex("(") + 1 : -2]
    return said


def test_defaults_of_text_and_model():
    config = language_config(LanguageOptions())
    assert config == TransformerConfig(VOCAB_SIZE, conv_width=3)
    said = said_defaults(LanguageOptions)
    assert said == {
        "tokens": str(N_TOKENS),
        "layers": str(config.n_layers),
        "heads": str(config.n_heads),
        "kv_heads": "as --heads",
        "d_model": str(config.d_model),
        "positions": config.positions,
        "left": "all",
        "conv_width": str(config.conv_width),
        "dropout": f"{config.dropout:g}",
        "vocab_size": str(VOCAB_SIZE),
    }
    articles = signature(gazette_language).parameters["n_articles"].default
    assert said_defaults(TextOptions)["articles"] == str(articles)
    learned = language_config(LanguageOptions(positions="learned"))
    assert learned.max_tokens == N_TOKENS


def test_defaults_of_the_training():
    made = language_training(LanguageTraining())
    assert made == TrainConfig(**FROM_NOTHING)
    for name, text in said_defaults(LanguageTraining).items():
        value = getattr(made, name)
        assert type(value)(text) == value


def test_a_path_is_kept_so_that_another_folder_finds_it(tmp_path):
    assert found_anywhere(TextOptions("gazette")).data == "gazette"
    assert found_anywhere(TextOptions("a.txt")).data == str(tmp_path / "a.txt")
    assert found_anywhere(TextOptions()).data is None


def test_ids_of_the_gazette():
    with pytest.raises(UserError, match="need --articles >= 1, got 0"):
        load_text(TextOptions("gazette", articles=0), vocab_size=300)


# going on


def test_a_folder_with_a_run_is_kept_unless_told_otherwise(call, refused, sea, tiny):
    words = [*TRAIN, "--data", sea, *tiny, "--out", "a"]
    call(*words)
    assert refused(*words) == (
        "a already holds a run: continue it with --resume, or choose another folder "
        "with --out"
    )
    assert call(*words, "--overwrite")[0] == 0


def test_a_finished_run_tells_its_report_again(call, refused, sea, monkeypatch, tiny):
    _, first, _ = call(*TRAIN, "--data", sea.name, *tiny, "--out", "a")
    (sea.parent / "other").mkdir()
    monkeypatch.chdir("other")
    code, again, _ = call(*TRAIN, "--resume", "--out", "../a", "--quiet")
    assert code == 0
    assert again.replace("../a", "a") == first
    line = refused(*TRAIN, "--resume", "--out", "../a", "--seed", 4, "--quiet")
    assert line == (
        "cannot resume ../a with other settings or data: got config seed 4, not 0; "
        "give what the run began with, or start another folder"
    )


def test_another_text_under_the_same_name(call, refused, sea, tiny):
    call(*TRAIN, "--data", sea, *tiny, "--out", "a")
    sea.write_text(sea.read_text()[::-1])
    line = refused(*TRAIN, "--resume", "--out", "a", "--quiet")
    assert line.startswith("cannot resume a with other settings or data: got ")
    assert "model digest of text " in line


def test_nothing_to_resume(refused, trained):
    assert refused(*TRAIN, "--resume", "--out", "a") == (
        "nothing to resume in a: no settings.json; start it without --resume"
    )
    assert refused(*TRAIN, "--resume", "--out", trained) == (
        "need a language model that longctx train lm wrote, got another config.json "
        f"in {trained}"
    )


def test_ctrl_c_tells_the_command_that_goes_on(call, sea, monkeypatch, tiny):
    def stop(*_, folder, **__):
        raise Interrupted(folder, 7)

    monkeypatch.setattr("longctx_edu.recipes.language.fit", stop)
    assert call(*TRAIN, "--data", sea, *tiny, "--out", "my run") == (
        130,
        "",
        "stopped after step 7; continue with: longctx train lm --resume --out "
        "'my run'\n",
    )


# what a training refuses


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            [],
            "need --data with gazette or a text file, or --resume with --out, got "
            "neither",
        ),
        (
            ["--data", "no.txt"],
            "need a file or folder that exists, got no.txt; check the path",
        ),
        (
            ["--data", "no.txt", "--articles", 3],
            "need --articles with the gazette only, got --data no.txt: leave it out",
        ),
        (["--data", "gazette", "--articles", 0], "need --articles >= 1, got 0"),
        (
            ["--data", "x", "--positions", "rotry"],
            "unknown positions 'rotry': did you mean rotary? Known are alibi, learned, "
            "none, rotary, sinusoidal",
        ),
        (["--data", "x", "--layers", 0], "need n_layers >= 1, got n_layers=0"),
        (
            ["--data", "x", "--heads", 3],
            "need n_heads that divides d_model, and n_kv_heads that divides n_heads, "
            "got d_model=128, n_heads=3 and n_kv_heads=3",
        ),
        (["--data", "x", "--epochs", 0], "need epochs >= 1, got epochs=0"),
    ],
)
def test_wrong_settings_leave_nothing(refused, words, line, tmp_path):
    assert refused(*TRAIN, *words, "--out", "out") == line
    assert list(tmp_path.iterdir()) == []


def test_texts_that_cannot_be_learnt(refused, sea, tmp_path, tiny):
    words = [*TRAIN, *tiny, "--out", "out", "--data"]
    sea.write_text(sea.read_text()[:120])
    line = refused(*words, sea)
    assert line.startswith("need at least 17 tokens to hold out for windows of 16, got")
    assert line.endswith(" in sea.txt: give a longer text, or fewer --tokens")
    (tmp_path / "latin.txt").write_bytes(b"a\nz\xe9ro")
    assert refused(*words, "latin.txt").startswith("latin.txt:2: need UTF-8, got the b")
    (tmp_path / "empty.txt").touch()
    line = refused(*words, "empty.txt")
    assert line == "empty.txt: need some text, got an empty file"
    assert refused(*words, ".") == "need a file, got the folder .; name a file in it"
    assert not Path("out").exists()


def test_a_window_that_looks_forward(refused, sea, tiny):
    assert refused(*TRAIN, *tiny, "--data", sea, "--left", -1) == (
        "need left that is a whole number >= 0 or None, got -1"
    )
    assert not Path("runs").exists()
