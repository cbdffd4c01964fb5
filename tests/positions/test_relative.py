import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.models.xlnet.modeling_xlnet import XLNetRelativeAttention

from longctx_edu.attention import dense_attention
from longctx_edu.masks import causal, dense_mask
from longctx_edu.positions import (
    distance_columns,
    distances,
    relative_bias,
    relative_shift,
    sinusoidal,
)

few = settings(max_examples=60, deadline=None, derandomize=True)
BATCH, HEAD, D_HEAD = 2, 3, 4


def normal(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def shift_by_loops(by_distance, n_key):
    n_query, n_columns = by_distance.shape[-2:]
    out = by_distance.new_zeros(*by_distance.shape[:-1], n_key)
    for i in range(n_query):
        for j in range(n_key):
            distance = (n_key - n_query + i) - j
            column = n_key - 1 - distance
            if column < n_columns:
                out[..., i, j] = by_distance[..., i, column]
    return out


def transformer_xl_by_loops(q, k, v, r, u, w, scale):
    """Section 3.3 of the paper, one query and one key at a time; past keys alone."""
    n_query, n_key = q.shape[-2], k.shape[-2]
    rows = []
    for i in range(n_query):
        place = n_key - n_query + i
        scores = torch.stack(
            [
                ((q[i] * k[j]) + (q[i] * r[place - j]) + u * k[j] + w * r[place - j])
                .sum()
                .mul(scale)
                for j in range(place + 1)
            ]
        )
        rows.append(scores.softmax(0) @ v[: place + 1])
    return torch.stack(rows)


# equals the definition


@few
@given(st.integers(1, 6), st.integers(1, 6), st.booleans())
def test_the_shift_equals_a_loop(n_query, n_key, past_alone):
    columns = len(distance_columns(n_query, n_key, causal=past_alone))
    x = normal(BATCH, HEAD, n_query, columns).requires_grad_()
    ours, loops = relative_shift(x, n_key), shift_by_loops(x, n_key)
    assert torch.equal(ours, loops)
    weight = normal(*ours.shape, seed=1)
    got, expected = (
        torch.autograd.grad((out * weight).sum(), x)[0] for out in (ours, loops)
    )
    assert torch.equal(got, expected)


@pytest.mark.parametrize(("n_query", "n_key"), [(5, 5), (3, 7), (1, 4)])
def test_attention_equals_that_of_transformer_xl(n_query, n_key):
    q, k, v = normal(n_query, D_HEAD), normal(n_key, D_HEAD), normal(n_key, 6)
    u, w = normal(D_HEAD, seed=1), normal(D_HEAD, seed=2)
    columns = distance_columns(n_query, n_key, causal=True)
    r = sinusoidal(columns, 8, dtype=torch.float64) @ normal(8, D_HEAD, seed=3)
    inputs = [x.requires_grad_() for x in (q, k, v, u, w)]
    mask = dense_mask(causal(n_key - n_query), n_query, n_key)
    ours = dense_attention(q + u, k, v, mask=mask, bias=relative_bias(q + w, r, n_key))
    by_distance = r.flip(0)  # row d for distance d
    loops = transformer_xl_by_loops(q, k, v, by_distance, u, w, 1 / math.sqrt(D_HEAD))
    torch.testing.assert_close(ours, loops, rtol=0, atol=1e-12)
    weight = normal(*ours.shape, seed=4)
    for got, expected in zip(
        *(torch.autograd.grad((out * weight).sum(), inputs) for out in (ours, loops)),
        strict=True,
    ):
        torch.testing.assert_close(got, expected, rtol=0, atol=1e-12)


# equals an outside reference


@pytest.mark.parametrize(("n_query", "n_key"), [(5, 5), (3, 7)])
def test_the_shift_equals_that_of_xlnet(n_query, n_key):
    # XLNet has one column more: the distance n_key comes first.
    x = normal(BATCH, HEAD, n_query, n_key + n_query)
    theirs = XLNetRelativeAttention.rel_shift_bnij(x, klen=n_key + 0)
    # It puts query 0 at place n_key - n_query as well.
    assert torch.equal(relative_shift(x[..., 1:], n_key), theirs)


# properties


@few
@given(st.integers(1, 6), st.integers(1, 6))
def test_shifted_columns_are_the_distances(n_query, n_key):
    columns = distance_columns(n_query, n_key).double().expand(n_query, -1)
    assert torch.equal(
        relative_shift(columns, n_key), distances(n_query, n_key).double()
    )


def test_the_past_is_the_same_with_and_without_columns_for_the_future():
    x = normal(HEAD, 3, 7 + 3 - 1)
    both, past = relative_shift(x, 7), relative_shift(x[..., :7], 7)
    seen = distances(3, 7) >= 0
    assert torch.equal(past[..., seen], both[..., seen])
    assert (past[..., ~seen] == 0).all()


def test_the_bias_of_a_pair_of_places_does_not_depend_on_the_text_before():
    q = normal(HEAD, 2, D_HEAD)
    r = sinusoidal(distance_columns(2, 9), D_HEAD, dtype=torch.float64)
    short = sinusoidal(distance_columns(2, 5), D_HEAD, dtype=torch.float64)
    torch.testing.assert_close(
        relative_bias(q, r, 9)[..., 4:], relative_bias(q, short, 5), rtol=0, atol=1e-12
    )


def test_the_scale_is_that_of_the_attention_unless_it_is_given():
    q, r = normal(2, 3, D_HEAD), normal(5, D_HEAD, seed=1)
    plain = relative_bias(q, r, 3, scale=1.0)
    torch.testing.assert_close(relative_bias(q, r, 3), plain / 2)


# messages


@pytest.mark.parametrize("columns", [2, 6, 8])
def test_columns_that_are_no_distances(columns):
    with pytest.raises(ValueError) as error:
        relative_shift(torch.zeros(3, columns), 5)
    assert str(error.value) == (
        "need a column for each of the 5 distances from n_key - 1 to 0, or of the 7 to "
        f"1 - n_query, got {columns} columns of 3 queries"
    )


@pytest.mark.parametrize(("n_query", "n_key"), [(0, 3), (3, 0), (-1, 2)])
def test_no_queries_or_keys(n_query, n_key):
    text = f"need n_query and n_key >= 1, got n_query={n_query} and n_key={n_key}"
    with pytest.raises(ValueError) as error:
        distance_columns(n_query, n_key)
    assert str(error.value) == text
