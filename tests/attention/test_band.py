import math

import pytest
import torch
from attention_cases import (
    BATCH,
    D_HEAD,
    D_VALUE,
    HEAD,
    assert_all_close,
    assert_close,
    choose,
    dense,
    dense_lse,
    few,
    make,
    normal,
)
from hypothesis import example, given
from hypothesis import strategies as st

from longctx_edu.attention import band as module
from longctx_edu.attention.band import BandAttention
from longctx_edu.attention.blocks import Band
from longctx_edu.attention.dropping import Dropping
from longctx_edu.masks import dense_mask, padding, window

SCALE = 0.3


def forward(attention, q, k, v):
    """Rows that no block writes stay 0, with lse -inf, as the caller began them."""
    out = q.new_zeros(*q.shape[:-1], v.shape[-1])
    lse = q.new_full((*q.shape[:-1], 1), -math.inf)
    attention.forward(q, out, lse, k, v)
    return out, lse


def backward(attention, grad, out, lse, inputs):
    sums = [torch.ones_like(x) for x in inputs]  # what is there is added to
    attention.backward((grad, out, lse), inputs, sums)
    return [x - 1 for x in sums]


def mask_of(band, keep):
    allowed = window(left=band.left, right=band.right)
    if keep is not None:
        allowed = allowed & padding(keep[:, None])
    return dense_mask(allowed, band.n)


# equals the definition


@few
@given(
    n=st.integers(1, 90),
    left=st.integers(0, 9),
    right=st.integers(0, 9),
    size=st.integers(1, 12),
    longest=st.integers(1, 4),
    share=st.sampled_from([None, 0.0, 0.2, 0.95]),
    d_value=st.sampled_from([D_HEAD, D_VALUE]),
    seed=st.integers(0, 2**31),
)
@example(64, 3, 9, 8, 2, None, D_HEAD, 0)  # runs of two, keys of another place
@example(65, 9, 0, 4, 4, 0.95, D_VALUE, 0)  # a last block of one, keys of many
def test_a_band_equals_dense_attention(
    n, left, right, size, longest, share, d_value, seed
):
    inputs = make(n, d_value=d_value, seed=seed)
    keep = choose(share, BATCH, n, seed=seed)
    band = Band(n, min(left, n - 1), min(right, n - 1), size)
    width = size + band.left + band.right
    attention = BandAttention(band, keep, SCALE, None)
    plain = [x.detach() for x in inputs]
    with pytest.MonkeyPatch.context() as patch:  # so many blocks fill a run
        patch.setattr(module, "_CPU_RUN", longest * BATCH * HEAD * width * D_HEAD)
        out, lse = forward(attention, *plain)
        mask = mask_of(band, keep)
        expected = dense(*inputs, mask=mask, scale=SCALE)
        assert_close(out, expected)
        expected_lse, sees = dense_lse(*plain[:2], mask=mask, scale=SCALE)
        assert_close(lse.squeeze(-1), expected_lse)
        grad = normal(*out.shape, seed=9).detach()
        lse = lse.masked_fill(~sees[..., None], math.inf)
        parts = backward(attention, grad, out, lse, plain)
    assert_all_close(parts, torch.autograd.grad(expected, inputs, grad))


# properties


@pytest.mark.parametrize("longest", [1, 2, 100])
def test_the_length_of_runs_does_not_matter(monkeypatch, longest):
    inputs = [x.detach() for x in make(90)]
    attention = BandAttention(Band(90, 4, 3, 8), None, SCALE, None)
    grad = normal(BATCH, HEAD, 90, D_VALUE, seed=9).detach()
    out, lse = forward(attention, *inputs)
    before = (out, lse, *backward(attention, grad, out, lse, inputs))
    monkeypatch.setattr(module, "_CPU_RUN", longest * BATCH * HEAD * 15 * D_HEAD)
    assert max(run.count for run in attention._runs(inputs[1])) == min(longest, 9)
    rows = forward(attention, *inputs)
    after = (*rows, *backward(attention, grad, *rows, inputs))
    assert_all_close(after, before)


def test_dropout_drops_the_same_weights_in_the_backward_pass():
    n, seen = 50, 7
    attention = BandAttention(Band(n, 3, 3, 8), None, SCALE, Dropping(0.4, seed=1))
    q = torch.zeros(1, 1, n, D_HEAD).double()
    v = torch.eye(n).double()[None, None]  # the output shows the weights
    out, lse = forward(attention, q, q, v)
    inner = out[0, 0, 3:-3]
    assert inner.unique().tolist() == pytest.approx([0, 1 / (seen * 0.6)])
    grad = normal(1, 1, n, n, seed=9).detach()
    _, _, of_v = backward(attention, grad, out, lse, (q, q, v))
    assert_close(of_v, out.mT @ grad)


def test_rows_of_lse_infinity_are_left_out():
    inputs = [x.detach() for x in make(40)]
    attention = BandAttention(Band(40, 4, 3, 8), None, SCALE, None)
    out, lse = forward(attention, *inputs)
    grad = normal(*out.shape, seed=9).detach()
    left_out = (torch.arange(40) % 5 == 0)[:, None]
    lse_without, quiet = lse.masked_fill(left_out, math.inf), grad * ~left_out
    parts = backward(attention, grad, out, lse_without, inputs)
    assert_all_close(parts, backward(attention, quiet, out, lse, inputs))


# edges


def test_rows_that_see_nothing_are_written_nowhere_or_as_0():
    inputs = [x.detach() for x in make(64)]
    keep = torch.zeros(BATCH, 64).bool()
    keep[0, 2] = True
    attention = BandAttention(Band(64, 3, 3, 8), keep, SCALE, None)
    out, lse = forward(attention, *inputs)
    assert (out[0, :, :6] == inputs[2][0, :, 2:3]).all()
    assert (out[0, :, 6:] == 0).all()
    assert (out[1] == 0).all()
    assert (lse[0, :, 6:] == -math.inf).all()
    assert (lse[1] == -math.inf).all()
