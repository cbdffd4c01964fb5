import inspect

import pytest
import torch
from transformers import T5Config
from transformers.models.t5.modeling_t5 import T5Attention

from longctx_edu.attention import dense_attention
from longctx_edu.positions import bucketed_bias, distance_buckets, distances

SIZES = [(32, 128), (8, 20), (16, 64), (64, 1000), (4, 9)]

# equals the definition


def test_near_distances_have_a_bucket_each_and_far_ones_share():
    far = torch.arange(20)[None]
    assert distance_buckets(
        far, n_buckets=8, max_distance=16, causal=True
    ).tolist() == [
        # each of its own, then 4-5, 6-7, 8-11, and the rest
        [0, 1, 2, 3, 4, 4, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7, 7, 7, 7, 7]
    ]


def test_the_bias_is_the_number_of_the_bucket_and_head():
    table = torch.arange(8.0).reshape(4, 2)
    bias = bucketed_bias(table, torch.tensor([[0, 3, 1]]))
    assert bias.tolist() == [[[0, 6, 2]], [[1, 7, 3]]]


# equals an outside reference


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(("n_buckets", "max_distance"), SIZES)
def test_equals_transformers(n_buckets, max_distance, causal):
    apart = torch.arange(-3000, 3001)[None]
    theirs = T5Attention._relative_position_bucket(
        -apart, not causal, n_buckets, max_distance
    )
    ours = distance_buckets(
        apart, n_buckets=n_buckets, max_distance=max_distance, causal=causal
    )
    assert torch.equal(ours, theirs)


@pytest.mark.parametrize("decoder", [False, True])
def test_the_bias_equals_transformers(decoder):
    config = T5Config(d_model=8, d_kv=4, num_heads=2, is_decoder=decoder)
    layer = T5Attention(config, has_relative_attention_bias=True, layer_idx=0)
    theirs = layer.compute_bias(40, 40)[0]
    buckets = distance_buckets(distances(40), causal=decoder)
    ours = bucketed_bias(layer.relative_attention_bias.weight, buckets)
    assert torch.equal(ours, theirs)


# properties


def test_all_buckets_are_used_and_grow_with_the_distance():
    apart = torch.arange(-200, 201)[None]
    both = distance_buckets(apart)
    assert both.unique().tolist() == [*range(16), *range(17, 32)]
    assert (both[0, 200:].diff() >= 0).all()
    past = distance_buckets(apart, causal=True)
    assert past.unique().tolist() == [*range(32)]
    assert (past[0, :200] == 0).all()


def test_each_text_may_have_distances_of_its_own():
    table = torch.randn(32, 3, requires_grad=True)
    apart = torch.stack([distances(4, 6), distances(4, 6) + 2])
    bias = bucketed_bias(table, distance_buckets(apart))
    assert bias.shape == (2, 3, 4, 6)
    q, k, v = torch.zeros(2, 3, 4, 5), torch.zeros(2, 3, 6, 5), torch.zeros(2, 3, 6, 5)
    dense_attention(q, k, v, bias=bias, scale=1.0).sum().backward()
    assert table.grad is not None


# messages


def said(call, *args, **how):
    with pytest.raises(ValueError) as error:
        inspect.unwrap(call)(*args, **how)
    return str(error.value)


@pytest.mark.parametrize("count", [0, 6, 3, -4])
def test_buckets_that_do_not_divide(count):
    text = f"need n_buckets that is a multiple of 4, got {count}"
    assert said(distance_buckets, distances(3), n_buckets=count) == text


def test_buckets_of_one_direction():
    assert distance_buckets(distances(3), n_buckets=6, causal=True).max() == 2
    assert said(distance_buckets, distances(3), n_buckets=7, causal=True) == (
        "need n_buckets that is a multiple of 2, got 7"
    )


def test_a_longest_distance_that_comes_too_early():
    assert said(distance_buckets, distances(3), max_distance=8) == (
        "need a max_distance above the 8 distances with a bucket of their own, got 8"
    )
    assert said(distance_buckets, distances(3), max_distance=0) == (
        "need max_distance that is a whole number >= 1, got 0"
    )


@pytest.mark.parametrize(("bucket", "got"), [(4, "0 to 4"), (-1, "-1 to 0")])
def test_a_bucket_without_a_row(bucket, got):
    text = f"need buckets from 0 to 3, one for each row of the table, got {got}"
    assert said(bucketed_bias, torch.zeros(4, 1), torch.tensor([[0, bucket]])) == text
