"""The proof of the checks: what escapes is seen, and today nothing does."""

import machinery
import prove_checks
import pytest
from mutants import Mutant
from trial import NO_WITNESS, Trial, apart, difference, tried

SOURCES = {path.stem.split("_")[0]: path for path in machinery.EXERCISE_SOURCES}
EVERY = 9
"""One mutant in so many is tried here; `make prove` tries them all."""


@pytest.fixture(scope="module")
def trial():
    return Trial(SOURCES["00"], "longctx_edu.checks.lesson_00")


def mutant(body):
    return Mutant("", "", f"def chunk_of(token, size):\n    {body}")


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        ("return token // size", "passed"),
        ("return token // size + 0 * token", "passed"),
        ("return token / size", "failed"),
        ("return None", "failed"),
        ("while True: pass", "endless"),
        ("import os; os._exit(3)", "crashed"),
    ],
)
def test_each_kind_of_answer_has_its_word(trial, body, verdict, monkeypatch):
    monkeypatch.setenv("LONGCTX_CHECK_SECONDS", "600")
    said = apart(lambda: trial.verdict("chunk_of", trial.names(mutant(body).source)), 6)
    assert said == verdict


def test_an_input_that_shows_a_difference_is_found(trial):
    shown = difference(trial, "chunk_of", mutant("return (token + 1) // size"))
    assert shown.startswith("differs on the check's own input: ")
    same = mutant("return (token - token % size) // size")
    assert difference(trial, "chunk_of", same) == NO_WITNESS
    far = mutant("return token // size if size < 10**6 else 0")
    assert tried(trial, "chunk_of", far) == "passed"


def test_a_check_that_lets_everything_pass_is_seen(monkeypatch, capsys):
    monkeypatch.setattr(Trial, "verdict", lambda *_: "passed")
    monkeypatch.setattr(prove_checks, "difference", lambda *_: "differs on 1")
    assert prove_checks.main(["00", "--every", "5"]) == 1
    said = capsys.readouterr().out
    assert "escaped: " in said and "differs on 1" in said and "  0.0 %" in said


@pytest.mark.parametrize("arguments", [["77"], ["00", "--every", "0"]])
def test_a_wrong_argument_is_one_line(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        prove_checks.main(arguments)
    assert stopped.value.code == 2
    assert "need lessons among 00" in capsys.readouterr().err


@pytest.mark.parametrize("lesson", SOURCES)
def test_what_is_listed_as_no_mistake_is_a_mutant_and_passes(lesson):
    """A list that outlives its solution would hide what it does not name."""
    known = prove_checks.known_equivalents(lesson)
    made = {
        (name, m.before, m.after)
        for name, cell, first, last in prove_checks.exercises_of(SOURCES[lesson])
        for m in prove_checks.mutants(cell, first, last)
    }
    assert set(known) <= made
    assert all(len(reason.split()) >= 4 for reason in known.values())


@pytest.mark.parametrize("lesson", SOURCES)
def test_no_mutant_escapes(lesson):
    proofs = prove_checks.prove(SOURCES[lesson], every=EVERY)
    escaped = [(p.exercise, str(m), w) for p in proofs for m, w in p.escaped]
    assert escaped == []
    assert sum(proof.n_refused for proof in proofs) > 0
