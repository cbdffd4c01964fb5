import math

import pytest
import torch
from attention_cases import (
    BATCH,
    D_HEAD,
    D_VALUE,
    assert_all_close,
    assert_close,
    choose,
    dense,
    dense_lse,
    few,
    make,
    normal,
)
from hypothesis import given
from hypothesis import strategies as st

from longctx_edu.attention import global_attention as module
from longctx_edu.attention.dropping import Dropping
from longctx_edu.attention.global_attention import Rows
from longctx_edu.attention.global_rows import find_globals
from longctx_edu.masks import causal, dense_mask, padding

TOKEN, SCALE, HEAD, KV_HEAD = 11, 0.3, 4, 2
UNTOUCHED = 7.0


def in_groups(q, k, v):
    return q.unflatten(1, (KV_HEAD, -1)), k.unsqueeze(2), v.unsqueeze(2)


def replace(rows, q, k, v):
    """Replace the global tokens' rows in an output full of one number."""
    out = q.new_full((*q.shape[:-1], v.shape[-1]), UNTOUCHED)
    lse = q.new_full((*q.shape[:-1], 1), UNTOUCHED)
    rows.replace(q, k, v, out, lse)
    return out, lse


# equals the definition


@few
@given(
    share=st.sampled_from([0.1, 0.4, 1.0]),
    keep_share=st.sampled_from([None, 0.0, 0.6]),
    look_ahead=st.booleans(),
    block=st.sampled_from([1, 3, 128]),
    width=st.sampled_from([1, 4, 100]),
    seed=st.integers(0, 2**31),
)
def test_global_rows_equal_rows_of_dense_attention(
    share, keep_share, look_ahead, block, width, seed
):
    inputs = make(TOKEN, head=HEAD, kv_head=KV_HEAD, seed=seed)
    flags = choose(share, BATCH, TOKEN, seed=seed)
    flags[0, seed % TOKEN] = True
    keep = choose(keep_share, BATCH, TOKEN, seed=seed + 1)
    mask = torch.ones(TOKEN, TOKEN).bool()
    if not look_ahead:
        mask = dense_mask(causal(), TOKEN)
    if keep is not None:
        mask = mask & dense_mask(padding(keep[:, None]), TOKEN)
    expected = dense(*inputs, mask=mask, scale=SCALE)
    expected_lse, _ = dense_lse(*inputs[:2], mask=mask, scale=SCALE)
    rows = Rows(find_globals(flags), keep, not look_ahead, SCALE, None)
    q, k, v = in_groups(*(x.detach() for x in inputs))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_ROWS", block)
        patch.setattr(module, "_TILE", width * BATCH * KV_HEAD * block)
        out, lse = replace(rows, q, k, v)
        chosen = flags[:, None, :, None]
        whole = torch.where(chosen, expected, UNTOUCHED)
        assert_close(out.flatten(1, 2), whole)
        whole_lse = torch.where(chosen, expected_lse[..., None], UNTOUCHED)
        assert_close(lse.flatten(1, 2), whole_lse)
        grad = normal(*expected.shape, seed=9).detach()
        sums = [torch.ones_like(x) for x in (q, k, v)]  # what is there is added to
        rows.backward((grad.unflatten(1, (KV_HEAD, -1)), out, lse), (q, k, v), sums)
    parts = torch.autograd.grad(expected, inputs, grad * chosen)
    assert_all_close((x.flatten(1, 2) - 1 for x in sums), parts)


# properties


def test_tiles_hold_no_more_scores_than_they_may(monkeypatch):
    monkeypatch.setattr(module, "_ROWS", 2)
    monkeypatch.setattr(module, "_TILE", 2 * BATCH * KV_HEAD * 3)
    flags = torch.arange(TOKEN).expand(BATCH, TOKEN) < 3
    rows = Rows(find_globals(flags), None, False, SCALE, None)
    q, k, _ = in_groups(*make(TOKEN, head=HEAD, kv_head=KV_HEAD))
    options = rows._options(q, k)
    columns = [some for some, _, _ in options["tiles"](slice(0, 2))]
    assert [some.stop - some.start for some in columns] == [3, 3, 3, 2]
    assert options["block"] == 2


def test_dropout_drops_the_same_weights_in_the_backward_pass(monkeypatch):
    monkeypatch.setattr(module, "_ROWS", 3)
    monkeypatch.setattr(module, "_TILE", 12)
    q = torch.zeros(1, 1, 1, TOKEN, D_HEAD).double()
    v = torch.eye(TOKEN).double()[None, None, None]  # the output shows the weights
    found = find_globals(torch.ones(1, TOKEN).bool())
    rows = Rows(found, None, False, SCALE, Dropping(0.4, seed=1))
    out, lse = replace(rows, q, q, v)
    weight = 1 / (TOKEN * 0.6)
    assert out.unique().tolist() == pytest.approx([0, weight])
    left = out[0, 0, 0] > 0
    assert 0.4 < left.double().mean() < 0.8
    assert (left[:-3] != left[3:]).double().mean() > 0.3  # tiles of three queries
    assert (left[:, :-4] != left[:, 4:]).double().mean() > 0.3  # and of four keys
    grad = normal(*out.shape, seed=9).detach()
    sums = [torch.zeros_like(x) for x in (q, q, v)]
    rows.backward((grad, out, lse), (q, q, v), sums)
    assert_close(sums[2], out.mT @ grad)


# edges


def test_a_text_without_a_global_token_is_left_alone():
    q, k, v = in_groups(*(x.detach() for x in make(TOKEN, head=HEAD, kv_head=KV_HEAD)))
    flags = torch.zeros(BATCH, TOKEN).bool()
    flags[0, [0, 4, 9]] = True
    rows = Rows(find_globals(flags), None, False, SCALE, None)
    out, lse = replace(rows, q, k, v)
    assert (out[1] == UNTOUCHED).all()
    sums = [torch.zeros_like(x) for x in (q, k, v)]
    rows.backward((torch.ones_like(out), out, lse), (q, k, v), sums)
    assert all((x[1] == 0).all() for x in sums)
    assert out.shape[-1] == D_VALUE


def test_a_row_that_sees_nothing_is_0_without_a_gradient():
    q, k, v = in_groups(*(x.detach() for x in make(TOKEN, head=HEAD, kv_head=KV_HEAD)))
    flags = torch.arange(TOKEN).expand(BATCH, TOKEN) < 2
    keep = torch.arange(TOKEN).expand(BATCH, TOKEN) > 0
    rows = Rows(find_globals(flags), keep, True, SCALE, None)
    out, lse = replace(rows, q, k, v)
    assert (out[:, :, :, 0] == 0).all()
    assert (lse[:, :, :, 0] == -math.inf).all()
    assert torch.equal(out[:, :, :, 1], v[:, :, :, 1].expand_as(out[:, :, :, 1]))
    sums = [torch.zeros_like(x) for x in (q, k, v)]
    rows.backward((torch.ones_like(out), out, lse), (q, k, v), sums)
    assert all(x.isfinite().all() for x in sums)
    assert (sums[0][:, :, :, 0] == 0).all()
