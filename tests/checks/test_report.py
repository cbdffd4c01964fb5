import warnings

import numpy
import pytest
import torch

from longctx_edu.checks import CheckFailed, ask, check, close, require, show, tensor_of
from longctx_edu.checks import on_error as hint_on_error
from longctx_edu.checks.lesson_01 import check_causal_mask
from longctx_edu.checks.plain import list_of


@check("It doubles.")
def check_double(double):
    x = torch.tensor([1.0, 2.0])
    got = tensor_of(ask(double, x), (2,), "token")
    require(
        close(got, [2.0, 4.0]),
        "every number twice",
        given={"x": x},
        came=got,
        expected=torch.tensor([2.0, 4.0]),
        hint="plus itself",
    )


def test_a_right_answer_gets_one_line():
    verdict = check_double(lambda x: 2 * x)
    assert verdict.status == "passed"
    assert verdict.message == "✓ double: It doubles."


def test_a_failure_says_property_input_came_expected_and_one_hint():
    verdict = check_double(lambda x: x * x)
    assert verdict.status == "failed"
    assert verdict.message.splitlines() == [
        "✗ double: every number twice",
        "  given:",
        "    x = 1 2",
        "  came:",
        "    1 4",
        "  expected:",
        "    2 4",
        "  hint: plus itself",
    ]


def test_a_blank_is_not_started_also_inside_another_function():
    def blank(x):
        raise NotImplementedError

    assert check_double(blank).status == "not started"
    assert check_double(lambda x: blank(x) + x).status == "not started"


def test_an_error_of_torch_is_no_blank():
    def unsupported(x):
        raise NotImplementedError("no such kernel")

    assert check_double(unsupported).status == "failed"


def test_the_learners_error_comes_with_the_learners_line():
    def wrong(x):
        y = x.reshape(2)
        return y @ torch.zeros(3, 3)

    message = check_double(wrong).message
    assert "RuntimeError: " in message
    assert "return y @ torch.zeros(3, 3)" in message
    assert "Traceback" not in message and "report.py" not in message


def test_a_changed_signature_is_named():
    message = check_causal_mask(lambda: 2).message
    assert "the call itself failed" in message and "keep the parameters" in message


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x: None, "end it with return"),
        (lambda x: x.numpy() * 2, "stay in torch"),
        (lambda x: [2, 4], "torch.tensor(...)"),
        (lambda x: (2 * x).double(), "keep the dtype"),
        (lambda x: (2 * x)[None], "shape (1, 2)"),
        (lambda x: x.mul_(2), "the input stays as it is"),
        (lambda x: x * torch.nan, "nan nan"),
        (3, "need a function, got int"),
    ],
)
def test_what_beginners_return_is_named(answer, words):
    verdict = check_double(answer)
    assert verdict.status == "failed" and words in verdict.message


def test_a_hint_can_wait_for_an_error():
    @check("")
    def check_any(answer):
        with hint_on_error("turn the last two"):
            answer()

    message = check_any(lambda: torch.zeros(2) @ torch.zeros(3)).message
    assert "RuntimeError" in message and message.endswith("hint: turn the last two")
    assert "\n  hint:" not in check_any(lambda: 1 / 0).message

    def blank():
        raise NotImplementedError

    assert check_any(blank).status == "not started"


def test_named_inputs_are_watched_too():
    with pytest.raises(CheckFailed, match="the input stays"):
        ask(lambda *, x: x.add_(1), x=torch.zeros(2))


def test_a_verdict_shows_itself_once_in_text_and_in_colour():
    verdict = check_double(lambda x: x < 3)
    assert repr(verdict) == verdict.message
    assert "#D55E00" in verdict._repr_html_()


def test_markup_in_a_message_is_escaped():
    page = check_double(lambda x: 1 / 0 if "<i>" else x)._repr_html_()
    assert "<i>" not in page and "&lt;i&gt;" in page


@check("")
def check_call(answer):
    answer()


@pytest.mark.parametrize("error", [SystemExit(3), GeneratorExit(), RecursionError()])
def test_what_would_end_the_kernel_is_a_failure(error):
    def ends():
        raise error

    message = check_call(ends).message
    assert "your function stopped with an error" in message
    assert type(error).__name__ in message and "raise error" in message


def test_an_error_that_cannot_be_written_is_named():
    class Mute(Exception):
        def __str__(self):
            raise ValueError

    def wrong():
        raise Mute

    assert "Mute: its text cannot be shown" in check_call(wrong).message


def test_a_blank_that_cannot_be_written_is_no_blank():
    class Mute(NotImplementedError):
        def __str__(self):
            raise ValueError

    def wrong():
        raise Mute("x")

    assert check_call(wrong).status == "failed"


def test_what_fails_within_the_check_is_not_called_a_wrong_signature():
    message = check("")(list_of)(check_double).message
    assert "your function, or what it gave, does not fit here" in message
    assert "TypeError: " in message and "return what the box asks for" in message


def test_long_words_are_cut_and_half_letters_escaped():
    def wrong():
        raise ValueError("\ud800" + "so " * 9999)

    message = check_call(wrong).message
    assert len(message) < 900
    assert "ValueError: \\ud800so so" in message
    assert message.encode("utf-8")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x: (2 * x).to("meta"), "new tensors with device=x.device"),
        (lambda x: (2 * x).to_sparse(), ".to_dense() writes the zeros"),
    ],
)
def test_another_kind_of_tensor_is_named(answer, words):
    assert words in check_double(answer).message


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (torch.tensor(2.0), "2"),
        (torch.tensor([[1.0, -0.0], [0.3333333, torch.inf]]), None),
        (torch.zeros(0, 3), "nothing, shape (0, 3)"),
        (torch.zeros(2, 1, 2), "shape (2, 1, 2), its first square:\n0 0"),
        (torch.arange(20), "0 1 2 3 4 5 6 7 8 9 10 11 ..."),
        ("plain", "plain"),
        (numpy.float32, "<class 'numpy.float32'>"),
        (torch.zeros(2, 3, device="meta"), "shape (2, 3), torch.strided on meta"),
        (torch.tensor([1 + 2j]), "1+2j"),
        (
            dict.fromkeys(range(99), 0),
            "\n".join(f"{n} = 0" for n in range(10)) + "\n...",
        ),
    ],
)
def test_values_are_short(value, text):
    expected = "     1      0\n0.3333    inf" if text is None else text
    assert show(value) == expected


def test_a_value_that_cannot_be_written_is_named():
    class Mute:
        def __repr__(self):
            raise ZeroDivisionError

    assert show(Mute()) == "Mute, whose repr stops with ZeroDivisionError"


def test_a_large_tensor_is_not_written_out_before_it_is_cut():
    large = torch.zeros(1, 1).expand(100_000, 100_000)
    assert show(large).splitlines()[-1] == "..."
    assert len(show(list(range(10**6)))) < 310


def test_long_values_are_cut():
    assert show("x" * 999).endswith("x ...") and len(show("x" * 999)) < 310
    assert show(torch.zeros(40, 2)).splitlines()[-1] == "..."


def test_a_warning_is_no_verdict():
    def old(x):
        warnings.warn("soon to go", DeprecationWarning, stacklevel=1)
        return 2 * x

    assert check_double(old).status == "passed"
