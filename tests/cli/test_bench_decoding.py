import gc
import json

import pytest

BENCH = ("bench", "decoding")
TINY = (
    *BENCH,
    *("--length", 16, "--stream", 40, "--left", 6, "--sinks", 2, "--piece", 8),
    *("--steps", 2, "--again", 1, "--layers", 1, "--heads", 2, "--kv-heads", 1),
    *("--d-model", 8, "--vocab", 16, "--seed", 3),
)


@pytest.fixture(autouse=True)
def _quick():
    """Collections before each measurement pass over what is there already."""
    gc.freeze()
    yield
    gc.unfreeze()


def test_it_measures_prints_and_keeps(call, tmp_path):
    code, out, err = call(*TINY, "--json", "a/b.json")
    assert (code, err) == (0, "")
    report = json.loads((tmp_path / "a" / "b.json").read_text())
    assert report["complete"]
    asked = {"length": 16, "stream": 40, "left": 6, "sinks": 2, "piece": 8, "steps": 2}
    asked |= {"again": 1, "n_layers": 1, "n_heads": 2, "n_kv_heads": 1, "d_model": 8}
    assert {**asked, "vocab_size": 16, "seed": 3} == report["settings"]
    assert "one token more" in out
    assert out.endswith("\nkept in a/b.json\n")


def test_without_a_file_nothing_is_kept(call, tmp_path):
    code, out, _ = call(*TINY, "--quiet")
    assert (code, list(tmp_path.iterdir())) == (0, [])
    assert "kept in" not in out


def test_threads(call):
    import torch

    before = torch.get_num_threads()
    try:
        assert call(*TINY, "--threads", 2)[0] == 0
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--length", 0], "need length >= 8, got length=0"),
        (["--stream", 0], "need stream >= 1, got stream=0"),
        (["--threads", 0], "need --threads >= 1, got 0"),
        (["--json", "."], "need a file as --json, got the folder ."),
        (["--sink", 3], "no such option: --sink; did you mean --sinks?"),
    ],
)
def test_a_mistake_is_told_in_one_line(refused, words, line):
    assert refused(*BENCH, *words) == line


def test_ctrl_c(call, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("longctx_edu.benchmarks.run_decoding", stop)
    assert call(*BENCH) == (130, "", "stopped by Ctrl-C\n")
    said = "stopped by Ctrl-C; what was measured is in a.json\n"
    assert call(*BENCH, "--json", "a.json") == (130, "", said)
