import math

import pytest
import torch
from attention_cases import (
    BATCH,
    D_HEAD,
    assert_all_close,
    assert_close,
    choose,
    dense,
    few,
    make,
    normal,
)
from hypothesis import given
from hypothesis import strategies as st

from longctx_edu.attention import global_columns as module
from longctx_edu.attention.dropping import Dropping
from longctx_edu.attention.global_columns import Columns
from longctx_edu.attention.global_rows import find_globals
from longctx_edu.masks import causal, dense_mask, window

TOKEN, SCALE, HEAD, KV_HEAD = 11, 0.3, 4, 2


def in_groups(q, k, v):
    """One axis for the heads of keys, one for the queries that share them."""
    return q.unflatten(1, (KV_HEAD, -1)), k.unsqueeze(2), v.unsqueeze(2)


def begin(q, k, v, mask):
    """The rows of the window alone, by the book: scores, then what they gather."""
    scores = (q @ k.mT * SCALE).masked_fill(~mask, -math.inf)
    lse = scores.logsumexp(dim=-1, keepdim=True)
    weights = (scores - lse.masked_fill(lse == -math.inf, 0.0)).exp()
    return weights @ v, lse


def make_columns(flags, *, side, look_ahead=True, dropping=None):
    outside = ~window(left=side, right=side)
    if not look_ahead:
        outside = outside & causal()
    return Columns(find_globals(flags), outside, SCALE, dropping)


# equals the definition


@few
@given(
    share=st.sampled_from([0.1, 0.4, 1.0]),
    side=st.sampled_from([0, 1, 4, None]),
    window_sees=st.booleans(),
    look_ahead=st.booleans(),
    step=st.sampled_from([1, 3, TOKEN, 100]),
    seed=st.integers(0, 2**31),
)
def test_columns_merged_into_a_window_equal_dense_attention(
    share, side, window_sees, look_ahead, step, seed
):
    inputs = make(TOKEN, head=HEAD, kv_head=KV_HEAD, seed=seed)
    flags = choose(share, BATCH, TOKEN, seed=seed)
    flags[0, seed % TOKEN] = True
    near = dense_mask(window(left=side, right=side), TOKEN) & window_sees
    far = ~dense_mask(window(left=side, right=side), TOKEN)
    if not look_ahead:
        near, far = (x & dense_mask(causal(), TOKEN) for x in (near, far))
    far = far & flags[:, None, None, :]
    columns = make_columns(flags, side=side, look_ahead=look_ahead)
    q, k, v = in_groups(*(x.detach() for x in inputs))
    count = columns.found.places.shape[1]
    with pytest.MonkeyPatch.context() as patch:  # so many queries at once
        patch.setattr(module, "_STRETCH", step * (D_HEAD + count))
        out, lse = begin(q, k, v, near)
        columns.add(q, k, v, out, lse)
        expected = dense(*inputs, mask=near | far, scale=SCALE)
        assert_close(out.flatten(1, 2), expected)

        # the far keys' share of the gradients: that of all less that of the near
        grad = normal(*expected.shape, seed=9).detach()
        rows = (
            grad.unflatten(1, (KV_HEAD, -1)), out,
            lse.masked_fill(lse == -math.inf, math.inf),
        )  # fmt: skip
        sums = [torch.ones_like(x) for x in (q, k, v)]  # what is there is added to
        columns.backward(rows, (q, k, v), sums)
    q, k, v = in_groups(*inputs)
    scores = (q @ k.mT * SCALE).masked_fill(~far[:, :, None], -math.inf)
    weights = (scores - rows[2]).exp()
    means = (rows[0] * out).sum(dim=-1, keepdim=True)
    of_scores = (weights * (rows[0] @ v.mT - means)).detach()
    total = (scores.masked_fill(~far[:, :, None], 0.0) * of_scores).sum()
    total = total + (weights.detach() @ v * rows[0]).sum()
    parts = torch.autograd.grad(total, inputs)
    assert_all_close((x.flatten(1, 2) - 1 for x in sums), parts)


# properties


def test_a_global_key_within_the_window_is_not_counted_here():
    q, k, v = in_groups(*(x.detach() for x in make(TOKEN, head=HEAD, kv_head=KV_HEAD)))
    flags = (torch.arange(TOKEN) == 5).expand(BATCH, TOKEN)
    out, lse = begin(q, k, v, dense_mask(window(left=2, right=2), TOKEN))
    before = out.clone()
    make_columns(flags, side=2).add(q, k, v, out, lse)
    changed = (out != before).any(dim=(0, 1, 2, 4))
    assert changed.tolist() == [abs(place - 5) > 2 for place in range(TOKEN)]


def test_texts_may_have_global_tokens_of_different_number():
    q, k, v = in_groups(*(x.detach() for x in make(TOKEN, head=HEAD, kv_head=KV_HEAD)))
    flags = torch.zeros(BATCH, TOKEN).bool()
    flags[0, [2, 9]] = True
    out, lse = begin(q, k, v, dense_mask(window(left=1, right=1), TOKEN))
    before = out.clone(), lse.clone()
    make_columns(flags, side=1).add(q, k, v, out, lse)
    assert torch.equal(out[1], before[0][1])
    assert torch.equal(lse[1], before[1][1])
    sums = [torch.zeros_like(x) for x in (q, k, v)]
    rows = torch.ones_like(out), out, lse
    make_columns(flags, side=1).backward(rows, (q, k, v), sums)
    assert all((x[1] == 0).all() for x in sums)
    moved = (sums[1] != 0).any(dim=(1, 2, 4))[0].nonzero().flatten().tolist()
    assert moved == [2, 9]


def test_dropout_drops_the_same_weights_in_the_backward_pass(monkeypatch):
    monkeypatch.setattr(module, "_STRETCH", 50)  # a few queries at once
    q = torch.zeros(1, 1, 1, TOKEN, D_HEAD).double()
    v = torch.eye(TOKEN).double()[None, None, None]  # the output shows the weights
    flags = torch.ones(1, TOKEN).bool()
    out, lse = begin(q, q, v, torch.zeros(TOKEN, TOKEN).bool())
    columns = make_columns(flags, side=0, dropping=Dropping(0.4, seed=1))
    columns.add(q, q, v, out, lse)
    weight = 1 / ((TOKEN - 1) * 0.6)
    assert out.unique().tolist() == pytest.approx([0, weight])
    left = out[0, 0, 0] > 0
    assert 0.4 < left.sum() / (TOKEN * (TOKEN - 1)) < 0.8
    assert (left[:-3] != left[3:]).double().mean() > 0.3  # stretches of three queries
    grad = normal(*out.shape, seed=9).detach()
    sums = [torch.zeros_like(x) for x in (q, q, v)]
    columns.backward((grad, out, lse), (q, q, v), sums)
    assert_close(sums[2], out.mT @ grad)


# edges


def test_a_row_that_sees_nothing_anywhere_stays_0():
    q, k, v = in_groups(*(x.detach() for x in make(TOKEN, head=HEAD, kv_head=KV_HEAD)))
    flags = (torch.arange(TOKEN) == 5).expand(BATCH, TOKEN)
    out, lse = begin(q, k, v, torch.zeros(TOKEN, TOKEN).bool())
    make_columns(flags, side=0, look_ahead=False).add(q, k, v, out, lse)
    assert (out[:, :, :, :6] == 0).all()  # before the global token, and itself
    assert (lse[:, :, :, :6] == -math.inf).all()
    assert torch.equal(out[:, :, :, 6:], v[:, :, :, 5:6].expand_as(out[:, :, :, 6:]))
