"""Questions: what is refused, and how they look in a notebook and in a terminal."""

from html.parser import HTMLParser

import pytest

from longctx_edu.course import self_test
from longctx_edu.course.quiz import Option, Question, questions_of, read_questions
from longctx_edu.course.quiz_page import SelfTest, in_page, in_text, marked_up
from longctx_edu.errors import UserError

OPTION = "[[question.option]]\ntext = '{0}'\nright = {1}\nexplanation = 'so {0}'\n"
GOOD = "[[question]]\ntext = 'how many?'\n" + "".join(
    OPTION.format(text, right)
    for text, right in (("one", "false"), ("two", "true"), ("three", "false"))
)
QUESTION = Question(
    "is `a < b`, or $a < b$?",
    (Option("yes", True, "it <i>is"), Option("no", False, "why not")),
)


@pytest.fixture
def read(tmp_path):
    """Return a function that reads a file of questions with this text."""

    def read_text(text):
        file = tmp_path / "lesson_05.toml"
        file.write_text(text, encoding="utf-8")
        return read_questions(file)

    return read_text


def test_questions_are_read(read):
    (question,) = read(GOOD)
    assert question.text == "how many?"
    assert [o.text for o in question.options] == ["one", "two", "three"]
    assert question.options[1] == Option("two", True, "so two")


def test_a_text_of_several_lines_becomes_one(read):
    text = GOOD.replace("'how many?'", "'''\nhow\n  many? '''")
    assert read(text)[0].text == "how many?"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[question", "lesson_05.toml: need TOML"),
        ("a = 1", "need [[question]] tables and nothing else"),
        ("question = 3", "need [[question]] tables and nothing else"),
        ("question = [3]", "question 1: need a table"),
        (GOOD + "hint = 'x'", "question 1: need text, right and explanation in "),
        (GOOD.replace("how many?", " "), "question 1: need text that says something"),
        (GOOD.replace("'how many?'", "3"), "question 1: need text that says something"),
        (GOOD + GOOD.replace("= true", "= false"), "question 2: need exactly one"),
        (GOOD.replace("= false", "= true"), "need exactly one right option, got 3"),
        (GOOD.replace("= true", "= 'yes'"), "need right = true or false in option 2"),
        (GOOD.replace("so two", ""), "need text and explanation that say something"),
        (GOOD.replace("explanation = 'so two'\n", ""), "explanation in option 2"),
        (GOOD.replace("'three'", "'one '"), "question 1: need options that differ"),
        (GOOD[: GOOD.rindex("[[")], "question 1: need 3 to 5 options"),
        (GOOD + OPTION.format("x", "false") * 3, "need 3 to 5 options"),
        (GOOD + GOOD, "question 2: need each question once"),
        ("[[question]]\ntext = 'a'", "question 1: need text and option"),
        ("[[question]]\ntext = 'a'\noption = 3", "[[question.option]] tables"),
    ],
)
def test_a_malformed_file_is_refused_by_name_and_question(read, text, said):
    with pytest.raises(UserError) as refused:
        read(text)
    assert str(refused.value).startswith("lesson_05.toml: ")
    assert said in str(refused.value)


def test_a_lesson_without_questions_is_refused():
    with pytest.raises(UserError, match="unknown lesson with a self-test '99'"):
        questions_of("99")


class Balance(HTMLParser):
    """Notes tags that are opened and closed in another order."""

    def __init__(self, page):
        super().__init__()
        self.open, self.seen, self.faults = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.seen.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)


def test_each_option_folds_to_its_explanation():
    page = in_page(1, QUESTION)
    tags = Balance(page)
    assert (tags.open, tags.faults) == ([], [])
    assert tags.seen.count("details") == tags.seen.count("summary") == 2
    assert "open" not in page
    first, second = page.split("<details>")[1:]
    assert "✓ Right.</b> it &lt;i&gt;is" in first and "✗ No.</b> why not" in second


def test_a_page_needs_no_script_and_has_no_empty_line_in_a_fold():
    page = SelfTest("05", [QUESTION, QUESTION])._repr_markdown_()
    assert "<script" not in page and "style" not in page
    blocks = page.split("\n\n<br>\n\n")
    assert len(blocks) == 2
    for block in blocks:
        assert "\n\n" not in block
        assert block.count("<details>") == block.count("</details>") == 2


def test_code_is_marked_and_formulas_stay():
    assert marked_up("`x[i]` and $a_i$ > 2") == "<code>x[i]</code> and $a_i$ &gt; 2"


def test_plain_text_asks_and_does_not_answer():
    shown = repr(SelfTest("05", [QUESTION]))
    assert shown.splitlines() == [
        *in_text(1, QUESTION).splitlines(),
        "",
        "The answers, explained: longctx selftest 05",
    ]
    assert "   a) yes" in shown and "it <i>is" not in shown and "✓" not in shown


def test_a_self_test_is_the_same_each_time():
    one, other = self_test("05"), self_test("05")
    assert repr(one) == repr(other)
    assert one._repr_markdown_() == other._repr_markdown_()
