import math

import pytest
import torch

from longctx_edu.positions import Frequencies, llama3, rotary_frequencies, yarn

# equals the definition


def test_llama3_equals_loops():
    plain = rotary_frequencies(64, theta=500_000)
    ours = llama3(plain, factor=8, trained=8192).radians
    for got, radians in zip(ours, plain.radians, strict=True):
        turns = 8192 * radians / (2 * math.pi)
        if turns > 4:
            expected = radians
        elif turns < 1:
            expected = radians / 8
        else:
            kept = (turns - 1) / 3
            expected = kept * radians + (1 - kept) * radians / 8
        assert got == pytest.approx(expected.item(), rel=1e-14)


# equals an outside reference


@pytest.mark.parametrize("d_head", [2, 16, 64, 128])
@pytest.mark.parametrize("theta", [100, 10_000, 500_000])
@pytest.mark.parametrize("factor", [1.0, 8.0, 32.0])
@pytest.mark.parametrize("trained", [64, 8192])
@pytest.mark.parametrize(("slow", "fast"), [(1.0, 4.0), (2.0, 16.0)])
def test_equals_transformers(published, d_head, theta, factor, trained, slow, fast):
    radians, attention_factor = published(
        "llama3",
        d_head,
        theta,
        trained,
        factor=factor,
        low_freq_factor=slow,
        high_freq_factor=fast,
    )
    ours = llama3(
        rotary_frequencies(d_head, theta=theta),
        factor=factor,
        trained=trained,
        slow=slow,
        fast=fast,
    )
    torch.testing.assert_close(ours.radians, radians, rtol=1e-12, atol=0)
    assert ours.attention_factor == attention_factor == 1


# properties


def test_the_ramp_of_the_paper_interpolates_more_than_that_of_the_published_code():
    plain = rotary_frequencies(128)
    by_turns = llama3(plain, factor=16, trained=4096, fast=32).radians
    by_pair = yarn(plain, factor=16, trained=4096, truncate=False).radians
    assert (by_turns <= by_pair * (1 + 1e-12)).all()
    assert (by_pair / by_turns).max() > 2


def test_an_attention_factor_stays():
    frequencies = Frequencies(torch.ones(2).double(), attention_factor=1.5)
    assert llama3(frequencies, factor=2, trained=64).attention_factor == 1.5


# messages


@pytest.mark.parametrize(
    ("wrong", "need"),
    [
        ({"factor": 0.5}, "need a finite factor >= 1, got 0.5"),
        ({"trained": -1}, "need trained that is a whole number >= 1, got -1"),
        (
            {"slow": 4},
            "need 0 < slow < fast turns in the trained length, got slow=4 and fast=4.0",
        ),
    ],
)
def test_numbers_that_have_no_meaning(wrong, need):
    numbers = {"factor": 4, "trained": 512, **wrong}
    with pytest.raises(ValueError) as error:
        llama3(rotary_frequencies(8), **numbers)
    assert str(error.value) == need
