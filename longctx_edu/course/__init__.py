"""The learner's side of the course: notebook helpers, progress, blanks, self-tests.

What a notebook calls is shown here; `longctx progress`, `longctx reset` and `longctx
selftest` use the modules. Nothing heavy is imported before it is used.
"""

from longctx_edu.course.notebook import (
    HIDDEN,
    Guess,
    Source,
    answer_text,
    assert_close,
    first_lines,
    guess,
    show_source,
)
from longctx_edu.course.quiz_page import SelfTest, self_test

__all__ = [
    "HIDDEN",
    "Guess",
    "SelfTest",
    "Source",
    "answer_text",
    "assert_close",
    "first_lines",
    "guess",
    "self_test",
    "show_source",
]
