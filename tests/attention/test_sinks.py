import inspect
import re

import pytest
import torch
from attention_cases import (
    BATCH,
    HEAD,
    assert_close,
    assert_equal_with_gradients,
    choose,
    few,
    make,
    normal,
    spread,
)
from hypothesis import given
from hypothesis import strategies as st

from longctx_edu.attention import dense_attention, online_attention, window_attention
from longctx_edu.attention.sinks import sink_attention

TOKEN = 13


def by_loops(q, q_sinks, k, v, left, sinks, scale):
    """One query at a time: its keys, each met by the form meant for it."""
    k, v = spread(q, k, v)
    rows = []
    for i in range(q.shape[2]):
        near = [j for j in range(max(0, i - left), i + 1) if j >= sinks]
        first = list(range(min(sinks, i + 1)))
        scores = torch.cat(
            [
                (q_sinks[:, :, i : i + 1] * k[:, :, first]).sum(dim=-1),
                (q[:, :, i : i + 1] * k[:, :, near]).sum(dim=-1),
            ],
            dim=-1,
        )
        weights = (scores * scale).softmax(dim=-1)
        rows.append((weights[..., None] * v[:, :, first + near]).sum(dim=2))
    return torch.stack(rows, dim=2)


# equals the definition


@few
@given(
    n=st.integers(1, 20),
    heads=st.sampled_from([(3, 3), (4, 2), (3, 1)]),
    left=st.integers(0, 22),
    sinks=st.integers(0, 22),
    scale=st.sampled_from([None, 0.2]),
    seed=st.integers(0, 2**31),
)
def test_sink_attention_equals_loops(n, heads, left, sinks, scale, seed):
    head, kv_head = heads
    q, k, v = inputs = make(n, head=head, kv_head=kv_head, seed=seed)
    q_sinks = normal(*q.shape, seed=seed + 9)
    options = {"left": left, "sinks": sinks}
    ours = sink_attention(*inputs, **options, q_sinks=q_sinks, scale=scale)
    expected = by_loops(q, q_sinks, k, v, left, sinks, 0.5 if scale is None else scale)
    assert_equal_with_gradients(ours, expected, [q, q_sinks, k, v])


@few
@given(st.integers(1, 20), st.integers(0, 8), st.integers(0, 6), st.integers(0, 2**31))
def test_queries_in_one_form_equal_dense_under_the_mask(n, left, sinks, seed):
    inputs = make(n, seed=seed)
    bias = normal(HEAD, n, n, seed=seed + 7)
    keep = choose(0.7, BATCH, n, seed=seed)
    i, j = torch.arange(n)[:, None], torch.arange(n)
    mask = ((j < sinks) | (i - j <= left)) & (j <= i) & keep[:, None, None]
    assert_equal_with_gradients(
        sink_attention(*inputs, left=left, sinks=sinks, bias=bias, keep=keep),
        dense_attention(*inputs, mask=mask, bias=bias),
        inputs,
    )


# equals the neighbours


@pytest.mark.parametrize("left", [0, 3, 40])
def test_without_sinks_it_is_window_attention(left):
    inputs = make(TOKEN, head=4, kv_head=2)
    ours = sink_attention(*inputs, left=left, sinks=0)
    assert_close(ours, window_attention(*inputs, left=left, right=0))


def test_without_a_window_it_is_causal_attention():
    inputs = make(TOKEN, head=4, kv_head=2)
    ours = sink_attention(*inputs, left=None, sinks=0)
    assert_close(ours, online_attention(*inputs, causal=True))


# properties


def test_a_key_between_sinks_and_window_changes_nothing():
    q, k, v = make(TOKEN)
    other_k, other_v = k.detach().clone(), v.detach().clone()
    other_k[:, :, 2:9], other_v[:, :, 2:9] = 100.0, -100.0
    before = sink_attention(q, k, v, left=3, sinks=2)[:, :, 12]
    after = sink_attention(q, other_k, other_v, left=3, sinks=2)[:, :, 12]
    assert torch.equal(before, after)


def test_the_second_form_speaks_to_the_sinks_alone():
    """A first form that is anything to the sinks: only the near keys may hear it."""
    q, k, v = make(TOKEN)
    k = k.detach()
    k[:, :, :2, 0], k[:, :, 2:, 0] = 5.0, 0.0  # a number that only sinks have
    loud = q.detach().clone()
    loud[..., 0] += 100.0
    options = {"left": 3, "sinks": 2, "q_sinks": q}
    assert_close(
        sink_attention(q, k, v, **options), sink_attention(loud, k, v, **options)
    )


# messages


def test_queries_and_keys_of_different_number():
    q, k, v = make(5, 7)
    with pytest.raises(ValueError, match=re.escape("need as many keys as queries")):
        inspect.unwrap(sink_attention)(q, k, v, left=2, sinks=1)


def test_sinks_without_a_window():
    with pytest.raises(ValueError, match="need left beside sinks, got sinks=4"):
        sink_attention(*make(5), left=None, sinks=4)
