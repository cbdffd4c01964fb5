"""The decoder's attention: every way that it takes is the same attention."""

import pytest
import torch
from attention_cases import choose, dense, few, make, normal
from hypothesis import given
from hypothesis import strategies as st

from longctx_edu.attention import causal_attention, online_attention, window_attention
from longctx_edu.checks.largest import largest_tensor
from longctx_edu.masks import causal, dense_mask, padding, window

# equals the definition


def masked(inputs, *, left, keep):
    """The mask in words: a window to the left, aligned at the end, of real keys."""
    n_query, n_key = inputs[0].shape[2], inputs[1].shape[2]
    mask = dense_mask(causal(n_key - n_query), n_query, n_key)
    if left is not None:
        query = torch.arange(n_key - n_query, n_key)[:, None]
        mask = mask & window(left=left, right=0)(query, torch.arange(n_key))
    if keep is not None:
        mask = mask & dense_mask(padding(keep[:, None]), n_query, n_key)
    return mask


@few
@given(
    n_key=st.integers(1, 12),
    d_value=st.sampled_from([4, 6]),
    fewer=st.integers(0, 11),
    left=st.sampled_from([None, 0, 2, 20]),
    share=st.sampled_from([None, 0.7]),
    biased=st.booleans(),
    kv_head=st.sampled_from([1, 2, 4]),
    scale=st.sampled_from([None, 0.3]),
    seed=st.integers(0, 2**31),
)
def test_equals_dense(n_key, d_value, fewer, left, share, biased, kv_head, scale, seed):
    n_query = n_key - min(fewer, n_key - 1)
    inputs = make(n_query, n_key, head=4, kv_head=kv_head, d_value=d_value, seed=seed)
    keep = choose(share, 2, n_key, seed=seed)
    bias = normal(4, n_query, n_key, seed=seed).detach() if biased else None
    how = {"bias": bias, "scale": scale}
    ours = causal_attention(*inputs, left=left, keep=keep, **how)
    wanted = dense(*inputs, mask=masked(inputs, left=left, keep=keep), **how)
    torch.testing.assert_close(ours, wanted, rtol=0, atol=1e-12)
    weights = torch.linspace(-1, 2, wanted.numel()).double().view_as(wanted)
    for got, expected in zip(
        torch.autograd.grad((ours * weights).sum(), inputs),
        torch.autograd.grad((wanted * weights).sum(), inputs),
        strict=True,
    ):
        torch.testing.assert_close(got, expected, rtol=0, atol=1e-12)


# properties


def test_it_is_the_window_or_the_online_attention_where_these_apply():
    q, k, v = make(9)
    ours, wanted = (
        causal_attention(q, k, v, left=3),
        window_attention(q, k, v, left=3, right=0),
    )
    assert torch.equal(ours, wanted)
    keep = choose(0.7, 2, 9)
    ours = causal_attention(q, k, v, keep=keep)
    assert torch.equal(ours, online_attention(q, k, v, causal=True, keep=keep))


def test_a_later_token_changes_nothing_bit_for_bit():
    q, k, v = (x.detach() for x in make(9))
    for left in (None, 3):
        before = causal_attention(q, k, v, left=left)
        changed = [x.clone() for x in (q, k, v)]
        for x in changed:
            x[:, :, 6:] += 5.0
        after = causal_attention(*changed, left=left)
        assert torch.equal(before[:, :, :6], after[:, :, :6])
        assert not torch.equal(before[:, :, 6:], after[:, :, 6:])


def test_a_long_text_forms_no_square():
    for d_value in (4, 6):
        inputs = make(2048, batch=1, head=2, kv_head=1, d_value=d_value)
        inputs = [x.detach().float() for x in inputs]
        for left in (None, 16):
            largest = largest_tensor(causal_attention, *inputs, left=left)
            assert largest <= 2 * 1024 * 1024  # a tile


# messages


def test_more_queries_than_keys_are_refused():
    with pytest.raises(ValueError, match="as many keys as queries, got 3 and 5"):
        causal_attention(*make(5, 3))


def test_a_window_without_meaning_is_refused():
    with pytest.raises(ValueError, match="left and right that are whole numbers"):
        causal_attention(*make(5), left=-1)
