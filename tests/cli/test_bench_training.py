import json

import pytest
import torch
from random_bert import save_random_bert

BENCH = ("bench", "training", "--data", "gazette")


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    """A folder with a random BERT that knows letters."""
    return save_random_bert(tmp_path_factory.mktemp("bert"), table=40)


@pytest.fixture
def tiny(bert):
    return (
        *(*BENCH, "--articles", 2, "--tokens", 160, "--model", bert, "--size", 32),
        *("--epochs", 1, "--batch-tokens", 200, "--learning-rate", "1e-3"),
        *("--seed", 3, "--precision", "fp32", "--rounds", 1, "--steps", 1),
    )


def test_it_trains_prints_and_keeps(call, tiny, tmp_path):
    code, out, err = call(*tiny, "--dropout", 0, "--json", "a/b.json", "--quiet")
    assert (code, err) == (0, "")
    report = json.loads((tmp_path / "a" / "b.json").read_text())
    assert report["complete"]
    asked = {"epochs": 1, "batch_tokens": 200, "learning_rate": 1e-3, "seed": 3}
    assert {**report["training"], **asked, "precision": "fp32"} == report["training"]
    assert (report["model"]["size"], report["model"]["dropout"]) == (32, 0.0)
    assert report["model"]["attention"] == "chunks"
    names = [row["name"] for row in report["rows"]]
    assert names == ["ours", "Trainer", "Trainer, grouped"]
    losses = [row["loss_at_start"] for row in report["rows"]]
    assert max(losses) - min(losses) < 1e-4
    tokens = {row["training"]["tokens"] for row in report["rows"]}
    assert len(tokens) == 1
    assert {"torch", "transformers"} <= report["versions"].keys()
    assert report["machine"]["threads"] >= 1
    assert "test F1" in out
    assert out.endswith("\nkept in a/b.json\n")


def test_speed_alone(call, tiny, tmp_path):
    code, out, _ = call(*tiny, "--speed-only", "--quiet")
    assert (code, list(tmp_path.iterdir())) == (0, [])
    assert "test F1" not in out
    assert "kept in" not in out
    assert [line.split()[0] for line in out.splitlines()[4:7]] == [
        "ours",
        "Trainer",
        "Trainer,",
    ]


def test_threads(call, tiny):
    before = torch.get_num_threads()
    try:
        assert call(*tiny, "--speed-only", "--quiet", "--threads", 2)[0] == 0
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--rounds", 0], "need rounds >= 1, got rounds=0"),
        (["--steps", 0], "need steps >= 1, got steps=0"),
        (["--threads", 0], "need --threads >= 1, got 0"),
        (["--epochs", 0], "need epochs >= 1, got epochs=0"),
        (["--size", 4], "need size >= 8, got size=4"),
        (["--json", "."], "need a file as --json, got the folder ."),
        (["--round", 3], "no such option: --round; did you mean --rounds?"),
        (
            ["--precision", "bf61"],
            "unknown precision 'bf61': did you mean bf16? Known are auto, bf16, fp32",
        ),
        (
            ["--model", "scratch"],
            "need a pretrained model, which Trainer can train too, got "
            "model='scratch': use minilm, a folder or an id of the Hub",
        ),
    ],
)
def test_a_mistake_is_told_in_one_line(refused, words, line):
    assert refused(*BENCH, *words) == line


def test_data_has_to_be_named(refused):
    said = "need --data with a data set, a file or a folder, got none"
    assert refused("bench", "training") == said


def test_ctrl_c(call, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt("elsewhere")

    name = "longctx_edu.recipes.trainer_comparison.compare_trainers"
    monkeypatch.setattr(name, stop)
    assert call(*BENCH) == (130, "", "stopped by Ctrl-C\n")
    said = "stopped by Ctrl-C; what was measured is in a.json\n"
    assert call(*BENCH, "--json", "a.json") == (130, "", said)
