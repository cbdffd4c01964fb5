import math
from itertools import chain

import torch
from attention_cases import (
    BATCH,
    D_HEAD,
    D_VALUE,
    assert_all_close,
    assert_close,
    dense,
    dense_lse,
    few,
    make,
    normal,
)
from hypothesis import given
from hypothesis import strategies as st

from longctx_edu.attention.tiled import stretches, tiled_backward, tiled_forward

QUERY, KEY, SCALE, GROUP = 5, 7, 0.3, 3


def tiles_of(mask, factors, width):
    """Tiles of `width` keys; those in which nobody sees anything are left out."""

    def tiles(rows):
        for columns in stretches(KEY, width):
            part = mask[..., rows, columns]
            if part.any():
                yield (
                    columns,
                    part,
                    None if factors is None else factors[..., rows, columns],
                )

    return tiles


def in_groups(x):
    return x.detach().unflatten(1, (2, -1))


# equals the definition


@few
@given(
    block=st.integers(1, QUERY + 2),
    width=st.integers(1, KEY + 2),
    share=st.sampled_from([0.1, 0.6, 1.0]),
    dropped=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_tiles_equal_dense_attention(block, width, share, dropped, seed):
    inputs = make(QUERY, KEY, head=2 * GROUP, kv_head=2, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    mask = torch.rand(BATCH, 1, QUERY, KEY, generator=generator) < share
    factors = None
    if dropped:
        shape = (BATCH, 2 * GROUP, QUERY, KEY)
        factors = (torch.rand(shape, generator=generator) < 0.5).double() * 2
    eye = torch.eye(KEY).double().expand(BATCH, 2, KEY, KEY)
    weights = dense(*inputs[:2], eye, mask=mask, scale=SCALE)
    values = inputs[2].repeat_interleave(GROUP, dim=1)
    expected = (weights if factors is None else weights * factors) @ values
    lse, _ = dense_lse(*inputs[:2], mask=mask, scale=SCALE)
    options = {
        "tiles": tiles_of(
            mask[:, :, None], None if factors is None else in_groups(factors), width
        ),
        "block": block,
        "scale": SCALE,
    }
    q, k, v = (in_groups(x) for x in inputs)
    out, got_lse = tiled_forward(q, k, v, **options)
    assert_close(out.flatten(1, 2), expected)
    assert_close(got_lse.flatten(1, 2), lse)
    grad = normal(*expected.shape, seed=9).detach()
    sums = [torch.ones_like(x) for x in (q, k, v)]  # what is there is added to
    means = (in_groups(grad) * out).sum(dim=-1)
    tiled_backward(in_groups(grad), means, got_lse, (q, k, v), sums, **options)
    parts = (x.flatten(1, 2) - 1 for x in sums)
    assert_all_close(parts, torch.autograd.grad(expected, inputs, grad))


# properties


@few
@given(st.integers(0, 20), st.integers(1, 25))
def test_stretches_hold_each_token_once_and_no_more_than_a_block(n, block):
    parts = [list(range(n))[some] for some in stretches(n, block)]
    assert list(chain(*parts)) == list(range(n))
    assert all(1 <= len(part) <= block for part in parts)
    assert len(parts) == -(-n // block)
    assert all(some.stop <= n for some in stretches(n, block))


# edges


def test_rows_without_a_tile_see_nothing():
    q, k, v = (x.detach() for x in make(QUERY, KEY))
    options = {"tiles": lambda rows: [], "block": 2, "scale": SCALE}
    out, lse = tiled_forward(q, k, v, **options)
    assert (out == 0).all()
    assert (lse == -math.inf).all()


def test_a_row_that_sees_nothing_has_no_gradient():
    q, k, v = (x.detach() for x in make(QUERY, KEY))
    mask = torch.ones(QUERY, KEY).bool()
    mask[1] = False
    options = {
        "tiles": lambda rows: [(slice(0, KEY), mask[rows], None)],
        "block": 2,
        "scale": SCALE,
    }
    out, lse = tiled_forward(q, k, v, **options)
    sums = [torch.zeros_like(x) for x in (q, k, v)]
    grad = torch.ones_like(out)
    tiled_backward(grad, (grad * out).sum(-1), lse, (q, k, v), sums, **options)
    assert all(x.isfinite().all() for x in sums)
    assert (sums[0][:, :, 1] == 0).all()
    assert (sums[0][:, :, 2] != 0).all()


def test_a_row_that_is_marked_as_blind_is_left_out():
    q, k, v = (x.detach() for x in make(QUERY, KEY))
    options = {
        "tiles": lambda rows: [(slice(0, KEY), None, None)],
        "block": 2,
        "scale": SCALE,
    }
    out, lse = tiled_forward(q, k, v, **options)
    left_out = torch.arange(QUERY) == 3
    grad = normal(*out.shape, seed=9).detach()
    quiet = grad.masked_fill(left_out[:, None], 0.0)
    found = []
    for some, some_lse in ((grad, lse.masked_fill(left_out, -math.inf)), (quiet, lse)):
        sums = [torch.zeros_like(x) for x in (q, k, v)]
        means = (some * out).sum(-1)
        tiled_backward(some, means, some_lse, (q, k, v), sums, **options)
        found.append(sums)
    assert_all_close(*found)


def test_the_log_sum_exp_of_half_precision_is_float32():
    inputs = [x.detach().half() for x in make(QUERY, KEY)]
    options = {"tiles": lambda rows: [(slice(0, KEY), None, None)], "block": 2}
    out, lse = tiled_forward(*inputs, **options, scale=D_HEAD**-0.5)
    assert (out.dtype, lse.dtype) == (torch.float16, torch.float32)
    assert out.shape[-1] == D_VALUE
