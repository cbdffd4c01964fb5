import inspect
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.models.xlnet.modeling_xlnet import XLNetModel

from longctx_edu.positions import sinusoidal, to_halves

few = settings(max_examples=40, deadline=None, derandomize=True)


# equals the definition


@few
@given(st.lists(st.integers(-100, 10_000), min_size=1, max_size=5), st.integers(1, 5))
def test_sinusoidal_equals_loops(places, n_pairs):
    width = 2 * n_pairs
    got = sinusoidal(torch.tensor(places), width, theta=100, dtype=torch.float64)
    for row, place in zip(got, places, strict=True):
        for i in range(n_pairs):
            angle = place / 100 ** (2 * i / width)
            assert row[2 * i] == pytest.approx(math.sin(angle), abs=1e-11)
            assert row[2 * i + 1] == pytest.approx(math.cos(angle), abs=1e-11)


# equals an outside reference


def test_in_halves_it_is_that_of_transformers_for_relative_positions():
    places = torch.arange(9.0).double() - 4
    inverse = 1 / 10_000 ** (torch.arange(0, 6, 2).double() / 6)
    theirs = XLNetModel.positional_embedding(places, inverse)[:, 0]
    ours = to_halves(sinusoidal(places, 6, dtype=torch.float64))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-14)


# properties


@few
@given(st.integers(-999, 999), st.integers(-999, 999), st.integers(-(10**6), 10**6))
def test_the_product_of_two_places_depends_on_their_distance(i, j, shift):
    def product(a, b):
        rows = sinusoidal(torch.tensor([a, b]), 8, dtype=torch.float64)
        return rows[0] @ rows[1]

    torch.testing.assert_close(
        product(i + shift, j + shift), product(i, j), rtol=0, atol=1e-8
    )


def test_a_place_does_not_depend_on_its_neighbours():
    places = torch.tensor([[7, 0, 3], [9, 7, 7]])
    rows = sinusoidal(places, 4)
    assert rows.shape == (2, 3, 4)
    assert rows.dtype == torch.float32
    assert torch.equal(rows[0, 0], rows[1, 2])


# edges


def test_no_token_and_one_pair():
    assert sinusoidal(torch.arange(0), 4).shape == (0, 4)
    assert sinusoidal(torch.tensor([0]), 2).tolist() == [[0.0, 1.0]]


# messages


def said(*args, **how):
    with pytest.raises(ValueError) as error:
        inspect.unwrap(sinusoidal)(*args, **how)
    return str(error.value)


def test_numbers_that_have_no_meaning():
    places = torch.arange(3)
    assert said(places, 5) == "need an even d_model >= 2, got 5"
    assert said(places, 4, theta=1.0) == "need a finite theta > 1, got 1.0"
    assert "got torch.float16, which rounds above 2048" in said(places.half(), 4)
