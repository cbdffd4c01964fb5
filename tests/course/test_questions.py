"""The questions themselves: five a lesson, each option explained, no pattern."""

from pathlib import Path

import machinery as m
import pytest

from longctx_edu.course.quiz import (
    QUESTIONS,
    Question,
    lessons_with_questions,
    questions_of,
)

NUMBERS = [path.name[:2] for path in m.LESSONS]
PER_LESSON = 5


def right_places(questions: list[Question]) -> list[int]:
    return [[o.right for o in q.options].index(True) for q in questions]


def is_longest(question: Question) -> bool:
    """Tell whether the right option has more letters than any other."""
    right = max(len(o.text) for o in question.options if o.right)
    return all(len(o.text) < right for o in question.options if not o.right)


def test_every_lesson_has_its_questions():
    assert lessons_with_questions() == NUMBERS


@m.each(m.LESSONS)
def test_a_lesson_asks_its_own_questions(path):
    calls = [
        cell.source for cell, _ in m.code_cells(path) if "self_test" in cell.source
    ]
    assert [call.splitlines()[-1] for call in calls] == [
        f'self_test("{path.name[:2]}")'
    ]


def test_no_other_file_stands_beside_them():
    names = {f"lesson_{number}.toml" for number in NUMBERS}
    assert {path.name for path in QUESTIONS.iterdir()} == names


@pytest.mark.parametrize("number", NUMBERS)
def test_a_lesson_has_five_in_form(number):
    assert len(questions_of(number)) == PER_LESSON


@pytest.mark.parametrize("number", NUMBERS)
def test_the_right_option_has_no_place_and_no_length_of_its_own(number):
    questions = questions_of(number)
    assert len(set(right_places(questions))) > 1, "the right ones stand at one place"
    assert not all(map(is_longest, questions)), "the right ones are the longest"


def test_over_the_course_neither_place_nor_length_tells():
    every = [q for number in lessons_with_questions() for q in questions_of(number)]
    places = right_places(every)
    assert max(map(places.count, set(places))) <= len(every) / 2
    assert sum(map(is_longest, every)) <= len(every) / 2


def test_no_question_stands_twice():
    numbers = lessons_with_questions()
    texts = [q.text for number in numbers for q in questions_of(number)]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("number", NUMBERS)
def test_code_and_formulas_are_closed(number):
    for question in questions_of(number):
        texts = [question.text, *(o.text for o in question.options)]
        texts += [option.explanation for option in question.options]
        for text in texts:
            assert text.count("`") % 2 == 0, text
            assert text.count("$") % 2 == 0, text


def test_the_package_carries_them():
    pyproject = (Path(m.ROOT) / "pyproject.toml").read_text(encoding="utf-8")
    assert '"**/*.toml"' in pyproject
