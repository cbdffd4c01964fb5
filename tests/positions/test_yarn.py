import math

import pytest
import torch

from longctx_edu.attention import attention_weights
from longctx_edu.positions import (
    interpolate,
    llama3,
    ntk_aware,
    rotary_frequencies,
    rotate,
    rotation,
    yarn,
    yarn_attention_factor,
)


def ramp_by_loops(d_head, theta, trained, factor, first, last):
    """Pairs up to `first` stay, pairs from `last` on are divided, a line between."""
    radians = []
    for i in range(d_head // 2):
        kept = 1 - min(max((i - first) / (last - first), 0), 1)
        plain = theta ** (-2 * i / d_head)
        radians.append(kept * plain + (1 - kept) * plain / factor)
    return torch.tensor(radians, dtype=torch.float64)


# equals the definition


def test_yarn_equals_loops():
    # Of 64 pairs, number 20 turns 36.7 times in 4,096 tokens, number 21 31.7 times;
    # number 45 turns 1.004 times, number 46 0.87 times.
    expected = ramp_by_loops(128, 10_000, 4096, 16, first=20, last=46)
    ours = yarn(rotary_frequencies(128), factor=16, trained=4096)
    torch.testing.assert_close(ours.radians, expected, rtol=1e-14, atol=0)


# equals an outside reference


@pytest.mark.parametrize("d_head", [4, 16, 64, 128])
@pytest.mark.parametrize("theta", [100, 10_000, 1_000_000])
@pytest.mark.parametrize("factor", [1.0, 2.5, 32.0])
@pytest.mark.parametrize("trained", [64, 512, 8192])
@pytest.mark.parametrize("truncate", [True, False])
def test_equals_transformers(published, d_head, theta, factor, trained, truncate):
    radians, attention_factor = published(
        "yarn", d_head, theta, trained, factor=factor, truncate=truncate
    )
    ours = yarn(
        rotary_frequencies(d_head, theta=theta),
        factor=factor,
        trained=trained,
        truncate=truncate,
    )
    torch.testing.assert_close(ours.radians, radians, rtol=1e-12, atol=0)
    assert ours.attention_factor == pytest.approx(attention_factor, rel=1e-15)


def test_equals_transformers_with_other_numbers(published):
    numbers = {"factor": 8.0, "attention_factor": 1.5}
    radians, attention_factor = published(
        "yarn", 64, 10_000, 2048, beta_fast=16.0, beta_slow=2.0, **numbers
    )
    ours = yarn(rotary_frequencies(64), trained=2048, fast=16, slow=2, **numbers)
    torch.testing.assert_close(ours.radians, radians, rtol=1e-12, atol=0)
    assert ours.attention_factor == attention_factor == 1.5


def test_equals_transformers_where_the_ramp_ends_beyond_the_last_pair(published):
    # theta is so small that even the last pair turns often; the ramp ends at 2 n - 1.
    radians, _ = published("yarn", 8, 10, 4096, factor=4.0)
    ours = yarn(rotary_frequencies(8, theta=10), factor=4, trained=4096)
    torch.testing.assert_close(ours.radians, radians, rtol=1e-12, atol=0)


# properties


def test_fast_pairs_stay_and_slow_ones_are_interpolated():
    plain = rotary_frequencies(64)
    turns = plain.radians * 2048 / (2 * math.pi)
    exact = yarn(plain, factor=8, trained=2048, truncate=False)
    wide = yarn(plain, factor=8, trained=2048)
    for scaled in (exact, wide):
        ratio = plain.radians / scaled.radians
        assert (ratio.diff() > -1e-12).all()
        assert ratio[0] == 1
        assert ratio[-1] == pytest.approx(8)
    ratio = plain.radians / exact.radians
    assert torch.equal(ratio == 1, turns >= 32)
    assert torch.equal(ratio > 8 - 1e-9, turns <= 1)


def test_pairs_that_all_turn_often_all_stay():
    plain = rotary_frequencies(4, theta=10)
    assert torch.equal(yarn(plain, factor=4, trained=100_000).radians, plain.radians)


def test_scores_grow_by_the_square_of_the_attention_factor():
    generator = torch.Generator().manual_seed(0)
    q, k = torch.randn(2, 5, 8, generator=generator, dtype=torch.float64)
    frequencies = yarn(rotary_frequencies(8), factor=16, trained=64)
    places = torch.arange(5)
    with_factor = rotation(places, frequencies, dtype=torch.float64)
    plain = yarn(rotary_frequencies(8), factor=16, trained=64, attention_factor=1)
    without = rotation(places, plain, dtype=torch.float64)
    sharper = rotate(q, with_factor) @ rotate(k, with_factor).mT
    scores = rotate(q, without) @ rotate(k, without).mT
    torch.testing.assert_close(sharper, scores * (0.1 * math.log(16) + 1) ** 2)
    more, less = (
        attention_weights(rotate(q, t), rotate(k, t)) for t in (with_factor, without)
    )
    assert more.square().sum() > less.square().sum()


def test_no_lengthening_changes_nothing():
    plain = rotary_frequencies(64)
    same = yarn(plain, factor=1, trained=512)
    torch.testing.assert_close(same.radians, plain.radians, rtol=1e-15, atol=0)
    assert same.attention_factor == yarn_attention_factor(1) == 1


def test_a_larger_theta_is_seen_in_the_frequencies():
    larger = 10_000 * 4 ** (64 / 62)
    torch.testing.assert_close(
        yarn(
            ntk_aware(rotary_frequencies(64), factor=4), factor=2, trained=512
        ).radians,
        yarn(rotary_frequencies(64, theta=larger), factor=2, trained=512).radians,
        rtol=1e-12,
        atol=0,
    )


# messages


def said(call, *args, **how):
    with pytest.raises(ValueError) as error:
        call(*args, **how)
    return str(error.value)


def test_frequencies_that_were_interpolated_by_parts_before():
    once = llama3(rotary_frequencies(8), factor=4, trained=512)
    text = said(yarn, once, factor=4, trained=512)
    assert text.startswith(
        "need the frequencies of rotary_frequencies, of two pairs or more and not yet "
        "interpolated by parts, got [1.0, 0.1"
    )
    assert "got [1.0] radians a token" in said(
        yarn, rotary_frequencies(2), factor=4, trained=512
    )
    yarn(interpolate(rotary_frequencies(8), factor=2), factor=4, trained=512)


@pytest.mark.parametrize(
    ("wrong", "need"),
    [
        ({"factor": 0.5}, "need a finite factor >= 1, got 0.5"),
        ({"trained": 0}, "need trained that is a whole number >= 1, got 0"),
        (
            {"fast": 1, "slow": 1},
            "need 0 < slow < fast turns in the trained length, got slow=1 and fast=1",
        ),
        (
            {"slow": 0.0},
            "need 0 < slow < fast turns in the trained length, got slow=0.0 and "
            "fast=32.0",
        ),
        (
            {"fast": math.inf},
            "need 0 < slow < fast turns in the trained length, got slow=1.0 and "
            "fast=inf",
        ),
        ({"attention_factor": 0.0}, "need a finite attention_factor > 0, got 0.0"),
    ],
)
def test_numbers_that_have_no_meaning(wrong, need):
    numbers = {"factor": 4, "trained": 512, **wrong}
    assert said(yarn, rotary_frequencies(8), **numbers) == need


def test_an_attention_factor_of_less_than_the_training():
    assert said(yarn_attention_factor, 0.5) == "need a finite factor >= 1, got 0.5"
