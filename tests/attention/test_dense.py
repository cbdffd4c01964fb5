import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from longctx_edu.attention import attention_weights, dense_attention
from longctx_edu.masks import causal, dense_mask, padding, window
from longctx_edu.shapes import merge_heads, split_heads

few = settings(max_examples=40, deadline=None, derandomize=True)
BATCH, HEAD, QUERY, KEY, D_HEAD, D_VALUE = 2, 3, 5, 7, 4, 6


@pytest.fixture
def qkv():
    generator = torch.Generator().manual_seed(0)

    def normal(*shape):
        x = torch.randn(*shape, generator=generator, dtype=torch.float64)
        return x.requires_grad_()

    return (
        normal(BATCH, HEAD, QUERY, D_HEAD),
        normal(BATCH, HEAD, KEY, D_HEAD),
        normal(BATCH, HEAD, KEY, D_VALUE),
    )


def attention_by_loops(q, k, v, mask, bias, scale):
    """One text and one head, one query and one key at a time."""
    rows = []
    for i in range(len(q)):
        seen = [j for j in range(len(k)) if mask[i, j]]
        exps = [((q[i] * k[j]).sum() * scale + bias[i, j]).exp() for j in seen]
        row = v.new_zeros(v.shape[1])
        for part, j in zip(exps, seen, strict=True):
            row = row + part / sum(exps) * v[j]
        rows.append(row)
    return torch.stack(rows) if rows else v.new_zeros(0, v.shape[1])


def gradients(out, inputs):
    factor = torch.linspace(-1, 2, out.numel(), dtype=out.dtype).reshape(out.shape)
    return torch.autograd.grad((out * factor).sum(), inputs, materialize_grads=True)


# equals the definition


@few
@given(st.integers(0, 5), st.integers(0, 6), st.integers(0, 2**31), st.booleans())
def test_dense_equals_loops(n_query, n_key, seed, scaled):
    generator = torch.Generator().manual_seed(seed)
    q, k, v, bias = (
        torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_()
        for shape in ((n_query, 4), (n_key, 4), (n_key, 3), (n_query, n_key))
    )
    mask = torch.rand(n_query, n_key, generator=generator) < 0.6
    scale = 0.3 if scaled else None
    ours = dense_attention(q, k, v, mask=mask, bias=bias, scale=scale)
    loops = attention_by_loops(q, k, v, mask, bias, 0.3 if scaled else 0.5)
    torch.testing.assert_close(ours, loops, rtol=0, atol=1e-12)
    if not mask.any():
        return
    for got, expected in zip(
        gradients(ours, (q, k, v, bias)),
        gradients(loops, (q, k, v, bias)),
        strict=True,
    ):
        torch.testing.assert_close(got, expected, rtol=0, atol=1e-12)


# equals outside references


@pytest.mark.parametrize("scale", [None, 0.3])
@pytest.mark.parametrize("masked", [False, True])
def test_dense_equals_torch_sdpa(qkv, masked, scale):
    mask = dense_mask(window(left=2, right=3), QUERY, KEY) if masked else None
    ours = dense_attention(*qkv, mask=mask, scale=scale)
    torchs = F.scaled_dot_product_attention(*qkv, attn_mask=mask, scale=scale)
    torch.testing.assert_close(ours, torchs)
    for got, expected in zip(gradients(ours, qkv), gradients(torchs, qkv), strict=True):
        torch.testing.assert_close(got, expected)


def test_bias_equals_a_float_mask_of_torch_sdpa(qkv):
    bias = torch.linspace(-3, 3, HEAD * QUERY * KEY).double()
    bias = bias.reshape(1, HEAD, QUERY, KEY).expand(BATCH, -1, -1, -1)
    ours = dense_attention(*qkv, bias=bias)
    torchs = F.scaled_dot_product_attention(*qkv, attn_mask=bias)
    torch.testing.assert_close(ours, torchs)


def test_causal_equals_torch_sdpa(qkv):
    ours = dense_attention(*qkv, mask=dense_mask(causal(), QUERY, KEY))
    torchs = F.scaled_dot_product_attention(*qkv, is_causal=True)
    torch.testing.assert_close(ours, torchs)


def test_weights_equal_those_of_torch_multihead_attention():
    layer = nn.MultiheadAttention(HEAD * D_HEAD, HEAD, batch_first=True).double()
    x = torch.randn(BATCH, QUERY, HEAD * D_HEAD, dtype=torch.float64)
    keep = torch.tensor([[1, 1, 1, 1, 0], [1, 1, 1, 0, 0]]).bool()
    out, weights = layer(x, x, x, key_padding_mask=~keep, average_attn_weights=False)
    q, k, v = (split_heads(x @ w.T, HEAD) for w in layer.in_proj_weight.chunk(3))
    mask = dense_mask(padding(keep[:, None]), QUERY)
    torch.testing.assert_close(attention_weights(q, k, mask=mask), weights)
    ours = layer.out_proj(merge_heads(dense_attention(q, k, v, mask=mask)))
    torch.testing.assert_close(ours, out)


# properties


def test_weights_sum_to_one_and_forbidden_keys_get_exactly_none(qkv):
    mask = dense_mask(window(left=1, right=1), QUERY, KEY)
    weights = attention_weights(*qkv[:2], mask=mask)
    torch.testing.assert_close(weights.sum(-1), torch.ones_like(weights[..., 0]))
    assert (weights[..., ~mask] == 0).all()
    assert (weights[..., mask] > 0).all()


def test_a_forbidden_key_changes_nothing_bit_for_bit(qkv):
    q, k, v = (x.detach().clone() for x in qkv)
    mask = torch.ones(QUERY, KEY).bool()
    mask[:, 2] = False
    before = dense_attention(q, k, v, mask=mask)
    k[:, :, 2], v[:, :, 2] = 1e6, -1e6
    assert torch.equal(dense_attention(q, k, v, mask=mask), before)


def test_the_order_of_the_keys_does_not_matter(qkv):
    q, k, v = qkv
    order = torch.tensor([3, 0, 6, 5, 1, 2, 4])
    shuffled = dense_attention(q, k[:, :, order], v[:, :, order])
    torch.testing.assert_close(shuffled, dense_attention(q, k, v))


def test_a_nan_that_comes_in_is_not_hidden(qkv):
    q, k, v = (x.detach().clone() for x in qkv)
    q[:, :, 1] = float("nan")
    out = dense_attention(q, k, v, mask=dense_mask(causal(), QUERY, KEY))
    assert out[:, :, 1].isnan().all()
    assert not out[:, :, 2:].isnan().any()


def test_large_scores_do_not_overflow():
    q = torch.full((3, 4), 1e4)
    v = torch.tensor([[1.0], [2.0], [6.0]])
    assert dense_attention(q, q, v).tolist() == [[3.0]] * 3


def test_dropout_removes_that_share_of_the_weights_and_scales_the_rest():
    torch.manual_seed(0)
    q, v = torch.zeros(2000, 4), torch.ones(5, 1)
    out = dense_attention(q, q[:5], v, dropout=0.25)
    parts = out * 5 * 0.75  # how many of the five keys are left
    torch.testing.assert_close(parts, parts.round())
    assert 0.95 < out.mean() < 1.05
    assert out.std() > 0.1


# edges


@pytest.mark.parametrize("masked_rows", [[0], [1, 3], [0, 1, 2, 3, 4]])
def test_a_row_that_sees_nothing_is_0_with_gradient_0(qkv, masked_rows):
    mask = torch.ones(QUERY, KEY).bool()
    mask[masked_rows] = False
    out = dense_attention(*qkv, mask=mask)
    weights = attention_weights(*qkv[:2], mask=mask)
    assert (out[:, :, masked_rows] == 0).all()
    assert (weights[:, :, masked_rows] == 0).all()
    for gradient in torch.autograd.grad(out.sum(), qkv):
        assert gradient.isfinite().all()
    (of_q,) = torch.autograd.grad(
        dense_attention(*qkv, mask=mask).sum(), qkv[0], retain_graph=False
    )
    assert (of_q[:, :, masked_rows] == 0).all()


def test_one_token_takes_its_own_value(qkv):
    q, k, v = (x[:, :, :1] for x in qkv)
    assert torch.equal(dense_attention(q, k, v), v)


def test_no_query_and_no_key(qkv):
    q, k, v = qkv
    assert dense_attention(q[:, :, :0], k, v).shape == (BATCH, HEAD, 0, D_VALUE)
    for mask in (None, torch.ones(QUERY, 0).bool()):
        out = dense_attention(q, k[:, :, :0], v[:, :, :0], mask=mask)
        assert torch.equal(out, torch.zeros(BATCH, HEAD, QUERY, D_VALUE).double())


@pytest.mark.parametrize("shape", [(1, 7), (5, 1), (5, 7), (2, 1, 5, 7), (3, 1, 7)])
def test_a_mask_spreads_over_the_axes_that_it_lacks(qkv, shape):
    mask = torch.rand(shape, generator=torch.Generator().manual_seed(1)) < 0.7
    whole = mask.expand(BATCH, HEAD, QUERY, KEY)
    torch.testing.assert_close(
        dense_attention(*qkv, mask=mask), dense_attention(*qkv, mask=whole)
    )


@pytest.mark.parametrize(
    ("dtype", "atol"),
    [(torch.float32, 1e-6), (torch.float16, 4e-3), (torch.bfloat16, 4e-2)],
)
def test_lower_precision_stays_close_to_float64(qkv, dtype, atol):
    mask = dense_mask(window(left=1, right=0), QUERY, KEY) & (torch.arange(KEY) != 0)
    rounded = [x.detach().to(dtype) for x in qkv]
    exact = dense_attention(*(x.double() for x in rounded), mask=mask)
    ours = dense_attention(*rounded, mask=mask)
    assert ours.dtype == dtype
    torch.testing.assert_close(ours.double(), exact, rtol=0, atol=atol)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_autocast(qkv, dtype):
    single = [x.detach().float() for x in qkv]
    mask = torch.ones(QUERY, KEY).bool()
    mask[2] = False
    with torch.autocast("cpu", dtype):
        ours = dense_attention(*single, mask=mask)
    assert ours.dtype == dtype
    torch.testing.assert_close(
        ours.double(), dense_attention(*qkv, mask=mask), rtol=0, atol=4e-2
    )


def test_the_default_scale_is_one_over_the_root_of_d_head(qkv):
    given_scale = dense_attention(*qkv, scale=1 / math.sqrt(D_HEAD))
    torch.testing.assert_close(dense_attention(*qkv), given_scale)
