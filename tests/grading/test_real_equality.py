"""In the sandbox itself, wrong answers meet the same words as in a notebook."""

import importlib

import machinery as m
import pytest
import torch

from longctx_edu.grading.border import Border
from longctx_edu.grading.clock import Clock
from longctx_edu.grading.limits import Limits

LESSONS = ("02", "03")  # chance and functions of the check; streams, room and work


def verdict_there(border, clock, check, name):
    clock.start_check()
    border.begin()
    kind, answer = border.look(name)
    assert kind == "function"
    found = check(answer)
    assert border.stopped is None, border.stopped
    return found.status, found.message


@pytest.mark.parametrize("lesson", LESSONS)
def test_named_wrong_answers(lesson, sandbox, monkeypatch):
    monkeypatch.setenv("LONGCTX_PROGRESS", "off")
    path = m.WRONG_ANSWERS / f"lesson_{lesson}.py"
    wrong = m.load_file(path).WRONG
    checks = importlib.import_module(f"longctx_edu.checks.lesson_{lesson}")
    clock = Clock(Limits(total_s=600.0))
    child = sandbox.child(clock.wait)
    differ = []
    try:
        border = Border(child.wire)
        cell = {"number": 1, "source": path.read_text(), "tags": []}
        assert border.ask(["cell", cell], [])[0][1][0] is None
        for name in checks.__all__:
            bare = name.removeprefix("check_")
            key = name if name in wrong else bare
            for kind, (answer, _) in wrong[key].items():
                clock.start_check()
                line = f"found = WRONG[{key!r}][{kind!r}][0]"
                border.ask(["cell", {"number": 2, "source": line, "tags": []}], [])
                check = getattr(checks, name)
                torch.manual_seed(0)
                here = check(answer)
                there = verdict_there(border, clock, check, "found")
                if there != (here.status, here.message):
                    differ.append((name, kind, here.message, there))
    finally:
        child.close()
    assert differ == []


def test_every_status_comes_from_the_sandbox(judge_in):
    head = "import torch\ndef causal_mask(n_token):\n    "
    whole = f"{head}return torch.ones(n_token, n_token).tril().bool()"
    assert judge_in(whole).mark.status == "passed"
    assert judge_in(whole.replace(".tril()", "")).mark.status == "failed"
    assert judge_in(f"{head}raise NotImplementedError").mark.status == "not started"
    missing = judge_in(whole.replace("causal_mask", "causalmask")).mark
    assert (
        missing.status == "missing" and "nearest name is causalmask" in missing.message
    )
    assert "need a function, got int" in judge_in("causal_mask = 3").said


def test_the_course_s_own_cells_only_define(judge_in):
    source = (
        "import torch\n# %%\ndef causal_mask(n):\n"
        "    return torch.ones(n, n).tril().bool()\n"
        '# %% tags=["needs-solution"]\nN = 3\nwhile True:\n    causal_mask(N)\n'
        '# %% tags=["check"]\nwhile True:\n    pass\n# %%\nassert N == 3'
    )
    came = judge_in(source)
    assert came.mark.status == "passed" and came.faults == {}
