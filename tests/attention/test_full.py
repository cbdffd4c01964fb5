import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from longctx_edu.attention import dense_attention, full_attention
from longctx_edu.masks import dense_mask, padding

few = settings(max_examples=40, deadline=None, derandomize=True)
BATCH, HEAD, QUERY, KEY, D_HEAD, D_VALUE = 2, 3, 5, 7, 4, 6


def make(n_query, n_key, seed=0, dtype=torch.float64, d_value=D_VALUE):
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(
            BATCH, HEAD, n, d, generator=generator, dtype=dtype, requires_grad=True
        )
        for n, d in ((n_query, D_HEAD), (n_key, D_HEAD), (n_key, d_value))
    ]


def assert_equal_with_gradients(ours, dense, inputs):
    torch.testing.assert_close(ours, dense, rtol=0, atol=1e-12)
    factor = torch.linspace(-1, 2, dense.numel()).double().reshape(dense.shape)
    for got, expected in zip(
        torch.autograd.grad((ours * factor).sum(), inputs),
        torch.autograd.grad((dense * factor).sum(), inputs),
        strict=True,
    ):
        torch.testing.assert_close(got, expected, rtol=0, atol=1e-12)


# equals the definition


@few
@given(
    st.integers(1, 9),
    st.integers(1, 9),
    st.sampled_from([None, 0.0, 0.5, 1.0]),
    st.sampled_from([None, 0.3]),
    st.sampled_from([D_HEAD, D_VALUE]),
    st.booleans(),
    st.integers(0, 2**31),
)
def test_full_equals_dense(n_query, n_key, share, scale, d_value, biased, seed):
    inputs = make(n_query, n_key, seed, d_value=d_value)
    bias = torch.randn(HEAD, n_query, n_key).double() if biased else None
    keep = mask = None
    if share is not None:
        generator = torch.Generator().manual_seed(seed)
        keep = torch.rand(BATCH, n_key, generator=generator) < share
        mask = dense_mask(padding(keep[:, None]), n_query, n_key)
    ours = full_attention(*inputs, keep=keep, bias=bias, scale=scale)
    dense = dense_attention(*inputs, mask=mask, bias=bias, scale=scale)
    assert_equal_with_gradients(ours, dense, inputs)


# properties


def test_padding_changes_nothing_bit_for_bit():
    q, k, v = (x.detach() for x in make(QUERY, KEY))
    keep = torch.arange(KEY) < torch.tensor([[4], [6]])
    before = full_attention(q, k, v, keep=keep)
    k, v = (x.masked_fill(~keep[:, None, :, None], 99.0) for x in (k, v))
    assert torch.equal(full_attention(q, k, v, keep=keep), before)


def test_all_real_equals_no_padding():
    inputs = make(QUERY, KEY)
    keep = torch.ones(BATCH, KEY).bool()
    torch.testing.assert_close(
        full_attention(*inputs, keep=keep), full_attention(*inputs)
    )


def test_dropout_removes_that_share_of_the_weights_and_scales_the_rest():
    torch.manual_seed(0)
    q, v = torch.zeros(1, 1, 2000, 4), torch.ones(1, 1, 5, 1)
    keep = torch.tensor([[True, True, True, True, False]])
    out = full_attention(q, q[:, :, :5], v, keep=keep, dropout=0.25)
    parts = out * 4 * 0.75  # how many of the four real keys are left
    torch.testing.assert_close(parts, parts.round())
    assert 0.95 < out.mean() < 1.05
    assert out.std() > 0.1


# edges


def test_a_text_without_a_real_token_is_0_with_gradient_0():
    inputs = make(QUERY, KEY)
    keep = torch.tensor([[True] * KEY, [False] * KEY])
    out = full_attention(*inputs, keep=keep)
    assert (out[1] == 0).all()
    for gradient in torch.autograd.grad(out.sum(), inputs):
        assert gradient.isfinite().all()
        assert (gradient[1] == 0).all()


def test_the_kernel_never_meets_a_row_that_sees_nothing(monkeypatch):
    kernel = F.scaled_dot_product_attention  # what it gives there depends on kernels

    def strict(q, k, v, *, attn_mask, **options):
        assert attn_mask.any(dim=-1).all()
        return kernel(q, k, v, attn_mask=attn_mask, **options)

    monkeypatch.setattr(F, "scaled_dot_product_attention", strict)
    keep = torch.tensor([[True] * KEY, [False] * KEY])
    assert (full_attention(*make(QUERY, KEY), keep=keep)[1] == 0).all()


def test_one_token_takes_its_own_value():
    q, k, v = make(1, 1)
    torch.testing.assert_close(full_attention(q, k, v), v)


@pytest.mark.parametrize("padded", [False, True])
def test_no_query_and_no_key(padded):
    for n_query, n_key in ((0, KEY), (QUERY, 0), (0, 0)):
        keep = torch.ones(BATCH, n_key).bool() if padded else None
        out = full_attention(*make(n_query, n_key), keep=keep)
        expected = torch.zeros(BATCH, HEAD, n_query, D_VALUE).double()
        assert torch.equal(out, expected)


@pytest.mark.parametrize(
    ("dtype", "atol"),
    [(torch.float32, 1e-6), (torch.float16, 4e-3), (torch.bfloat16, 4e-2)],
)
def test_lower_precision_stays_close_to_float64(dtype, atol):
    rounded = [x.detach().to(dtype) for x in make(QUERY, KEY)]
    keep = torch.arange(KEY) < torch.tensor([[0], [6]])
    exact = full_attention(*(x.double() for x in rounded), keep=keep)
    ours = full_attention(*rounded, keep=keep)
    assert ours.dtype == dtype
    torch.testing.assert_close(ours.double(), exact, rtol=0, atol=atol)


# messages


def test_a_bias_of_another_format_is_refused():
    with pytest.raises(ValueError, match="need a bias in the format of q"):
        full_attention(*make(QUERY, KEY), bias=torch.zeros(QUERY, KEY))
