import inspect
import re
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from longctx_edu.attention import (
    block_sparse_attention,
    dense_attention,
    full_attention,
    window_attention,
)
from longctx_edu.attention.block_layout import check_layout, tiles
from longctx_edu.masks import (
    blocks,
    causal,
    dense_mask,
    global_blocks,
    padding,
    random_blocks,
    window_blocks,
)

BATCH, HEAD, KV_HEAD, TOKEN, D_HEAD, D_VALUE = 2, 4, 2, 37, 3, 5
SIZE, BLOCKS = 5, 8


def make(
    *, batch=BATCH, kv_head=KV_HEAD, n=TOKEN, d_value=D_VALUE, dtype=torch.float64,
    seed=0,
):  # fmt: skip
    """Queries, keys and values that differ in every number."""
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(
            batch, head, n, d, generator=generator, dtype=dtype
        ).requires_grad_()
        for head, d in ((HEAD, D_HEAD), (kv_head, D_HEAD), (kv_head, d_value))
    ]


def draw(share, n=BLOCKS, seed=0):
    """A layout in which that share of the blocks is visible."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(n, n, generator=generator) < share


def bigbird(n=BLOCKS):
    """A window, a global block and random blocks."""
    near = window_blocks(n, left=1, right=1) | global_blocks(torch.arange(n) == 0)
    generator = torch.Generator().manual_seed(0)
    return near | random_blocks(n, 1, generator=generator, outside=near)


def choose(share, *, batch=BATCH, n=TOKEN, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(batch, n, generator=generator) < share


def mask_of(n, *, layout, size=SIZE, keep=None, look_ahead=True):
    """The mask that block-sparse attention claims, formed whole from predicates."""
    allowed = blocks(layout, size)
    if keep is not None:
        allowed = allowed & padding(keep[:, None])
    if not look_ahead:
        allowed = allowed & causal()
    return dense_mask(allowed, n)


def dense(q, k, v, **options):
    k, v = (x.repeat_interleave(q.shape[1] // x.shape[1], dim=1) for x in (k, v))
    return dense_attention(q, k, v, **options)


def assert_equal_with_gradients(ours, wanted, inputs, atol=1e-12):
    torch.testing.assert_close(ours, wanted, rtol=0, atol=atol)
    factor = torch.linspace(-1, 2, wanted.numel()).double().reshape(wanted.shape)
    for got, expected in zip(
        torch.autograd.grad((ours * factor).sum(), inputs),
        torch.autograd.grad((wanted * factor).sum(), inputs),
        strict=True,
    ):
        torch.testing.assert_close(got, expected, rtol=0, atol=atol)


# equals the definition


@settings(max_examples=120, deadline=None, derandomize=True)
@given(
    batch=st.integers(1, 3),
    kv_head=st.sampled_from([1, 2, 4]),
    n=st.integers(1, 60),
    size=st.one_of(st.integers(1, 9), st.just(100)),
    share=st.sampled_from([0.0, 0.1, 0.4, 0.9, 1.0]),
    rows=st.integers(0, 3),
    keep_share=st.sampled_from([None, 0.0, 0.3, 0.9, 1.0]),
    look_ahead=st.booleans(),
    scale=st.sampled_from([None, 0.2]),
    d_value=st.sampled_from([D_HEAD, D_VALUE]),
    seed=st.integers(0, 2**31),
)
@example(2, 2, 60, 7, 0.4, 2, 0.9, True, None, D_HEAD, 0)
@example(3, 1, 59, 7, 0.4, 2, 0.3, False, 0.2, D_VALUE, 1)
def test_block_sparse_equals_dense(
    batch, kv_head, n, size, share, rows, keep_share, look_ahead, scale, d_value, seed
):
    inputs = make(batch=batch, kv_head=kv_head, n=n, d_value=d_value, seed=seed)
    layout = draw(share, n=-(-n // size), seed=seed)
    layout[:rows] = True  # rows that see all are computed together
    keep = None
    if keep_share is not None:
        keep = choose(keep_share, batch=batch, n=n, seed=seed + 1)
    ours = block_sparse_attention(
        *inputs,
        layout=layout,
        size=size,
        keep=keep,
        causal=not look_ahead,
        scale=scale,
    )
    mask = mask_of(n, layout=layout, size=size, keep=keep, look_ahead=look_ahead)
    assert_equal_with_gradients(ours, dense(*inputs, mask=mask, scale=scale), inputs)


def test_gradcheck():
    inputs = make(batch=1, kv_head=1, n=5, d_value=2)
    layout = torch.tensor([[1, 0, 1], [0, 0, 0], [1, 1, 1]]).bool()
    keep = torch.arange(5)[None] != 3
    attend = partial(block_sparse_attention, layout=layout, size=2, keep=keep)
    assert torch.autograd.gradcheck(attend, inputs)


# equals outside references


@pytest.mark.parametrize("look_ahead", [True, False])
def test_block_sparse_equals_torch_sdpa_under_its_mask(look_ahead):
    inputs = make(kv_head=HEAD)
    layout = bigbird()
    mask = mask_of(TOKEN, layout=layout, look_ahead=look_ahead)
    torchs = F.scaled_dot_product_attention(*inputs, attn_mask=mask)
    ours = block_sparse_attention(
        *inputs, layout=layout, size=SIZE, causal=not look_ahead
    )
    assert_equal_with_gradients(ours, torchs, inputs)


# properties


@pytest.mark.parametrize("look_ahead", [True, False])
def test_a_key_that_is_not_seen_changes_nothing_bit_for_bit(look_ahead):
    q, k, v = (x.detach() for x in make())
    layout, keep = bigbird(), choose(0.9)
    attend = partial(
        block_sparse_attention, q, layout=layout, size=SIZE, keep=keep,
        causal=not look_ahead,
    )  # fmt: skip
    mask = mask_of(TOKEN, layout=layout, keep=keep, look_ahead=look_ahead)
    before = attend(k, v)
    for key in range(TOKEN):
        other_k, other_v = k.clone(), v.clone()
        other_k[:, :, key], other_v[:, :, key] = 50.0, -50.0
        changed = (attend(other_k, other_v) != before).any(dim=-1).any(dim=1)
        assert torch.equal(changed, mask[:, 0, :, key])


def test_a_layout_of_everything_is_full_attention():
    inputs = make(kv_head=HEAD)
    keep = choose(0.7)
    ours = block_sparse_attention(*inputs, layout=draw(1.1), size=SIZE, keep=keep)
    assert_equal_with_gradients(ours, full_attention(*inputs, keep=keep), inputs)


def test_blocks_of_one_token_are_a_window():
    inputs = make()
    layout = window_blocks(TOKEN, left=3, right=2)
    ours = block_sparse_attention(*inputs, layout=layout, size=1)
    wanted = window_attention(*inputs, left=3, right=2)
    assert_equal_with_gradients(ours, wanted, inputs)


def test_a_block_that_is_marked_twice_counts_once():
    inputs = make()
    near = window_blocks(BLOCKS, left=1, right=1)
    attend = partial(block_sparse_attention, *inputs, size=SIZE)
    assert torch.equal(attend(layout=near | near), attend(layout=near))


def test_the_diagonal_returns_v_for_blocks_of_one_token():
    q, k, v = make(kv_head=HEAD)
    layout = window_blocks(TOKEN, left=0, right=0)
    assert torch.equal(block_sparse_attention(q, k, v, layout=layout, size=1), v)


def test_each_row_comes_in_one_tile_and_tiles_stay_small():
    layout = draw(0.3, n=40) | global_blocks(torch.arange(40) == 3)
    layout[7] = False
    found = list(tiles(layout, most=50))
    rows = torch.cat([tile.rows.flatten() for tile in found])
    assert sorted(rows.tolist()) == list(range(40))
    for tile in found:
        assert tile.columns.numel() <= max(50, tile.columns.shape[1])
        for problem, columns in zip(tile.rows, tile.columns, strict=True):
            for row in problem:
                seen = layout[row].nonzero().flatten().tolist()
                assert (columns.tolist() if tile.sees else []) == seen


def test_rows_that_see_all_share_one_copy_of_the_keys():
    layout = window_blocks(9, left=0, right=0)
    layout[[1, 4, 8]] = True
    shared = [tile for tile in tiles(layout, most=1) if tile.rows.numel() > 1]
    assert [tile.rows.tolist() for tile in shared] == [[[1, 4, 8]]]
    assert shared[0].columns.tolist() == [list(range(9))]


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_tiles_hold_what_is_visible_and_nothing_else(share):
    layout = draw(share, n=50)
    layout[:, 0] = True
    held = sum(tile.columns.numel() for tile in tiles(layout, most=100))
    assert held == layout.sum()


class Largest(TorchDispatchMode):
    """Notes the size of the largest tensor that is formed, in numbers."""

    numbers = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for x in tree_leaves(out):
            if isinstance(x, torch.Tensor):
                self.numbers = max(self.numbers, x.untyped_storage().nbytes() // 4)
        return out


def largest(n, look_ahead):
    """The largest tensor, forward and backward, for blocks of 16 of `n` tokens."""
    inputs = [
        torch.randn(1, 1, n, 4, generator=torch.Generator().manual_seed(0))
        for _ in range(3)
    ]
    layout = bigbird(n // 16)
    with Largest() as mode:
        leaves = [x.requires_grad_() for x in inputs]
        block_sparse_attention(
            *leaves, layout=layout, size=16, causal=not look_ahead
        ).sum().backward()
    return mode.numbers


@pytest.mark.parametrize("look_ahead", [True, False])
def test_no_tensor_grows_with_the_square(look_ahead):
    short, long = (largest(n, look_ahead) for n in (512, 2048))
    assert long < 6 * short
    assert long < 2048**2 / 8


def test_dropout_keeps_the_mean_and_follows_the_seed():
    q, k, v = make(batch=1, n=10)
    layout = draw(1.1, n=2)
    layout[0, 1] = False
    attend = partial(block_sparse_attention, layout=layout, size=5)
    torch.manual_seed(0)
    many = [x.expand(2000, -1, -1, -1) for x in (q, k, v)]
    drawn = attend(*many, dropout=0.4)
    assert (drawn.mean(0) - attend(q, k, v)[0]).abs().max() < 0.12
    assert drawn.std(0).min() > 0.1
    torch.manual_seed(1)
    out = attend(q, k, v, dropout=0.4)
    torch.manual_seed(1)
    assert torch.equal(attend(q, k, v, dropout=0.4), out)


def test_the_backward_pass_drops_what_the_forward_pass_dropped():
    inputs = make(batch=1, kv_head=1, n=5, d_value=2)
    layout = torch.tensor([[1, 0, 1], [0, 1, 0], [1, 1, 1]]).bool()

    def attend(q, k, v):
        torch.manual_seed(0)
        return block_sparse_attention(q, k, v, layout=layout, size=2, dropout=0.4)

    assert torch.autograd.gradcheck(attend, inputs)


# edges


@pytest.mark.parametrize(("batch", "n"), [(BATCH, 0), (0, TOKEN), (0, 0)])
def test_an_empty_text_and_an_empty_batch(batch, n):
    inputs = make(batch=batch, n=n)
    layout = draw(0.5, n=-(-n // SIZE))
    keep = torch.ones(batch, n).bool()
    out = block_sparse_attention(*inputs, layout=layout, size=SIZE, keep=keep)
    assert out.shape == (batch, HEAD, n, D_VALUE)
    out.sum().backward()
    assert inputs[2].grad.shape == inputs[2].shape


def test_one_token_takes_its_own_value():
    q, k, v = make(n=1, kv_head=HEAD)
    layout = torch.ones(1, 1).bool()
    out = block_sparse_attention(q, k, v, layout=layout, size=64)
    torch.testing.assert_close(out, v)


def test_rows_that_see_nothing_are_0_with_gradient_0():
    inputs = make()
    layout = bigbird()
    layout[2], layout[5] = False, torch.arange(BLOCKS) == 6
    keep = choose(0.8)
    keep[0, 30:35], keep[1] = False, False  # block 6; a text of padding
    out = block_sparse_attention(*inputs, layout=layout, size=SIZE, keep=keep)
    sees = mask_of(TOKEN, layout=layout, keep=keep).any(-1)[:, 0]
    assert not sees[0, 10:15].any()
    assert not sees[0, 25:30].any()
    assert not sees[1].any()
    rows = out.transpose(1, 2)
    assert (rows[~sees] == 0).all()
    assert (rows[sees] != 0).all()
    gradients = torch.autograd.grad(out.sum(), inputs)
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert (gradients[0].transpose(1, 2)[~sees] == 0).all()
    assert all((gradient[1] == 0).all() for gradient in gradients)


@pytest.mark.parametrize("d_value", [D_HEAD, D_VALUE])
@pytest.mark.parametrize(
    ("dtype", "atol"),
    [(torch.float32, 2e-6), (torch.float16, 4e-3), (torch.bfloat16, 4e-2)],
)
def test_lower_precision_stays_close_to_float64(dtype, atol, d_value):
    attend = partial(
        block_sparse_attention, layout=bigbird(), size=SIZE, keep=choose(0.9)
    )
    rounded = [x.detach().to(dtype).requires_grad_() for x in make(d_value=d_value)]
    exact = [x.detach().double().requires_grad_() for x in rounded]
    ours, reference = attend(*rounded), attend(*exact)
    assert ours.dtype == dtype
    torch.testing.assert_close(ours.double(), reference, rtol=0, atol=atol)
    ours.sum().backward()
    reference.sum().backward()
    for got, expected in zip(rounded, exact, strict=True):
        assert got.grad.dtype == dtype
        torch.testing.assert_close(
            got.grad.double(), expected.grad, rtol=10 * atol, atol=10 * atol
        )


def test_the_gradient_of_a_block_that_all_rows_see_is_summed_in_float32():
    n, size = 2048, 2  # 1,024 rows add to one block: bfloat16 would stop at 256
    layout = window_blocks(n // size, left=0, right=0)
    layout[:, 0] = True
    q, k = (torch.zeros(1, 1, n, 2, dtype=torch.bfloat16) for _ in range(2))
    v = torch.ones_like(q).requires_grad_()
    block_sparse_attention(q, k, v, layout=layout, size=size).sum().backward()
    wanted = 1 + (n - size) / (2 * size)
    assert v.grad[0, 0, 0, 0].item() == pytest.approx(wanted, rel=0.01)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_autocast(dtype):
    inputs = make(dtype=torch.float32)
    attend = partial(block_sparse_attention, layout=bigbird(), size=SIZE)
    with torch.autocast("cpu", dtype):
        ours = attend(*inputs)
    assert ours.dtype == dtype
    exact = attend(*(x.double() for x in inputs))
    torch.testing.assert_close(ours.double(), exact, rtol=0, atol=4e-2)
    gradients = torch.autograd.grad(ours.float().sum(), inputs)
    assert all(gradient.isfinite().all() for gradient in gradients)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_autocast_is_the_same_as_short_inputs(dtype):
    sharp = [10 * x.detach() for x in make(dtype=torch.float32)]  # scores count
    inputs = [x.requires_grad_() for x in sharp]
    short = [x.to(dtype) for x in inputs]
    attend = partial(block_sparse_attention, layout=bigbird(), size=SIZE)
    wanted = attend(*short)
    with torch.autocast("cpu", dtype):
        ours = attend(*inputs)
        gradients = torch.autograd.grad(ours.float().square().sum(), inputs)
    assert torch.equal(ours, wanted)
    expected = torch.autograd.grad(wanted.float().square().sum(), inputs)
    for got, want in zip(gradients, expected, strict=True):
        assert torch.equal(got, want)


def test_any_order_of_memory():
    inputs = make(kv_head=HEAD, d_value=D_HEAD)
    turned = [x.detach().mT.contiguous().mT.requires_grad_() for x in inputs]
    attend = partial(block_sparse_attention, layout=bigbird(), size=SIZE)
    ours, wanted = attend(*turned), attend(*inputs)
    torch.testing.assert_close(ours, wanted)
    for got, expected in zip(
        torch.autograd.grad(ours.sum(), turned),  # a gradient that is no real tensor
        torch.autograd.grad(wanted.sum(), inputs),
        strict=True,
    ):
        torch.testing.assert_close(got, expected)


# messages

check_layout_alone = inspect.unwrap(check_layout)


@pytest.mark.parametrize("n_blocks", [7, 9])
def test_a_layout_that_does_not_fit_the_text(n_blocks):
    text = (
        "need a bool layout of 8 x 8 blocks, for 37 tokens in blocks of 5, "
        f"got torch.bool of shape ({n_blocks}, {n_blocks})"
    )
    with pytest.raises(ValueError, match=re.escape(text)):
        block_sparse_attention(*make(), layout=draw(0.5, n=n_blocks), size=SIZE)


def test_a_layout_that_is_no_square_or_has_no_bools():
    for layout in (torch.ones(8, 7).bool(), torch.ones(8, 8), torch.ones(8).bool()):
        text = f"8 x 8 blocks, for 37 tokens in blocks of 5, got {layout.dtype} of"
        with pytest.raises(ValueError, match=re.escape(text)):
            check_layout_alone(layout, SIZE, TOKEN)


def test_a_size_that_is_none():
    with pytest.raises(ValueError, match="need a size that is a whole number >= 1"):
        block_sparse_attention(*make(), layout=draw(0.5), size=0)


def test_heads_that_do_not_divide():
    q, k, v = make()
    with pytest.raises(ValueError, match="need heads of k and v that divide the heads"):
        block_sparse_attention(q[:, :3], k, v, layout=draw(0.5), size=SIZE)


def test_mixed_number_formats():
    q, k, v = make()
    with pytest.raises(ValueError, match="need q, k and v of one float format"):
        block_sparse_attention(q, k.float(), v, layout=draw(0.5), size=SIZE)


def test_a_dropout_that_is_no_share():
    with pytest.raises(ValueError, match="need a dropout from 0 to below 1, got 1"):
        block_sparse_attention(*make(), layout=draw(0.5), size=SIZE, dropout=1.0)
