import gc
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from longctx_edu.benchmarks import run

BENCH = ("bench", "attention")
TINY = (
    *BENCH,
    "--left",
    16,
    "--right",
    16,
    "--heads",
    2,
    "--d-head",
    8,
    "--repeats",
    1,
)


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """No products, and collections that pass over what is there already."""
    monkeypatch.setattr(run, "gemm_rates", lambda dtypes: dict.fromkeys(dtypes, 50.0))
    gc.freeze()
    yield
    gc.unfreeze()


def test_it_measures_prints_and_keeps(call, tmp_path):
    files = ("--json", "a/b.json", "--figure", "a/b.png")
    peers = ("--peers", "sdpa,local_attention")
    code, out, err = call(*TINY, "--lengths", "64,128", *peers, *files, "--variants")
    assert (code, err) == (0, "")
    report = json.loads((tmp_path / "a" / "b.json").read_text())
    assert report["complete"]
    assert list(report["implementations"]) == [
        "window",
        "online",
        "block_sparse",
        "sdpa",
        "local_attention",
    ]
    assert len(report["rows"]) == 5 * 2 * 2
    assert len(report["variants"]) == 5 * 2 * 2
    assert (tmp_path / "a" / "b.png").read_bytes().startswith(b"\x89PNG")
    assert "float32, forward + backward" in out
    assert out.endswith("\nkept in a/b.json, a/b.png\n")


def test_options_reach_the_plan(call, tmp_path):
    more = ("--causal", "--globals", 3, "--padding", 0.25, "--dilation", 2, "--seed", 4)
    how = ("--modes", "forward", "--dtype", "bfloat16", "--dense-up-to", 16)
    call(*TINY, "--lengths", "32", "--peers", "none", "--impls", "window", *more, *how)
    words = ("--peers", "none", "--impls", "window", *more, *how, "--json", "a.json")
    code, _, _ = call(*TINY, "--lengths", "32", "--batch", 2, *words, "-q")
    report = json.loads((tmp_path / "a.json").read_text())
    asked = {"left": 16, "right": 16, "dilation": 2, "causal": True, "n_global": 3}
    asked |= {"padded": 0.25, "batch": 2, "n_heads": 2, "d_head": 8, "seed": 4}
    assert code == 0
    assert asked.items() <= report["settings"].items()
    (row,) = report["rows"]
    assert (row["mode"], row["dtype"]) == ("forward", "bfloat16")
    assert row["max_error"] is None


def test_threads(call):
    import torch

    before = torch.get_num_threads()
    try:
        words = ("--impls", "none", "--peers", "none", "--lengths", "16")
        assert call(*TINY, *words, "--threads", 2)[0] == 0
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_nothing_measured_draws_nothing(call, tmp_path):
    words = ("--impls", "none", "--peers", "none", "--lengths", "16")
    code, out, _ = call(*TINY, *words, "--figure", "a.png")
    assert (code, (tmp_path / "a.png").exists()) == (0, False)
    assert "kept in" not in out


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ["--peers", "longformer"],
            "unknown peer 'longformer': did you mean hf_longformer? Known are all, "
            "flex, hf_bigbird, hf_longformer, local_attention, none, sdpa, sdpa_mask",
        ),
        (
            ["--impls", "windows"],
            "unknown implementation 'windows': did you mean window? Known are all, "
            "block_sparse, none, online, window",
        ),
        (
            ["--lengths", "1k"],
            "need --lengths as whole numbers with commas, got '1k'",
        ),
        (["--lengths", "0"], "need lengths >= 1, got 0"),
        (["--lengths", ","], "need lengths with at least one, got none"),
        (["--left", -1], "need left >= 0, got -1"),
        (["--repeats", 0], "need repeats >= 1, got 0"),
        (["--threads", 0], "need --threads >= 1, got 0"),
        (["--figure", "a.svg"], "need a figure that ends in .png, got a.svg"),
        (["--json", "."], "need a file as --json, got the folder ."),
        (["--leftt", 3], "no such option: --leftt; did you mean --left?"),
    ],
)
def test_a_mistake_is_told_in_one_line(refused, words, line):
    assert refused(*BENCH, *words) == line


def test_a_file_that_cannot_be_written(refused, tmp_path):
    (tmp_path / "a").touch()
    words = ("--impls", "none", "--peers", "none", "--lengths", "16")
    line = refused(*TINY, *words, "--json", "a/b.json")
    assert line == (
        "cannot write a/b.json: File exists; choose another file with --json"
    )


def test_ctrl_c(call, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("longctx_edu.benchmarks.run_benchmark", stop)
    assert call(*BENCH) == (130, "", "stopped by Ctrl-C\n")
    said = "stopped by Ctrl-C; what was measured is in a.json\n"
    assert call(*BENCH, "--json", "a.json") == (130, "", said)


@pytest.mark.slow
def test_ctrl_c_in_the_middle_leaves_a_whole_file(tmp_path):
    words = [*map(str, TINY), "--lengths", "64,128,256,512,1024,2048,4096,8192,16384"]
    words += ["--peers", "none", "--impls", "online", "--json", "a.json", "--quiet"]
    process = subprocess.Popen(
        [sys.executable, "-m", "longctx_edu.cli", *words],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    path = tmp_path / "a.json"
    deadline = time.monotonic() + 120
    while not (path.exists() and json.loads(path.read_text())["rows"]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert err == "stopped by Ctrl-C; what was measured is in a.json\n"
    assert process.returncode == 130
    report = json.loads(path.read_text())
    assert report["rows"]
    assert not report["complete"]
