import io
import random
import sys

import pytest

from longctx_edu.cli.selftest import shuffled
from longctx_edu.course.progress import progress_file, read_progress
from longctx_edu.course.quiz import questions_of

QUESTIONS = questions_of("05")


def order(seed):
    """Return the questions as a seed puts them, options too."""
    draw = random.Random(seed)
    return [shuffled(q, draw) for q in draw.sample(QUESTIONS, len(QUESTIONS))]


def answers(seed, n_right):
    """Return what to type for so many right answers."""
    typed = []
    for n, question in enumerate(order(seed)):
        place = [o.right for o in question.options].index(n < n_right)
        typed.append("abcde"[place])
    return typed


@pytest.fixture
def types(call, monkeypatch):
    """Return a function that runs a self-test and types answers."""
    monkeypatch.setenv("LONGCTX_PROGRESS", "on")

    def run(typed, *argv):
        text = "".join(f"{word}\n" for word in typed)
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))
        return call("selftest", *argv)

    return run


def test_right_answers_are_explained_and_counted(types):
    code, out, err = types(answers(3, 5), "5", "--seed", 3)
    assert (code, err) == (0, "")
    assert out.endswith("\n5 of 5 right.\n")
    for question in QUESTIONS:
        right = next(o for o in question.options if o.right)
        assert f"Right. {right.explanation}" in out


def test_a_wrong_answer_is_explained_beside_the_right_one(types):
    _, out, _ = types(answers(3, 3), "05", "--seed", 3)
    assert out.endswith("\n3 of 5 right.\n")
    question = order(3)[-1]
    place = [o.right for o in question.options].index(False)
    wrong, right = question.options[place], next(o for o in question.options if o.right)
    assert f"No. {wrong.explanation}\nRight is " in out
    assert f") {right.text}\n{right.explanation}\n" in out


def test_the_best_result_is_noted(types):
    for right in (2, 4, 3):
        types(answers(1, right), "05", "--seed", 1)
    tested = read_progress(progress_file()).self_tests["05"]
    assert (tested.right, tested.questions, tested.tries) == (4, 5, 3)


def test_a_seed_gives_one_order_and_a_new_try_another(types):
    one, again = (types(answers(7, 5), "05", "--seed", 7)[1] for _ in range(2))
    assert one == again
    first, second = (types("a" * 5, "05")[1] for _ in range(2))
    assert first != second


def test_what_is_no_option_is_asked_again(types):
    first, *rest = answers(2, 5)
    _, out, _ = types(["", "x", "ab", f" {first.upper()}) ", *rest], "5", "--seed", 2)
    assert out.count("one of a, b, c, d") >= 3 and "5 of 5 right." in out


def test_the_end_of_the_input_is_one_line_and_nothing_is_noted(types):
    code, _, err = types(["a"], "05")
    assert code == 2
    assert err.startswith("error: need an answer to each question, got the end of ")
    assert not progress_file().exists()


def test_nothing_is_noted_where_it_is_switched_off(types, monkeypatch):
    monkeypatch.setenv("LONGCTX_PROGRESS", "off")
    assert types(answers(1, 5), "05", "--seed", 1)[0] == 0
    assert not progress_file().exists()


def test_a_result_that_cannot_be_written_is_said(types, monkeypatch):
    monkeypatch.setenv("LONGCTX_HOME", "/dev/null/longctx")
    code, out, err = types(answers(1, 5), "05", "--seed", 1)
    assert code == 0 and "5 of 5 right." in out
    assert err.startswith("the result is not noted: ")


def test_an_unknown_lesson_is_refused(refused):
    assert refused("selftest", "77").startswith("unknown lesson '77'")
