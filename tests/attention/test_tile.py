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
from hypothesis import given
from hypothesis import strategies as st

from longctx_edu.attention import tile
from longctx_edu.attention.tile import (
    attend_tile,
    gradients_by_formula,
    tile_gradients,
)

QUERY, KEY, SCALE = 5, 7, 0.3
MASKS = [None, (1, 1), (BATCH, 1), (1, HEAD), (BATCH, HEAD)]


@pytest.fixture(params=["fused", "formulas"])
def path(request):
    """Both ways to compute a tile of which keys and values have one width."""
    if request.param == "formulas":
        request.getfixturevalue("formulas_only")
    return request.param


def draw_mask(shape):
    """A mask in which some rows see nothing."""
    if shape is None:
        return None
    mask = choose(0.6, *shape, QUERY, KEY)
    mask[..., 2, :] = False
    return mask


# equals the definition


@pytest.mark.parametrize("d_value", [D_HEAD, D_VALUE])
@pytest.mark.parametrize("shape", MASKS)
def test_a_tile_equals_dense_attention(path, shape, d_value):
    inputs, mask = make(QUERY, KEY, d_value=d_value), draw_mask(shape)
    out, lse = attend_tile(*inputs, mask=mask, scale=SCALE)
    assert_close(out, dense(*inputs, mask=mask, scale=SCALE))
    assert_close(lse, dense_lse(*inputs[:2], mask=mask, scale=SCALE)[0])


@pytest.mark.parametrize("d_value", [D_HEAD, D_VALUE])
@pytest.mark.parametrize("shape", MASKS)
def test_its_gradients_are_those_of_dense_attention(path, shape, d_value):
    inputs, mask = make(QUERY, KEY, d_value=d_value), draw_mask(shape)
    expected = dense(*inputs, mask=mask, scale=SCALE)
    lse, sees = dense_lse(*inputs[:2], mask=mask, scale=SCALE)
    grad = normal(*expected.shape, seed=9).detach()
    rows = (x.detach() for x in (grad, expected, lse.masked_fill(~sees, math.inf)))
    parts = tile_gradients(*rows, *(x.detach() for x in inputs), mask=mask, scale=SCALE)
    assert_all_close(parts, torch.autograd.grad(expected, inputs, grad))


@few
@given(cut=st.integers(1, KEY - 1), share=st.sampled_from([None, 0.6]))
@pytest.mark.parametrize("formulas", [False, True])
def test_gradients_of_tiles_add_up_to_those_of_the_whole(formulas, cut, share):
    inputs = make(QUERY, KEY, d_value=D_HEAD)
    q, k, v = (x.detach() for x in inputs)
    mask = choose(share, 1, 1, QUERY, KEY)
    expected = dense(*inputs, mask=mask, scale=SCALE)
    lse, sees = dense_lse(q, k, mask=mask, scale=SCALE)
    grad = normal(*expected.shape, seed=9).detach()
    rows = grad, expected.detach(), lse.masked_fill(~sees, math.inf)
    with pytest.MonkeyPatch.context() as patch:
        if formulas:
            patch.setattr(tile, "_FLASH", None)
        of_q, *of_keys = zip(
            *(
                tile_gradients(
                    *rows, q, k[:, :, part], v[:, :, part], scale=SCALE,
                    mask=None if mask is None else mask[..., part],
                )
                for part in (slice(0, cut), slice(cut, KEY))
            ),
            strict=True,
        )  # fmt: skip
    parts = sum(of_q), *(torch.cat(x, dim=2) for x in of_keys)
    assert_all_close(parts, torch.autograd.grad(expected, inputs, grad))


def test_factors_are_those_of_dropout_after_the_softmax():
    inputs, mask = make(QUERY, KEY, d_value=D_HEAD), draw_mask((BATCH, 1))
    q, k, v = inputs
    factors = choose(0.5, BATCH, HEAD, QUERY, KEY).double() * 2
    sees = mask.any(dim=-1, keepdim=True)
    scores = (q @ k.mT * SCALE).masked_fill(~mask & sees, -math.inf)
    expected = scores.softmax(dim=-1).masked_fill(~sees, 0.0) * factors @ v
    options = {"mask": mask, "scale": SCALE, "factors": factors}
    out, lse = attend_tile(*inputs, **options)
    assert_close(out, expected)
    grad = normal(*expected.shape, seed=9).detach()
    lse = lse.masked_fill(lse == -math.inf, math.inf)
    parts = tile_gradients(grad, out, lse, *inputs, **options)
    assert_all_close(parts, torch.autograd.grad(expected, inputs, grad))


def test_the_formula_holds_the_gradient_of_the_log_sum_exp():
    inputs = make(QUERY, KEY)
    lse, _ = dense_lse(*inputs[:2], scale=SCALE)
    grad_lse = normal(*lse.shape, seed=9).detach()
    nothing = torch.zeros(BATCH, HEAD, QUERY, D_VALUE).double()
    of_q, of_k, of_v = gradients_by_formula(
        nothing, -grad_lse[..., None], lse, *inputs, mask=None, scale=SCALE
    )
    assert_all_close((of_q, of_k), torch.autograd.grad(lse, inputs[:2], grad_lse))
    assert (of_v == 0).all()


def test_queries_of_a_group_share_their_keys():
    inputs = make(QUERY, KEY, head=6, kv_head=2)
    expected = dense(*inputs, scale=SCALE)
    lse, _ = dense_lse(*inputs[:2], scale=SCALE)
    grad = normal(*expected.shape, seed=9).detach()
    q, k, v = (x.detach().unflatten(1, (2, -1)) for x in inputs)
    grad_rows, out, lse = (
        x.detach().unflatten(1, (2, -1)) for x in (grad, expected, lse)
    )
    means = (grad_rows * out).sum(dim=-1, keepdim=True)
    parts = gradients_by_formula(grad_rows, means, lse, q, k, v, mask=None, scale=SCALE)
    shapes = [(BATCH, head, size, d) for head, size, d in (
        (6, QUERY, D_HEAD), (2, KEY, D_HEAD), (2, KEY, D_VALUE),
    )]  # fmt: skip
    sums = (
        part.sum_to_size(x.shape).reshape(shape)
        for part, x, shape in zip(parts, (q, k, v), shapes, strict=True)
    )
    assert_all_close(sums, torch.autograd.grad(expected, inputs, grad))


# properties


def test_the_fused_kernel_serves_tiles_of_one_width_without_dropout(monkeypatch):
    calls, kernel = [], tile._FLASH
    assert kernel is not None
    monkeypatch.setattr(
        tile, "_FLASH", lambda *a, **o: calls.append(1) or kernel(*a, **o)
    )
    same, other = (make(QUERY, KEY, d_value=d) for d in (D_HEAD, D_VALUE))
    factors = torch.ones(BATCH, HEAD, QUERY, KEY).double()
    attend_tile(*same, mask=None, scale=SCALE)
    assert len(calls) == 1
    attend_tile(*other, mask=None, scale=SCALE)
    attend_tile(*same, mask=None, scale=SCALE, factors=factors)
    assert len(calls) == 1


def test_the_kernel_never_meets_a_row_that_sees_nothing(monkeypatch):
    kernel = tile._FLASH  # what it gives there depends on kernels

    def strict(*inputs, attn_mask, **options):
        assert (attn_mask == 0).any(dim=-1).all()
        return kernel(*inputs, attn_mask=attn_mask, **options)

    monkeypatch.setattr(tile, "_FLASH", strict)
    mask = draw_mask((BATCH, 1))
    out, _ = attend_tile(*make(QUERY, KEY, d_value=D_HEAD), mask=mask, scale=SCALE)
    assert (out[:, :, 2] == 0).all()


@pytest.mark.parametrize("masked", [False, True])
def test_a_row_of_lse_infinity_is_left_out(path, masked):
    inputs = [x.detach() for x in make(QUERY, KEY, d_value=D_HEAD)]
    mask = draw_mask((BATCH, 1)) if masked else None
    out, lse = attend_tile(*inputs, mask=mask, scale=SCALE)
    grad = normal(*out.shape, seed=9).detach()
    left_out = torch.tensor([True, False, True, False, False])
    options = {"mask": mask, "scale": SCALE}
    lse = lse.masked_fill(left_out | (lse == -math.inf), math.inf)
    parts = tile_gradients(grad, out, lse, *inputs, **options)
    assert (parts[0][:, :, left_out] == 0).all()
    quiet = grad.masked_fill(left_out[:, None], 0.0)
    finite = attend_tile(*inputs, **options)[1]
    finite = finite.masked_fill(finite == -math.inf, math.inf)
    assert_all_close(parts, tile_gradients(quiet, out, finite, *inputs, **options))


def test_a_mask_of_true_alone_changes_nothing(path):
    inputs = make(QUERY, KEY, d_value=D_HEAD)
    everywhere = torch.ones(1, 1, QUERY, KEY).bool()
    masked, plain = (
        attend_tile(*inputs, mask=mask, scale=SCALE) for mask in (everywhere, None)
    )
    assert_all_close(masked, plain)


def test_what_comes_in_is_not_changed(path):
    inputs = [x.detach() for x in make(QUERY, KEY, d_value=D_HEAD)]
    mask = draw_mask((1, 1))
    out, lse = attend_tile(*inputs, mask=mask, scale=SCALE)
    grad = normal(*out.shape, seed=9).detach()
    given_in = (*inputs, mask, out, lse, grad)
    before = [x.clone() for x in given_in]
    tile_gradients(grad, out, lse, *inputs, mask=mask, scale=SCALE)
    assert all(torch.equal(a, b) for a, b in zip(given_in, before, strict=True))


# edges


def strided(x):
    """The same numbers with heads side by side in memory, as projections give them."""
    return x.detach().transpose(1, 2).contiguous().transpose(1, 2)


def test_any_order_in_memory(path):
    inputs = [x.detach() for x in make(QUERY, KEY, d_value=D_HEAD)]
    apart = [strided(x) for x in inputs]
    assert not any(x.is_contiguous() for x in apart)
    rows, rows_apart = (
        attend_tile(*x, mask=None, scale=SCALE) for x in (inputs, apart)
    )
    assert_all_close(rows_apart, rows)
    grad = normal(*rows[0].shape, seed=9).detach()
    assert_all_close(
        tile_gradients(strided(grad), *rows_apart, *apart, mask=None, scale=SCALE),
        tile_gradients(grad, *rows, *inputs, mask=None, scale=SCALE),
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("masked", [False, True])
def test_lower_precision_sums_in_float32(path, masked, dtype):
    inputs = [x.detach().to(dtype) for x in make(QUERY, KEY, d_value=D_HEAD)]
    mask = draw_mask((1, 1)) if masked else None
    out, lse = attend_tile(*inputs, mask=mask, scale=SCALE)
    assert (out.dtype, lse.dtype) == (dtype, torch.float32)
    exact = [x.double() for x in inputs]
    expected, expected_lse = attend_tile(*exact, mask=mask, scale=SCALE)
    step = torch.finfo(dtype).eps
    assert_close(out.double(), expected, atol=4 * step)
    assert_close(lse.double(), expected_lse, atol=1e-5)
    grad = normal(*out.shape, seed=9).detach().to(dtype)
    parts, expected_parts = (
        tile_gradients(
            grad.to(o.dtype), o, s.masked_fill(s == -math.inf, math.inf), *x,
            mask=mask, scale=SCALE,
        )
        for o, s, x in ((out, lse, inputs), (expected, expected_lse, exact))
    )  # fmt: skip
    assert_all_close((x.double() for x in parts), expected_parts, atol=16 * step)


def test_one_key_gives_its_value_and_its_score(path):
    q, k, v = make(QUERY, 1, d_value=D_HEAD)
    out, lse = attend_tile(q, k, v, mask=None, scale=SCALE)
    assert_close(out, v.expand_as(q))
    assert_close(lse, (q @ k.mT).squeeze(-1) * SCALE)


@pytest.mark.parametrize("size", [1e4, -1e4])
def test_scores_of_a_large_size_neither_overflow_nor_vanish(path, size):
    q, k = torch.full((1, 1, 1, 1), size), torch.ones(1, 1, 2, 1)
    v = torch.tensor([3.0, 5.0]).reshape(1, 1, 2, 1)
    out, lse = attend_tile(q, k, v, mask=None, scale=1.0)
    assert out.item() == 4.0
    assert_close(lse.item(), size + math.log(2), atol=1e-2)
