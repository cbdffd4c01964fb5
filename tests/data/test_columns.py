import re

import pytest

from longctx_edu.data.columns import Layout, columns_of, sentences_of
from longctx_edu.errors import DataError, UserError


@pytest.fixture
def file(tmp_path):
    """Return a function that writes a file and returns its path."""

    def write(content):
        path = tmp_path / "x.conll"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("Ada\tO", ["Ada", "O"]),
        ("Ada O", ["Ada", "O"]),
        ("  Ada   NNP  O ", ["Ada", "NNP", "O"]),
        ("New York\tB-LOC", ["New York", "B-LOC"]),
        ("Ada\tO\t\t", ["Ada", "O"]),
        ("Ada\tO\r", ["Ada", "O"]),
        ("Ada O\r", ["Ada", "O"]),
        ("Ada\t O ", ["Ada", "O"]),
        ("Ada\t\tO", ["Ada", "", "O"]),
        ("a\u00a0b O", ["a\u00a0b", "O"]),  # a no-break space parts no columns
        ("a\u2028b\tO", ["a\u2028b", "O"]),
    ],
)
def test_columns(line, wanted):
    assert columns_of(line) == wanted


def test_sentences_with_their_lines(file):
    path = file("a O\nb B-X\n\n \t\n-DOCSTART- -X- O\n\nc O")
    first, second = sentences_of(path, Layout())
    assert (first.tokens, first.tags) == (["a", "b"], [["O"], ["B-X"]])
    assert (first.lines, first.opens_document) == ([1, 2], False)
    assert (second.tokens, second.lines) == (["c"], [7])
    assert second.opens_document


@pytest.mark.parametrize(
    "content",
    [
        "a\tO\nb\tO\n\nc\tO\n",
        "a\tO\r\nb\tO\r\n\r\nc\tO\r\n",
        b"\xef\xbb\xbfa\tO\nb\tO\n\nc\tO",
        "\n\n  \na O\nb O\n\t\n \t \nc O\n\n\n",
        "a\tO\t\nb\tO\t\t\n\u00a0\nc\tO\t\n",
    ],
)
def test_ways_to_write_the_same_file(file, content):
    sentences = list(sentences_of(file(content), Layout()))
    assert [s.tokens for s in sentences] == [["a", "b"], ["c"]]


def test_a_unicode_line_end_stays_in_its_token(file):
    (sentence,) = sentences_of(file("a\u2028b\tO\nc\x85\tO\nd\x0be\tO\n"), Layout())
    assert sentence.tokens == ["a\u2028b", "c\x85", "d\x0be"]


def test_other_columns(file):
    path = file("1 Ada NNP B-PER 0\n2 sings VBZ O 1\n")
    (sentence,) = sentences_of(path, Layout(token_column=1, tag_column=3))
    assert (sentence.tokens, sentence.tags) == (["Ada", "sings"], [["B-PER"], ["O"]])
    (same,) = sentences_of(path, Layout(token_column=1, tag_column=-2))
    assert same == sentence


def test_a_tag_column_from_the_front_allows_more_columns_behind(file):
    path = file("Ada B-PER\nsings O note\n")
    (sentence,) = sentences_of(path, Layout(tag_column=1))
    assert sentence.tags == [["B-PER"], ["O"]]


def test_nested_layers(file):
    (sentence,) = sentences_of(file("a\tO\tB-X\t\nb\tO\n"), Layout(nested=True))
    assert sentence.tags == [["O", "B-X"], ["O"]]


# messages


@pytest.mark.parametrize(
    ("content", "layout", "message"),
    [
        (
            "a O\n" * 16 + "Berlin\n",
            Layout(),
            "17: need at least 2 columns (token and tag), got 1: 'Berlin'",
        ),
        (
            "a\tO\nBerlin\t\t\n",
            Layout(),
            "2: need at least 2 columns (token and tag), got 1: 'Berlin'",
        ),
        (
            "\n\na b c\n",
            Layout(tag_column=3),
            "3: need at least 4 columns (tag in column 4), got 3: 'a b c'",
        ),
        (
            "a b\n",
            Layout(tag_column=-3),
            "1: need at least 3 columns (tag in column 3 from the end), got 2: 'a b'",
        ),
        (
            "a\n",
            Layout(nested=True),
            "1: need at least 2 columns (token and tag), got 1: 'a'",
        ),
        ("a\tO\n\tO\n", Layout(), "2: need a token in column 1, got none: ' O'"),
        (
            "\na N O\nb O\n",
            Layout(),
            "3: need 3 columns, as in line 2, got 2: 'b O'",
        ),
        (
            "a O\nNew York B-LOC\n",
            Layout(),
            "2: need 2 columns, as in line 1, got 3: 'New York B-LOC'",
        ),
        (
            "x" * 99,
            Layout(),
            f"1: need at least 2 columns (token and tag), got 1: '{'x' * 60}'",
        ),
    ],
)
def test_messages(file, content, layout, message):
    path = file(content)
    with pytest.raises(DataError, match=f"^{re.escape(f'{path}:{message}')}$"):
        list(sentences_of(path, layout))


def test_refuses_a_layout_that_no_file_has():
    message = "need token_column >= 0, got token_column=-1"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Layout(token_column=-1)
    with pytest.raises(UserError, match=r"^unknown tag scheme 'BIO': "):
        Layout(scheme="BIO")
