"""What the shared guards in tests/course do not hold: other styles, and a look."""

import importlib.util
from pathlib import Path

import pytest
import torch

from longctx_edu.checks import lesson_01
from longctx_edu.checks.oracles import drawn, slow_attention, slow_heads

FILE = Path(__file__).parents[1] / "course" / "wrong_answers" / "lesson_01.py"
spec = importlib.util.spec_from_file_location("wrong_answers_lesson_01", FILE)
answers = importlib.util.module_from_spec(spec)
spec.loader.exec_module(answers)

WRONG = [(c, n) for c, named in answers.WRONG.items() for n in named]
RIGHT = [(c, n) for c, many in answers.ALTERNATIVES.items() for n in range(len(many))]


@pytest.mark.parametrize(("check", "name"), WRONG, ids=map(" ".join, WRONG))
def test_a_wrong_answer_gets_its_own_hint(check, name):
    wrong, words = answers.WRONG[check][name]
    verdict = getattr(lesson_01, check)(wrong)
    assert verdict.status == "failed"
    assert words in verdict.message
    assert verdict.message.count("hint:") == 1


@pytest.mark.parametrize(("check", "number"), RIGHT)
def test_another_style_passes(check, number):
    verdict = getattr(lesson_01, check)(answers.ALTERNATIVES[check][number])
    assert (verdict.status, verdict.message[0]) == ("passed", "✓"), verdict.message


def test_every_check_has_wrong_and_right_answers():
    assert sorted(answers.WRONG) == sorted(answers.ALTERNATIVES) == lesson_01.__all__


def test_a_message_reads_well():
    verdict = lesson_01.check_causal_mask(
        answers.WRONG["check_causal_mask"]["numbers"][0]
    )
    assert verdict.message.splitlines() == [
        "✗ causal_mask: the result holds bools, True or False",
        "  came:",
        "    torch.float32",
        "  expected:",
        "    torch.bool",
        "  hint: a comparison gives bools; .bool() turns numbers into them",
    ]


def test_the_oracles_equal_torch():
    q, k, v, mask = drawn(5, 4), drawn(7, 4), drawn(7, 3), drawn(5, 7) > -0.5
    theirs = torch.nn.functional.scaled_dot_product_attention(q, k, v, mask)
    torch.testing.assert_close(slow_attention(q, k, v, mask).float(), theirs)
    x, w = drawn(3, 4), [drawn(4, 4), drawn(4, 5)[:, :4], drawn(4, 6)[:, :4]]
    layer = torch.nn.MultiheadAttention(4, 2, bias=False, batch_first=True)
    with torch.no_grad():
        layer.in_proj_weight.copy_(torch.cat([m.mT for m in w]))
        layer.out_proj.weight.copy_(torch.eye(4))
        theirs = layer(x[None], x[None], x[None])[0][0]
    torch.testing.assert_close(slow_heads(x, *w, n_heads=2).float(), theirs)
