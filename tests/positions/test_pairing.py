import inspect

import pytest
import torch
from einops import rearrange

from longctx_edu.positions import (
    rotary_frequencies,
    rotate,
    rotation,
    to_halves,
    to_interleaved,
)


def normal(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def turned(n_tokens, d_rotary):
    frequencies = rotary_frequencies(d_rotary, theta=100.0)
    return rotation(torch.arange(n_tokens) * 3, frequencies, dtype=torch.float64)


# equals the definition


def test_partners_move_side_by_side():
    x = torch.arange(6)
    assert to_interleaved(x).tolist() == [0, 3, 1, 4, 2, 5]
    assert to_halves(x).tolist() == [0, 2, 4, 1, 3, 5]


# properties


@pytest.mark.parametrize("d_rotary", [None, 2, 4, 6, 8])
def test_the_two_moves_are_inverse(d_rotary):
    x = normal(3, 5, 8)
    there = to_interleaved(x, d_rotary=d_rotary)
    assert torch.equal(to_halves(there, d_rotary=d_rotary), x)
    assert torch.equal(
        to_interleaved(to_halves(x, d_rotary=d_rotary), d_rotary=d_rotary), x
    )


@pytest.mark.parametrize("d_rotary", [2, 6, 8])
def test_turning_commutes_with_the_order(d_rotary):
    x, angles = normal(3, 5, 8), turned(5, d_rotary)
    mixed = rotate(to_interleaved(x, d_rotary=d_rotary), angles, interleaved=True)
    assert torch.equal(mixed, to_interleaved(rotate(x, angles), d_rotary=d_rotary))


def test_scores_are_the_same_in_both_orders_and_differ_when_mixed():
    q, k, angles = normal(5, 8), normal(5, 8, seed=1), turned(5, 8)
    scores = rotate(q, angles) @ rotate(k, angles).mT
    q, k = to_interleaved(q), to_interleaved(k)
    again = rotate(q, angles, interleaved=True) @ rotate(k, angles, interleaved=True).mT
    torch.testing.assert_close(again, scores)
    wrong = rotate(q, angles) @ rotate(k, angles).mT
    assert (wrong - scores).abs().max() > 0.1


def test_the_weights_of_a_projection_convert_in_place_of_its_vectors():
    x, weight = normal(5, 7), normal(2 * 8, 7, seed=1)
    by_head = rearrange(weight, "(head d) model -> head model d", head=2)
    converted = rearrange(to_interleaved(by_head), "head model d -> (head d) model")
    vectors = rearrange(x @ weight.mT, "token (head d) -> head token d", head=2)
    again = rearrange(x @ converted.mT, "token (head d) -> head token d", head=2)
    torch.testing.assert_close(again, to_interleaved(vectors))


# messages


@pytest.mark.parametrize("move", [to_halves, to_interleaved])
def test_a_width_that_does_not_fit(move):
    alone = inspect.unwrap(move)
    with pytest.raises(ValueError, match=r"^need an even d_rotary >= 2, got 7$"):
        alone(torch.zeros(7))
    with pytest.raises(ValueError, match=r"^need an even d_rotary >= 2, got 3$"):
        alone(torch.zeros(8), d_rotary=3)
    with pytest.raises(ValueError, match=r"^need d_rotary <= d_head=6, got 8$"):
        alone(torch.zeros(6), d_rotary=8)
