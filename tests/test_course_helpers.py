import pytest
import torch

from longctx_edu.attention import dense_attention
from longctx_edu.course import answer_text, assert_close, guess, show_source
from longctx_edu.models.attention_layer import MultiHeadAttention


def test_plain_text_does_not_tell_the_answer():
    hidden = guess(4711)
    assert "4711" not in repr(hidden)
    assert "<details>" in hidden._repr_html_() and "4711" in hidden._repr_html_()


def test_an_answer_cannot_break_its_page():
    assert "<b>" not in guess("<b>")._repr_html_().split("<pre>")[1]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (9, "9"),
        (2 / 3, "0.6667"),
        (torch.tensor([1 / 3, -1e-9]), "[0.3333, 0.0]"),
        (torch.tensor([[True, False]]), "[[True, False]]"),
        (torch.zeros(2, 5).shape, "(2, 5)"),
        ("nine", "nine"),
    ],
)
def test_answers_are_written_as_a_reader_would(value, text):
    assert answer_text(value) == text


def test_source_comes_with_the_first_line_of_its_docstrings():
    short = show_source(dense_attention).text
    assert '"""Give each query the mean of the values, weighted by how' in short
    assert "Example" not in short and "@ v" in short
    assert "Example" in show_source(dense_attention, docstring=True).text


def test_source_of_a_class_keeps_all_its_code():
    whole = show_source(MultiHeadAttention, docstring=True).text
    short = show_source(MultiHeadAttention).text
    assert "Raises" not in short and "Raises" in whole
    for line in ("self.q_proj = nn.Linear(d_model, d_model)", "return self.out_proj"):
        assert line in short
    compile(short, "short", "exec")


def test_source_is_coloured_for_a_page_and_plain_for_a_terminal():
    source = show_source(dense_attention)
    assert repr(source).startswith("def dense_attention(")
    assert "monospace" in source._repr_html_() and "<span" in source._repr_html_()


def test_the_alarm_is_quiet_on_equal_numbers(capsys):
    assert_close(torch.tensor([1.0]), torch.tensor([1.0 + 5e-7]))
    assert_close(torch.eye(2).bool(), torch.eye(2).bool())
    assert_close(torch.zeros(0), torch.zeros(0), atol=1e-3)
    assert capsys.readouterr().out.splitlines() == [
        "same numbers: largest difference below 1e-06",
        "same values: all 4",
        "same numbers: largest difference below 0.001",
    ]


@pytest.mark.parametrize(
    ("ours", "theirs", "words"),
    [
        ([1.0], [1.1], "the largest difference is 0.1, over 1e-06"),
        ([float("nan")], [float("nan")], "the largest difference is nan"),
        ([1.0], [[1.0]], r"got \(1,\) by hand and \(1, 1\) from the library"),
        ([True, True], [True, False], "1 of 2 values differ"),
    ],
)
def test_the_alarm_rings(ours, theirs, words):
    with pytest.raises(AssertionError, match=words):
        assert_close(torch.tensor(ours), torch.tensor(theirs))
