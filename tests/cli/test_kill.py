import json
import os
import shlex
import signal
import subprocess
import sys
import time

import pytest
import torch
from safetensors.torch import load_file

LONGCTX = [sys.executable, "-m", "longctx_edu.cli"]
SIZES = ["--articles", "24", "--tokens", "160", "--batch-tokens", "400"]
RUN = ["train", "ner", "--data", "gazette", *SIZES, "--epochs", "5"]
EXACT = ["--precision", "fp32", "--save-every", "0.3", "--quiet"]
STEPS_AN_EPOCH = 12


def hear_ctrl_c():
    """Undo what a shell does to a background job, which ignores Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start(*words):
    return subprocess.Popen(
        [*LONGCTX, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_ctrl_c,
    )


def steps(folder):
    """The steps that the log of a run holds so far."""
    log = folder / "metrics.jsonl"
    rows = log.read_text().splitlines()[:-1] if log.exists() else []
    return sum(json.loads(row)["kind"] == "step" for row in rows)


def stop_after(process, folder, at, how):
    """Send a signal once a run has taken so many steps: its code, and stderr."""
    while steps(folder) < at:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.005)
    process.send_signal(how)
    _, said = process.communicate()
    return process.returncode, said


@pytest.mark.slow
def test_killed_then_stopped_then_resumed_equals_a_run_left_alone(tmp_path):
    alone, torn = tmp_path / "alone", tmp_path / "torn run"
    whole = start(*RUN, *EXACT, "--out", str(alone))
    killed = start(*RUN, *EXACT, "--out", str(torn))
    at = STEPS_AN_EPOCH + 5  # in the middle of the second epoch
    assert stop_after(killed, torn, at, signal.SIGKILL) == (-signal.SIGKILL, "")
    assert not (torn / "report.json").exists()

    resume = start("train", "ner", "--resume", "--out", str(torn), "--quiet")
    code, said = stop_after(resume, torn, at + STEPS_AN_EPOCH + 5, signal.SIGINT)
    assert code == 130, said
    line, empty = said.split("\n")
    told, _, command = line.partition("; continue with: ")
    assert told.startswith("stopped after step ")
    assert empty == ""

    name, *words = shlex.split(command)
    assert (name, words) == (
        "longctx",
        ["train", "ner", "--resume", "--out", str(torn)],
    )
    last = start(*words)
    shown, said = last.communicate()
    assert last.returncode == 0, said
    assert "5  test and use" in shown
    assert (whole.communicate()[1], whole.returncode) == ("", 0)

    ours, theirs = (load_file(f / "model.safetensors") for f in (torn, alone))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    reports = [json.loads((f / "report.json").read_text()) for f in (torn, alone)]
    assert reports[0]["test"] == reports[1]["test"]
    assert reports[0]["history"]["losses"] == reports[1]["history"]["losses"]
    assert sorted(os.listdir(torn)) == sorted(os.listdir(alone))
