"""Each check is proven: it passes the solution, waits for a blank, refuses mistakes.

The named wrong answers stand in wrong_answers/lesson_NN.py as
`WRONG[check][name] = (wrong answer, words of its own hint)`.
"""

import ast
import importlib

import machinery as m
from any_mistake import ANY_MISTAKE

ENOUGH = 4
CHECKED = sorted((m.LIBRARY / "checks").glob("lesson_[0-9]*.py"))


MOST_LETTERS = 5000


def not_written(*_, **__):
    raise NotImplementedError


def checks_of(path) -> list[str]:
    """Read the names of a lesson's checks without importing anything."""
    return [name for name in module_of(path).__all__ if name.startswith("check_")]


def module_of(path):
    return importlib.import_module(f"longctx_edu.checks.{path.stem}")


def bare(name: str) -> str:
    return name.removeprefix("check_")


def wrong_answers(path) -> dict[str, dict[str, tuple]]:
    file = m.WRONG_ANSWERS / path.name
    found = m.load_file(file).WRONG if file.exists() else {}
    return {bare(name): answers for name, answers in found.items()}


def exercise_of(path):
    number = path.stem.removeprefix("lesson_")
    found = [s for s in m.EXERCISE_SOURCES if s.name.startswith(f"{number}_")]
    assert len(found) == 1, f"need one lessons/{number}_..._exercises.py, got {found}"
    return found[0]


def faults_of_a_proof(names: list[str], wrong: dict[str, dict]) -> list[str]:
    """Say which checks have too few wrong answers, and which answers have no check."""
    said = [
        f"{name} has {len(wrong.get(bare(name), {}))} wrong answers, need {ENOUGH}"
        for name in names
        if len(wrong.get(bare(name), {})) < ENOUGH
    ]
    return said + [f"{n} is no check" for n in wrong if n not in map(bare, names)]


def faults_of_a_check(check, answers: dict[str, tuple]) -> list[str]:
    """Say which wrong answers are accepted, or refused with another's hint."""
    said = []
    for name, (answer, words) in answers.items():
        verdict = check(answer)
        if verdict.status != "failed":
            said.append(f"{name!r} is {verdict.status}")
        elif words not in verdict.message:
            said.append(f"{name!r} misses {words!r} in: {verdict.message}")
        elif verdict.message.count("hint:") != 1:
            said.append(f"{name!r} gets more than one hint: {verdict.message}")
    return said


def faults_of_words(verdict) -> list[str]:
    """Say why a learner could not read a verdict on what fits nowhere."""
    said = [] if verdict.status == "failed" else [f"is {verdict.status}"]
    said += ["says nothing"] if len(verdict.message.splitlines()) < 2 else []
    said += ["is long"] if len(verdict.message) > MOST_LETTERS else []
    said += ["more than one hint"] if verdict.message.count("hint:") > 1 else []
    said += ["shows a traceback"] if "Traceback" in verdict.message else []
    return said


@m.each(CHECKED)
def test_every_check_has_wrong_answers(path):
    assert faults_of_a_proof(checks_of(path), wrong_answers(path)) == []


@m.each(CHECKED)
def test_wrong_answers_are_refused_with_their_own_hint(path):
    wrong = wrong_answers(path)
    said = {
        name: faults_of_a_check(getattr(module_of(path), name), wrong[bare(name)])
        for name in checks_of(path)
        if bare(name) in wrong
    }
    assert {name: faults for name, faults in said.items() if faults} == {}


@m.each(CHECKED)
def test_right_answers_of_another_style_pass(path):
    styles = m.load_file(m.WRONG_ANSWERS / path.name).ALTERNATIVES
    assert sorted(styles) == sorted(checks_of(path))
    assert min(map(len, styles.values())) >= 2
    said = [
        (name, verdict.message)
        for name, answers in styles.items()
        for answer in answers
        if (verdict := getattr(module_of(path), name)(answer)).status != "passed"
    ]
    assert said == []


@m.each(CHECKED)
def test_a_blank_is_not_started(path):
    for name in checks_of(path):
        assert getattr(module_of(path), name)(not_written).status == "not started", name


@m.each(CHECKED)
def test_no_beginners_mistake_escapes_as_a_traceback(path):
    said = {
        (name, mistake): faults
        for name in checks_of(path)
        for mistake, answer in ANY_MISTAKE.items()
        if (faults := faults_of_words(getattr(module_of(path), name)(answer)))
    }
    assert said == {}


@m.each(CHECKED)
def test_the_solution_passes_every_check(path):
    source = exercise_of(path)
    module = m.solution_module(source)
    passed = {}
    for _, tree in m.code_cells(source):
        for name, call in m.check_calls(tree):
            code = compile(ast.Expression(call), f"<{name}>", "eval")
            passed[name] = eval(code, {**vars(module_of(path)), **vars(module)})
    assert {n: v.message for n, v in passed.items() if v.status != "passed"} == {}
    assert set(passed) == set(checks_of(path)), "each check has its cell"


def test_every_exercise_has_checks():
    numbers = {path.stem.removeprefix("lesson_") for path in CHECKED}
    without = [
        s.name for s in m.EXERCISE_SOURCES if s.name.split("_")[0] not in numbers
    ]
    assert without == []


class Verdict:
    def __init__(self, status, message):
        self.status, self.message = status, message


def check_positive(fn):
    if fn(-1) != 1:
        return Verdict("failed", "hint: a length has no sign")
    return Verdict("passed", "✓ positive")


def test_an_accepted_wrong_answer_is_seen():
    answers = {
        "right in truth": (abs, "no sign"),
        "another hint": (lambda x: x, "a distance"),
        "negated": (lambda x: x - 2, "no sign"),
    }
    assert faults_of_a_check(check_positive, answers) == [
        "'right in truth' is passed",
        "'another hint' misses 'a distance' in: hint: a length has no sign",
    ]


def test_a_check_without_proof_is_seen():
    four = dict.fromkeys("abcd", (abs, ""))
    said = faults_of_a_proof(["check_one", "check_two"], {"one": four, "three": four})
    assert said == ["check_two has 0 wrong answers, need 4", "three is no check"]


def test_a_solution_runs_without_the_rest_of_its_notebook(tmp_path):
    source = tmp_path / "77_small_exercises.py"
    source.write_text(
        "# %%\n%matplotlib inline\nimport math\nSIZE = 3\n1 / 0\n"
        "# %%\ndef area(r):\n    ### BEGIN SOLUTION\n    return math.pi * r * SIZE\n"
        "    ### END SOLUTION\n# %%\nanswer = 1\n### BEGIN SOLUTION\nanswer = 2\n"
        "### END SOLUTION\n# %%\nwrong = 1 / 0\n"
    )
    module = m.solution_module(source)
    assert (module.area(0), module.answer) == (0, 2)
    assert not hasattr(module, "wrong")
