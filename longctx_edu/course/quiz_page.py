"""A self-test as it stands in a notebook: folded answers, no script, no widget."""

import html
import re

from longctx_edu.course.quiz import Question, questions_of

CODE = re.compile(r"`([^`]+)`")


class SelfTest:
    """The questions of a lesson; each option opens to its explanation.

    Args:
        lesson: Its number, "05".
        questions: What is asked.
    """

    def __init__(self, lesson: str, questions: list[Question]):
        self.lesson, self.questions = lesson, questions

    def __repr__(self) -> str:
        asked = [in_text(n, q) for n, q in enumerate(self.questions, 1)]
        told = f"The answers, explained: longctx selftest {self.lesson}"
        return "\n\n".join([*asked, told])

    def _repr_markdown_(self) -> str:
        """Write Markdown, in which each front end sets the formulas."""
        pages = (in_page(n, q) for n, q in enumerate(self.questions, 1))
        return "\n\n<br>\n\n".join(pages)


def self_test(lesson: str) -> SelfTest:
    """Show the questions of a lesson; decide first, then open an option.

    Args:
        lesson: Its number, "05".

    Raises:
        UserError: If it has none.

    Example:
        >>> len(self_test("05").questions)
        5
    """
    return SelfTest(lesson, questions_of(lesson))


def in_text(number: int, question: Question) -> str:
    """Write a question for a terminal.

    Args:
        number: From 1.
        question: What is asked.
    """
    lines = [f"{number}. {question.text}"]
    lines += [f"   {letter}) {o.text}" for letter, o in lettered(question)]
    return "\n".join(lines)


def in_page(number: int, question: Question) -> str:
    """Write a question for a page, without empty lines inside of a folded part.

    Args:
        number: From 1.
        question: What is asked.
    """
    parts = [f"<p><b>{number}.</b> {marked_up(question.text)}</p>"]
    for letter, option in lettered(question):
        verdict = "<b>✓ Right.</b>" if option.right else "<b>✗ No.</b>"
        parts.append(
            f"<details><summary>{letter}) {marked_up(option.text)}</summary>"
            f"<blockquote>{verdict} {marked_up(option.explanation)}</blockquote>"
            "</details>"
        )
    return "\n".join(parts)


def lettered(question: Question) -> list[tuple]:
    """Give each option its letter, from a."""
    return list(zip("abcde", question.options, strict=False))


def marked_up(text: str) -> str:
    """Turn `code` into HTML, and escape what a page would take for a tag.

    Args:
        text: Plain, with `code` and $math$.

    Example:
        >>> marked_up("`a < b`")
        '<code>a &lt; b</code>'
    """
    return CODE.sub(r"<code>\1</code>", html.escape(text, quote=False))
