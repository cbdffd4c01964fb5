import inspect

import pytest
import torch

from longctx_edu.positions import (
    Frequencies,
    interpolate,
    interpolate_by_parts,
    rotary_frequencies,
    rotation,
)

# equals the definition


def test_a_place_is_divided_by_the_factor():
    frequencies = rotary_frequencies(8)
    places = torch.arange(0, 4000, 37)
    longer = rotation(places, interpolate(frequencies, factor=4), dtype=torch.float64)
    nearer = rotation(places / 4, frequencies, dtype=torch.float64)
    torch.testing.assert_close(longer.cos, nearer.cos, rtol=0, atol=1e-10)
    torch.testing.assert_close(longer.sin, nearer.sin, rtol=0, atol=1e-10)


# equals an outside reference


@pytest.mark.parametrize("d_head", [2, 16, 64, 128])
@pytest.mark.parametrize("theta", [100, 10_000, 500_000])
@pytest.mark.parametrize("factor", [1.0, 2.5, 32.0])
def test_equals_transformers(published, d_head, theta, factor):
    radians, _ = published("linear", d_head, theta, 512, factor=factor)
    ours = interpolate(rotary_frequencies(d_head, theta=theta), factor=factor)
    torch.testing.assert_close(ours.radians, radians, rtol=1e-14, atol=0)
    assert ours.attention_factor == 1


# properties


def test_all_or_nothing_kept_is_nothing_or_interpolation():
    frequencies = rotary_frequencies(6)
    ones = torch.ones(3).double()
    same = interpolate_by_parts(frequencies, factor=4, kept=ones)
    assert torch.equal(same.radians, frequencies.radians)
    all_slow = interpolate_by_parts(frequencies, factor=4, kept=0 * ones)
    assert torch.equal(all_slow.radians, interpolate(frequencies, factor=4).radians)


def test_an_attention_factor_stays():
    frequencies = Frequencies(torch.ones(2).double(), attention_factor=1.5)
    assert interpolate(frequencies, factor=2).attention_factor == 1.5


# messages


@pytest.mark.parametrize("factor", [0.5, 0, -2, float("nan"), float("inf")])
def test_a_factor_that_lengthens_nothing(factor):
    frequencies, kept = rotary_frequencies(4), torch.ones(2).double()
    text = f"need a finite factor >= 1, got {factor}"
    for call in (
        lambda: inspect.unwrap(interpolate)(frequencies, factor=factor),
        lambda: inspect.unwrap(interpolate_by_parts)(
            frequencies, factor=factor, kept=kept
        ),
    ):
        with pytest.raises(ValueError) as error:
            call()
        assert str(error.value) == text
