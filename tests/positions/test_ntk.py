import pytest
import torch

from longctx_edu.positions import (
    Frequencies,
    dynamic_ntk,
    ntk_aware,
    rotary_frequencies,
)

# equals the definition


@pytest.mark.parametrize("d_head", [4, 6, 64, 128])
@pytest.mark.parametrize("theta", [100, 10_000, 500_000])
@pytest.mark.parametrize("factor", [1, 2.5, 32])
def test_it_is_a_larger_theta(d_head, theta, factor):
    larger = theta * factor ** (d_head / (d_head - 2))
    torch.testing.assert_close(
        ntk_aware(rotary_frequencies(d_head, theta=theta), factor=factor).radians,
        rotary_frequencies(d_head, theta=larger).radians,
        rtol=1e-13,
        atol=0,
    )


# equals an outside reference


@pytest.mark.parametrize("d_head", [4, 16, 64, 128])
@pytest.mark.parametrize("theta", [100, 10_000, 500_000])
@pytest.mark.parametrize("factor", [1.0, 2.0, 8.0])
@pytest.mark.parametrize("n_tokens", [100, 512, 513, 5000])
def test_dynamic_equals_transformers(published, d_head, theta, factor, n_tokens):
    radians, _ = published(
        "dynamic", d_head, theta, 512, n_tokens=n_tokens, factor=factor
    )
    ours = dynamic_ntk(
        rotary_frequencies(d_head, theta=theta),
        factor=factor,
        trained=512,
        n_tokens=n_tokens,
    )
    torch.testing.assert_close(ours.radians, radians, rtol=1e-13, atol=0)
    assert ours.attention_factor == 1


# properties


def test_the_first_pair_stays_and_the_last_is_slowed_by_the_whole_factor():
    before = rotary_frequencies(64).radians
    after = ntk_aware(rotary_frequencies(64), factor=4).radians
    assert after[0] == before[0]
    torch.testing.assert_close(after[-1], before[-1] / 4)
    assert ((before / after).diff() > 0).all()


def test_a_text_of_the_training_changes_nothing():
    frequencies = rotary_frequencies(8)
    for n_tokens in (1, 64):
        same = dynamic_ntk(frequencies, factor=8, trained=64, n_tokens=n_tokens)
        assert torch.equal(same.radians, frequencies.radians)


def test_a_factor_of_one_is_the_share_of_the_lengths():
    frequencies = rotary_frequencies(8)
    grown = dynamic_ntk(frequencies, factor=1, trained=64, n_tokens=192)
    assert torch.equal(grown.radians, ntk_aware(frequencies, factor=3).radians)


def test_an_attention_factor_stays():
    frequencies = Frequencies(torch.ones(2).double(), attention_factor=1.5)
    assert ntk_aware(frequencies, factor=2).attention_factor == 1.5


# messages


def said(call, *args, **how):
    with pytest.raises(ValueError) as error:
        call(*args, **how)
    return str(error.value)


def test_one_pair_cannot_be_both_first_and_last():
    assert said(ntk_aware, rotary_frequencies(2), factor=2) == (
        "need d_rotary >= 4, two pairs or more, got 2"
    )


def test_numbers_that_have_no_meaning():
    frequencies = rotary_frequencies(4)
    assert said(ntk_aware, frequencies, factor=0.5) == (
        "need a finite factor >= 1, got 0.5"
    )
    assert said(dynamic_ntk, frequencies, factor=0.5, trained=4, n_tokens=8) == (
        "need a finite factor >= 1, got 0.5"
    )
    assert said(dynamic_ntk, frequencies, factor=2, trained=0, n_tokens=8) == (
        "need trained that is a whole number >= 1, got 0"
    )
    assert said(dynamic_ntk, frequencies, factor=2, trained=4, n_tokens=0) == (
        "need n_tokens that is a whole number >= 1, got 0"
    )
