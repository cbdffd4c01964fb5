import inspect

import pytest
import torch

from longctx_edu.positions import rotary_frequencies

# equals the definition


def test_each_pair_turns_slower_by_the_same_ratio():
    radians = rotary_frequencies(6, theta=1000).radians
    expected = [1000 ** (-2 * i / 6) for i in range(3)]
    torch.testing.assert_close(radians, torch.tensor(expected).double())
    assert radians.dtype == torch.float64
    assert rotary_frequencies(6).attention_factor == 1


# equals an outside reference


@pytest.mark.parametrize("d_head", [2, 6, 64, 128])
@pytest.mark.parametrize("theta", [100, 10_000, 500_000.0])
def test_equals_transformers(published, d_head, theta):
    radians, factor = published("default", d_head, theta, 512)
    ours = rotary_frequencies(d_head, theta=theta)
    torch.testing.assert_close(ours.radians, radians, rtol=1e-14, atol=0)
    assert ours.attention_factor == factor == 1


# edges


def test_one_pair_turns_by_one_radian():
    assert rotary_frequencies(2).radians.tolist() == [1.0]


# messages

alone = inspect.unwrap(rotary_frequencies)


@pytest.mark.parametrize("width", [5, 0, -2])
def test_a_width_without_pairs(width):
    with pytest.raises(ValueError) as error:
        alone(width)
    assert str(error.value) == f"need an even d_rotary >= 2, got {width}"


@pytest.mark.parametrize("theta", [1, 0.5, -3.0, float("inf"), float("nan")])
def test_a_theta_under_which_no_pair_is_slower(theta):
    with pytest.raises(ValueError) as error:
        alone(4, theta=theta)
    assert str(error.value) == f"need a finite theta > 1, got {theta}"
