import importlib
import io
import json
import os
import resource
import subprocess
import sys

import pytest

from longctx_edu.cli.failure import in_one_line

app = importlib.import_module("longctx_edu.cli.app")

HEAVY = {"torch", "numpy", "transformers", "datasets", "accelerate", "matplotlib"}

# help


def test_help_costs_next_to_nothing():
    """Counted in processor time, which a busy machine does not change."""
    command = [sys.executable, "-m", "longctx_edu.cli", "--help"]
    spent = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, capture_output=True, check=True, text=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(
            after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        )
        assert "predict" in done.stdout
    assert min(spent) < 0.5


def test_the_commands_are_there_before_anything_heavy_is():
    code = "import json, sys, longctx_edu.cli; print(json.dumps(list(sys.modules)))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    assert HEAVY & set(json.loads(done.stdout)) == set()


@pytest.mark.parametrize("words", [[], ["train"], ["data"], ["--help"]])
def test_alone_a_name_shows_its_help(call, words):
    code, out, err = call(*words)
    assert (code, err) == (0, "")
    assert "Commands" in out


@pytest.mark.parametrize(
    "words",
    [
        ["doctor"],
        ["demo"],
        ["train", "ner"],
        ["train", "lm"],
        ["evaluate"],
        ["compare"],
        ["predict"],
        ["generate"],
        ["data", "list"],
        ["data", "gazette"],
        ["data", "add"],
        ["data", "remove"],
        ["bench", "attention"],
    ],
)
def test_every_command_has_help(call, words):
    code, out, _ = call(*words, "--help")
    assert code == 0
    assert f"Usage: longctx {' '.join(words)}" in out


# a wrong word


def test_an_unknown_command(refused):
    assert refused("trian") == (
        "unknown command of longctx 'trian': did you mean train? Known are bench, "
        "check, compare, data, demo, doctor, evaluate, export, generate, grade, "
        "predict, progress, reset, selftest, train"
    )
    assert refused("data", "gazet") == (
        "unknown command of longctx data 'gazet': did you mean gazette? Known are add, "
        "gazette, list, remove"
    )


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--hepl"], "no such option: --hepl; did you mean --help?"),
        (
            ["train", "ner", "--epoch", "3"],
            "no such option: --epoch; did you mean --epochs?",
        ),
        (
            ["train", "ner", "--zzz"],
            "no such option: --zzz; longctx train ner --help lists them",
        ),
        (
            ["train", "ner", "--epochs", "x"],
            "invalid value for '--epochs': Input should be a valid integer, got 'x'; "
            "longctx train ner --help shows what it takes",
        ),
        (
            ["predict"],
            "missing argument 'folder'; longctx predict --help shows what it takes",
        ),
        (
            ["data", "list", "twice"],
            "got unexpected extra argument(s) (twice); longctx data list --help shows "
            "what it takes",
        ),
    ],
)
def test_a_wrong_use(refused, words, line):
    assert refused(*words) == line


def test_an_option_without_its_value(refused):
    assert "--epochs" in refused("train", "ner", "--epochs")


# what goes wrong inside


def fail_with(error, monkeypatch):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("longctx_edu.data.catalogue.find", fail)


def test_an_error_of_the_system_is_told_in_one_line(refused, monkeypatch):
    fail_with(OSError(28, "No space left on device", "a/b"), monkeypatch)
    assert refused("data", "list") == "cannot use a/b: No space left on device"


def test_a_fault_of_the_program_is_not_hidden(call, monkeypatch):
    fail_with(KeyError("x"), monkeypatch)
    with pytest.raises(KeyError):
        call("data", "list")


def test_ctrl_c(call, monkeypatch):
    fail_with(KeyboardInterrupt(), monkeypatch)
    assert call("data", "list") == (130, "", "stopped by Ctrl-C\n")


def test_lines_are_joined():
    assert in_one_line(ValueError("need this,\n  got that")) == "need this, got that"


def test_a_reader_that_goes_away_is_no_error():
    command = [sys.executable, "-m", "longctx_edu.cli", "data", "gazette", "--jsonl"]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*command, "--articles", "20"], stdout=write, stderr=subprocess.PIPE, text=True
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (1, "")


# the commands that others write


def test_the_doctor_is_asked(call, monkeypatch):
    from longctx_edu.cli import doctor

    rows = [doctor.Row("water", "missing", "none", "dig")]
    monkeypatch.setattr(doctor, "doctor_rows", lambda: rows)
    code, out, _ = call("doctor", "--json")
    assert code == 1
    assert json.loads(out)["lessons_can_run"] is False


def test_a_stream_that_is_no_terminal_gets_no_colours(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    assert app.main(["data", "gazette", "--tokens", "200"]) == 0
    assert "\x1b" not in stream.getvalue()
