from pathlib import Path

import pytest

from longctx_edu.recipes import demo, show_demo
from longctx_edu.training import Interrupted


@pytest.fixture
def asked(monkeypatch):
    """Run no demo; keep what was asked for."""
    kept = {}

    def run(folder, **settings):
        kept.update(folder=folder, **settings)
        if settings["say"]:
            settings["say"]("Training [chunks]")
        return {}

    monkeypatch.setattr(demo, "run_demo", run)
    monkeypatch.setattr(show_demo, "show_demo", lambda report, console: None)
    return kept


def test_it_says_what_it_does_and_where_it_kept_it(call, asked):
    code, out, err = call("demo")
    assert (code, err) == (0, "Training [chunks]\n")
    assert out.splitlines() == [
        "",
        "kept in runs/demo: report.json, f1_by_distance.png, and a folder a model",
    ]
    assert asked["folder"] == Path("runs/demo")
    assert asked["sizes"] == demo.DemoSizes()
    assert (asked["seed"], asked["progress"]) == (0, True)


def test_sizes_and_seed(call, asked):
    call("demo", "--out", "a", "--quick", "--seed", 3, "--quiet")
    assert asked["sizes"].train_tokens < demo.DemoSizes().train_tokens
    assert (asked["folder"], asked["seed"]) == (Path("a"), 3)
    assert (asked["progress"], asked["say"]) == (False, None)


def test_a_demo_is_made_anew_and_nothing_else(call, asked, refused, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "report.json").touch()
    assert call("demo", "--out", "a")[0] == 0
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "novel.txt").touch()
    assert refused("demo", "--out", "b") == (
        "need an empty folder or one with a demo, got b with other files: choose "
        "another with --out, or say --overwrite"
    )
    assert call("demo", "--out", "b", "--overwrite")[0] == 0


def test_a_file_as_folder(refused, tmp_path):
    (tmp_path / "a").touch()
    assert refused("demo", "--out", "a") == "need a folder as --out, got the file a"
    line = refused("demo", "--out", "a/b", "--quick", "--quiet")
    assert line.startswith("cannot write a/b/chunks/state.safetensors: Not a directory")


def test_a_seed_below_0(refused):
    assert refused("demo", "--seed", -1) == "need --seed >= 0, got -1"


def test_ctrl_c(call, monkeypatch):
    def stop(*_, **__):
        raise Interrupted(None, 0)

    monkeypatch.setattr(demo, "run_demo", stop)
    assert call("demo") == (130, "", "stopped; longctx demo begins it anew\n")
