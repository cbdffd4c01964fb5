"""Through the border, every check says what it says without it, word for word."""

import importlib
import re

import machinery as m
import torch

CHECKED = sorted((m.LIBRARY / "checks").glob("lesson_[0-9]*.py"))


def raises(*_, **__):
    return 1 / 0


def not_written(*_, **__):
    raise NotImplementedError


def by_exiting(*_, **__):
    raise SystemExit(3)


ANYTHING = {
    "a blank": not_written,
    "nothing": lambda *_, **__: None,
    "words": lambda *_, **__: "a mask",
    "its input": lambda *given, **named: [*given, *named.values()][0],
    "an error": raises,
    "no parameters": lambda: 0,
    "an exit": by_exiting,
    "a generator": lambda *_, **__: (n for n in range(3)),
    "a function": lambda *_, **__: raises,
    "nan": lambda *_, **__: float("nan"),
    "meta": lambda *_, **__: torch.zeros(2, 2, device="meta"),
    "sparse": lambda *_, **__: torch.eye(3).to_sparse(),
    "numpy": lambda *_, **__: torch.zeros(2, 2).numpy(),
}


def answers_of(path):
    number = path.stem.removeprefix("lesson_")
    beside = m.load_file(m.WRONG_ANSWERS / path.name)
    source = next(s for s in m.EXERCISE_SOURCES if s.name.startswith(f"{number}_"))
    solved = m.solution_module(source)
    checks = importlib.import_module(f"longctx_edu.checks.{path.stem}")
    for name in checks.__all__:
        bare = name.removeprefix("check_")
        answers = {"the solution": getattr(solved, bare), **ANYTHING}
        wrong = {n.removeprefix("check_"): w for n, w in beside.WRONG.items()}
        answers |= {f"wrong: {n}": fn for n, (fn, _) in wrong[bare].items()}
        styles = {n.removeprefix("check_"): s for n, s in beside.ALTERNATIVES.items()}
        answers |= {f"style {n}": fn for n, fn in enumerate(styles[bare])}
        for kind, fn in answers.items():
            yield getattr(checks, name), bare, kind, fn


def seeded():
    import random

    import numpy as np

    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


def words(verdict):
    said = re.sub(r" at 0x[0-9a-f]+", "", verdict.message)
    return verdict.status, said


def through_a_border(open_border, check, bare, fn):
    with open_border({bare: fn}) as border:
        border.begin()
        _, answer = border.look(bare)
        verdict = check(answer)
        assert border.stopped is None, border.stopped
        return words(verdict)


@m.each(CHECKED)
def test_every_verdict_is_the_same_through_the_border(path, open_border, monkeypatch):
    monkeypatch.setenv("LONGCTX_PROGRESS", "off")
    differ, count = [], 0
    for check, bare, kind, fn in answers_of(path):
        seeded()
        direct = words(check(fn))
        afar = through_a_border(open_border, check, bare, fn)
        count += 1
        if direct != afar:
            differ.append(f"{bare}, {kind}:\n{direct}\n{afar}")
    assert differ == [], "\n\n".join(differ[:5])
    assert count >= 40
