"""The questions of a self-test: one TOML file a lesson, read and held to its form.

    [[question]]
    text = "Plain text with `code` and $math$."
    [[question.option]]
    text = "..."
    right = true               # of exactly one option
    explanation = "..."        # of every option

What is not in this form is refused with the file's name and the question's number.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from longctx_edu.errors import UserError, unknown_name

QUESTIONS = Path(__file__).parent / "questions"
FEWEST, MOST = 3, 5  # options of a question


@dataclass(frozen=True)
class Option:
    """One answer that can be chosen.

    Args:
        text: The answer.
        right: Whether it is the right one.
        explanation: Why it is, or what it takes for what.
    """

    text: str
    right: bool
    explanation: str


@dataclass(frozen=True)
class Question:
    """A question with its answers.

    Args:
        text: The question.
        options: Three to five; one is right.
    """

    text: str
    options: tuple[Option, ...]


def lessons_with_questions() -> list[str]:
    """List the numbers of the lessons that have a self-test."""
    files = QUESTIONS.glob("lesson_[0-9][0-9].toml")
    return sorted(file.stem.removeprefix("lesson_") for file in files)


def questions_of(lesson: str) -> list[Question]:
    """Read the questions of a lesson.

    Args:
        lesson: Its number, "05".

    Raises:
        UserError: If it has none, or its file is not in form.
    """
    known = lessons_with_questions()
    if lesson not in known:
        raise unknown_name("lesson with a self-test", lesson, known)
    return read_questions(QUESTIONS / f"lesson_{lesson}.toml")


def read_questions(file: Path) -> list[Question]:
    """Read a file of questions, and refuse what is not in form.

    Args:
        file: In TOML.

    Raises:
        UserError: With the file's name and the question's number.
    """
    try:
        whole = tomllib.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{file.name}: need TOML in UTF-8, got: {error}") from None
    found = whole.get("question")
    if set(whole) != {"question"} or not isinstance(found, list):
        raise UserError(f"{file.name}: need [[question]] tables and nothing else")
    questions = [_question(each, file.name, n) for n, each in enumerate(found, 1)]
    texts = [question.text for question in questions]
    for n, text in enumerate(texts, 1):
        if text in texts[: n - 1]:
            raise UserError(f"{file.name}: question {n}: need each question once")
    return questions


def _question(given: Any, file: str, number: int) -> Question:
    """Read one question."""

    def need(holds: object, what: str) -> None:
        if not holds:
            raise UserError(f"{file}: question {number}: need {what}")

    need(isinstance(given, dict), "a table with text and option")
    need(set(given) == {"text", "option"}, "text and option, and nothing else")
    need(_is_text(given["text"]), "text that says something")
    options = given["option"]
    need(isinstance(options, list), "[[question.option]] tables")
    need(FEWEST <= len(options) <= MOST, f"{FEWEST} to {MOST} options")
    for n, option in enumerate(options, 1):
        named = isinstance(option, dict) and set(option)
        fields = {"text", "right", "explanation"}
        need(named == fields, f"text, right and explanation in option {n}")
        need(isinstance(option["right"], bool), f"right = true or false in option {n}")
        said = _is_text(option["text"]) and _is_text(option["explanation"])
        need(said, f"text and explanation that say something in option {n}")
    n_right = sum(option["right"] for option in options)
    need(n_right == 1, f"exactly one right option, got {n_right}")
    texts = {option["text"].strip() for option in options}
    need(len(texts) == len(options), "options that differ")
    made = (
        Option(_line(o["text"]), o["right"], _line(o["explanation"])) for o in options
    )
    return Question(_line(given["text"]), tuple(made))


def _is_text(value: object) -> bool:
    """Tell a text with something in it."""
    return isinstance(value, str) and bool(value.strip())


def _line(text: str) -> str:
    """Join the lines of a text."""
    return " ".join(text.split())
