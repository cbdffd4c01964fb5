"""`longctx grade` and `longctx check`, from files to pages."""

import csv
import json
import shutil

import pytest

from longctx_edu.cli import main
from longctx_edu.cli.grade import sandbox_line, show

WINDOW = """# %%
import torch
from longctx_edu.checks.lesson_01 import check_causal_mask
# %%
def causal_mask(n_token):
    return torch.ones(n_token, n_token){how}.bool()
# %% tags=["check"]
check_causal_mask(causal_mask)
"""
RIGHT, WRONG = WINDOW.format(how=".tril()"), WINDOW.format(how=".triu()")
RENAMED = RIGHT.replace("def causal_mask", "def causal_masks")


def as_notebook(script):
    sources = [part for part in script.split("# %%\n") if part]
    cells = [{"cell_type": "code", "source": s, "metadata": {}} for s in sources]
    return json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5})


@pytest.fixture
def submissions(tmp_path):
    """A class: right, wrong, renamed, in another order, broken, and handed in twice."""
    folder = tmp_path / "submissions"
    folder.mkdir()
    for name, text in (
        ("anna.py", RIGHT),
        ("ben.ipynb", as_notebook(WRONG)),
        ("cleo.py", RENAMED),
        ("dora.ipynb", "no JSON"),
        ("emil.py", RIGHT),
        ("emil.ipynb", as_notebook(RIGHT)),
    ):
        (folder / name).write_text(text)
    return folder


def rows(out):
    with (out / "grades.csv").open() as file:
        found = list(csv.DictReader(file))
    return {(r["file"], r["exercise"]): r for r in found}


def test_a_class_is_graded_once_and_the_same_again(submissions, tmp_path, capsys):
    out = tmp_path / "grades"
    words = ["grade", str(submissions), "--out", str(out), "--jobs", "1"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "6 submissions: 6 graded now, 0 before; 3 refused" in said
    assert "dora.ipynb: it is no notebook" in said
    marks = rows(out)
    got = {f: marks[f, "causal_mask"]["verdict"] for f in ("anna.py", "ben.ipynb")}
    assert got == {"anna.py": "passed", "ben.ipynb": "failed"}
    cleo = marks["cleo.py", "causal_mask"]
    assert cleo["verdict"] == "missing" and "causal_masks" in cleo["message"]
    assert marks["anna.py", "split_heads"]["verdict"] == "missing"
    twice = "need one file for lesson 01, got emil.ipynb, emil.py"
    assert marks["emil.py", ""]["message"] == twice
    assert "rows are queries" in (out / "feedback" / "ben.html").read_text()

    before = (out / "grades.json").read_bytes()
    (submissions / "ben.ipynb").write_text(as_notebook(RIGHT))
    assert main(words) == 0
    assert rows(out)["ben.ipynb", "causal_mask"]["verdict"] == "passed"
    (submissions / "ben.ipynb").write_text(as_notebook(WRONG))
    assert main([*words, "--again"]) == 0
    assert (out / "grades.json").read_bytes() == before


def test_a_file_of_points(submissions, tmp_path):
    points = tmp_path / "points.toml"
    points.write_text('["01"]\ncausal_mask = 2.5\nsoftmax_rows = 0\n')
    only = tmp_path / "one"
    only.mkdir()
    shutil.copy(submissions / "anna.py", only)
    out = tmp_path / "grades"
    words = ["grade", str(only), "--out", str(out), "--points", str(points)]
    assert main(words) == 0
    marks = rows(out)
    assert marks["anna.py", "causal_mask"]["points"] == "2.5"
    assert marks["anna.py", "softmax_rows"]["out_of"] == "0"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('["77"]\nx = 1', "unknown lesson '77'"),
        ('["01"]\ncausal_masc = 1', "did you mean causal_mask?"),
        ('["01"]\ncausal_mask = -1', "need points >= 0, got causal_mask = -1"),
        ("01 = 3", "need a table"),
        ("[", "need TOML"),
    ],
)
def test_wrong_points_are_refused(text, words, submissions, tmp_path, capsys):
    points = tmp_path / "points.toml"
    points.write_text(text)
    assert main(["grade", str(submissions), "--points", str(points)]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--jobs", "0"], "need jobs >= 1, got jobs=0"),
        (["--seconds", "0"], "need seconds over 0"),
        (["--lesson", "77"], "unknown lesson '77'"),
    ],
)
def test_wrong_options_are_refused(words, said, submissions, capsys):
    assert main(["grade", str(submissions), *words]) == 2
    assert said in capsys.readouterr().err


def test_a_terminal_is_not_obeyed_by_names():
    assert show("a\x1b[2Jb\nc") == "a\\x1b[2Jb\\nc"


def test_an_open_sandbox_is_said_plainly():
    assert sandbox_line({}) == "sandbox: files, network and processes of their own"
    said = sandbox_line({"room": "not permitted"})
    assert "NOT COMPLETE" in said and "not permitted" in said


def test_check_says_what_the_notebook_says(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("LONGCTX_PROGRESS", "off")
    from longctx_edu.checks.lesson_01 import check_causal_mask

    file = tmp_path / "mine.py"
    file.write_text(WRONG)
    assert main(["check", str(file)]) == 1
    said = capsys.readouterr().out

    def causal_mask(n_token):
        import torch

        return torch.ones(n_token, n_token).triu().bool()

    assert check_causal_mask(causal_mask).message in said
    assert "0 of 9 passed" in said
    assert main(["check", str(tmp_path / "nothing.py")]) == 2
    assert "there is no such file" in capsys.readouterr().err
