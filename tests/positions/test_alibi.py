import inspect

import pytest
import torch
from transformers.models.bloom.modeling_bloom import build_alibi_tensor
from transformers.models.mpt.modeling_mpt import build_mpt_alibi_tensor

from longctx_edu.attention import dense_attention
from longctx_edu.masks import causal, dense_mask
from longctx_edu.positions import alibi_bias, alibi_slopes, distances

HEADS = [1, 2, 3, 5, 8, 12, 16, 20, 40, 71]

# equals the definition


def test_the_published_slopes_of_8_and_12_heads():
    eight = [1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64, 1 / 128, 1 / 256]
    assert alibi_slopes(8).tolist() == eight
    more = [0.7071067811865476, 0.35355339059327384, 0.17677669529663692]
    twelve = [*eight, *more, 0.08838834764831849]
    torch.testing.assert_close(
        alibi_slopes(12, dtype=torch.float64),
        torch.tensor(twelve, dtype=torch.float64),
        rtol=1e-15,
        atol=0,
    )


def test_the_bias_equals_loops():
    slopes = torch.tensor([0.5, 0.1]).double()
    bias = alibi_bias(slopes, distances(3, 5))
    for head in range(2):
        for i in range(3):
            for j in range(5):
                assert bias[head, i, j] == -slopes[head] * abs(2 + i - j)


# equals outside references


@pytest.mark.parametrize("n_heads", HEADS)
def test_slopes_equal_transformers(n_heads):
    ones = torch.ones(1, 2)
    bloom = build_alibi_tensor(ones, n_heads, torch.float32)[:, 0, 1]
    torch.testing.assert_close(alibi_slopes(n_heads), bloom, rtol=1e-5, atol=0)
    mpt = -build_mpt_alibi_tensor(n_heads, 2)[:, 0, 0]
    torch.testing.assert_close(alibi_slopes(n_heads), mpt, rtol=1e-6, atol=0)


@pytest.mark.parametrize("n_heads", [3, 4])
def test_under_a_causal_mask_attention_equals_the_bias_of_bloom(n_heads):
    generator = torch.Generator().manual_seed(0)
    q, k, v = torch.randn(3, n_heads, 6, 4, generator=generator)
    mask = dense_mask(causal(), 6)
    ours = dense_attention(
        q, k, v, mask=mask, bias=alibi_bias(alibi_slopes(n_heads), distances(6))
    )
    bloom = build_alibi_tensor(torch.ones(1, 6), n_heads, torch.float32)
    theirs = dense_attention(q, k, v, mask=mask, bias=bloom)
    torch.testing.assert_close(ours, theirs)


# properties


def test_the_bias_is_symmetric_and_depends_on_the_distance_alone():
    bias = alibi_bias(alibi_slopes(3), distances(7))
    assert torch.equal(bias, bias.mT)
    assert torch.equal(bias[:, 2:, 2:], bias[:, :-2, :-2])
    assert (bias.diagonal(dim1=-2, dim2=-1) == 0).all()


def test_a_longer_text_has_the_same_bias_at_its_end():
    slopes = alibi_slopes(3)
    long = alibi_bias(slopes, distances(2, 1000))
    assert torch.equal(long[..., -9:], alibi_bias(slopes, distances(2, 9)))


def test_slopes_never_grow_within_the_power_of_two():
    for n_heads in HEADS:
        slopes = alibi_slopes(n_heads)
        assert len(slopes) == n_heads
        assert len(slopes.unique()) == n_heads
        assert slopes.min() >= 2**-8
        assert slopes.max() < 1


def test_places_of_each_text():
    apart = torch.stack([distances(4), 2 * distances(4)])
    bias = alibi_bias(alibi_slopes(3), apart)
    assert bias.shape == (2, 3, 4, 4)
    assert torch.equal(bias[1], 2 * bias[0])


def test_half_precision_rounds_the_bias_once():
    apart = distances(1, 2000)
    bias = alibi_bias(alibi_slopes(12, dtype=torch.bfloat16), apart)
    assert bias.dtype == torch.bfloat16
    exact = alibi_bias(alibi_slopes(12, dtype=torch.bfloat16).double(), apart)
    assert torch.equal(bias, exact.bfloat16())
    assert bias[0, 0, -257] == bias[0, 0, -258]


# edges


def test_one_head():
    assert alibi_slopes(1).tolist() == [2**-8]
    assert alibi_bias(alibi_slopes(1), distances(1)).tolist() == [[[0.0]]]


# messages


@pytest.mark.parametrize("n_heads", [0, -1])
def test_no_heads(n_heads):
    with pytest.raises(ValueError) as error:
        inspect.unwrap(alibi_slopes)(n_heads)
    text = f"need n_heads that is a whole number >= 1, got {n_heads}"
    assert str(error.value) == text
