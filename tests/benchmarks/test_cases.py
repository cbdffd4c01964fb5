from dataclasses import replace

import pytest
import torch

from longctx_edu.attention import dense_attention
from longctx_edu.benchmarks import Case, Setting, make_inputs
from longctx_edu.benchmarks.contender import claims
from longctx_edu.benchmarks.needed import (
    needed_in_full,
    needed_in_window,
    needed_operations,
)
from longctx_edu.benchmarks.reference import (
    Answer,
    dense_answer,
    largest_difference,
)
from longctx_edu.masks import dense_mask

SETTINGS = [
    {},
    {"left": 3, "right": 5, "n_global": 0},
    {"n_global": 4},
    {"dilation": 2, "n_global": 3},
    {"causal": True, "n_global": 2},
    {"causal": True, "dilation": 3, "padded": 0.3},
    {"padded": 0.5},
    {"n_global": 90, "padded": 0.3},
]


@pytest.mark.parametrize("change", SETTINGS)
def test_the_needed_pairs_are_those_that_the_mask_shows(small, change):
    case = Case(replace(small, **change), n=100, dtype="float32")
    seen = dense_mask(case.window(), 100)[: case.n_real]
    assert needed_in_window(case) == seen.sum()
    alone = dense_mask(case.window(with_globals=False), 100)[: case.n_real]
    assert needed_in_window(case, with_globals=False) == alone.sum()


def test_full_attention_needs_the_square_of_what_is_real(small):
    assert needed_in_full(Case(replace(small, padded=0.5), 100, "float32")) == 2500
    assert needed_in_full(Case(replace(small, causal=True), 100, "float32")) == 5050


def test_operations_are_two_for_a_multiplication_and_its_addition(small):
    case = Case(replace(small, batch=3), n=10, dtype="float32")
    scores = 2 * 100 * 8 * 2 * 3  # a product of 10 x 8 and 8 x 10, 2 heads, 3 texts
    assert needed_operations(case, 100, "forward") == 2 * scores
    assert needed_operations(case, 100, "forward_backward") == 6 * scores


def test_inputs_depend_on_the_seed_alone(small):
    case = Case(small, 32, "float32")
    mine, again = (make_inputs(case, backward=True) for _ in range(2))
    assert torch.equal(mine.q, again.q)
    assert torch.equal(mine.out_grad, again.out_grad)
    assert not torch.equal(mine.q, mine.k)
    other = make_inputs(Case(replace(small, seed=1), 32, "float32"), backward=False)
    assert not torch.equal(mine.q, other.q)
    assert other.out_grad is None


def test_no_gradient_comes_back_to_padding(small):
    case = Case(replace(small, padded=0.25), 32, "bfloat16")
    inputs = make_inputs(case, backward=True)
    assert inputs.q.dtype == torch.bfloat16
    assert inputs.out_grad[:, :, 24:].abs().sum() == 0
    assert (inputs.out_grad[:, :, :24] != 0).all()


@pytest.mark.parametrize("change", SETTINGS)
def test_the_reference_in_pieces_is_the_definition(small, change, monkeypatch):
    monkeypatch.setattr("longctx_edu.benchmarks.reference.ROWS", 7)
    case = Case(replace(small, **change), n=30, dtype="float32")
    inputs = make_inputs(case, backward=True)
    got = dense_answer(inputs, claims(case.window()), backward=True)
    leaves = [x.double().requires_grad_() for x in (inputs.q, inputs.k, inputs.v)]
    out = dense_attention(*leaves, mask=dense_mask(case.window(), 30).expand(30, 30))
    gradients = torch.autograd.grad(out, leaves, inputs.out_grad.double())
    torch.testing.assert_close(got.out, out.detach())
    for mine, theirs in zip(got.gradients, gradients, strict=True):
        torch.testing.assert_close(mine, theirs)


def test_the_difference_is_the_largest_on_real_tokens(small):
    case = Case(replace(small, padded=0.5), 4, "float32")
    zero, one = torch.zeros(1, 2, 4, 8), torch.zeros(1, 2, 4, 8)
    one[:, :, 1, 0] = 0.5
    one[:, :, 3, 0] = 9.0
    assert largest_difference(case, Answer(one), Answer(zero)) == 0.5
    assert largest_difference(case, Answer(zero, (one,)), Answer(zero, (zero,))) == 0.5


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"left": -1}, "need left >= 0, got -1"),
        ({"dilation": 0}, "need dilation >= 1, got 0"),
        ({"n_heads": 0}, "need n_heads >= 1, got 0"),
        ({"padded": 1.0}, "need padded in [0, 1), got padded=1.0"),
    ],
)
def test_a_value_outside_its_range(change, line):
    with pytest.raises(ValueError) as refused:
        Setting(**change)
    assert str(refused.value) == line
