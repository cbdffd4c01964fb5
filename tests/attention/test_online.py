import math
import re

import pytest
import torch
import torch.nn.functional as F
from attention_cases import (
    BATCH,
    D_HEAD,
    D_VALUE,
    HEAD,
    assert_all_close,
    assert_close,
    assert_equal_with_gradients,
    choose,
    dense,
    dense_lse,
    make,
    normal,
    saved_numbers,
    weigh,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

from longctx_edu.attention import online, online_attention
from longctx_edu.checks import largest_tensor
from longctx_edu.masks import causal, dense_mask, padding

QUERY, KEY = 5, 7


def mask_of(n_query, n_key, *, look_ahead=True, keep=None):
    """The mask that online attention claims, formed whole from predicates."""
    allowed = causal(n_query + n_key if look_ahead else n_key - n_query)
    if keep is not None:
        allowed = allowed & padding(keep[:, None])
    return dense_mask(allowed, n_query, n_key)


# equals the definition


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    batch=st.integers(0, 3),
    n_query=st.integers(0, 9),
    n_key=st.integers(0, 9),
    block=st.one_of(st.none(), st.integers(1, 12)),
    heads=st.sampled_from([(1, 1), (3, 3), (4, 2), (6, 2), (3, 1)]),
    look_ahead=st.booleans(),
    keep_share=st.sampled_from([None, 0.0, 0.5, 1.0]),
    scale=st.sampled_from([None, 0.2, -1.0]),
    d_value=st.sampled_from([D_HEAD, D_VALUE]),
    seed=st.integers(0, 2**31),
)
@example(2, 7, 3, 2, (4, 2), False, None, None, D_VALUE, 0)  # rows before all keys
@example(2, 3, 7, 2, (4, 2), False, 0.5, None, D_VALUE, 0)  # rows behind some keys
@example(2, 8, 8, 4, (3, 3), False, None, None, D_HEAD, 0)  # whole blocks
def test_online_equals_dense(
    batch, n_query, n_key, block, heads, look_ahead, keep_share, scale, d_value, seed
):
    head, kv_head = heads
    inputs = make(
        n_query, n_key, batch=batch, head=head, kv_head=kv_head, d_value=d_value,
        seed=seed,
    )  # fmt: skip
    keep = choose(keep_share, batch, n_key, seed=seed)
    out, lse = online_attention(
        *inputs, causal=not look_ahead, keep=keep, scale=scale, block=block,
        return_lse=True,
    )  # fmt: skip
    mask = mask_of(n_query, n_key, look_ahead=look_ahead, keep=keep)
    assert_equal_with_gradients(out, dense(*inputs, mask=mask, scale=scale), inputs)
    if n_key == 0:
        assert (lse == -math.inf).all()
        return
    expected, sees = dense_lse(*inputs[:2], mask=mask, scale=scale)
    assert torch.equal(lse == -math.inf, ~sees)
    assert_equal_with_gradients(
        *(x.masked_fill(~sees, 0.0) for x in (lse, expected)), inputs[:2]
    )


@pytest.mark.parametrize("block", [2, None])
@pytest.mark.parametrize("n_query", [3, 5])
def test_gradcheck_through_the_output_and_the_log_sum_exp(n_query, block):
    inputs = make(n_query, 4, head=2, kv_head=1, d_head=2, d_value=3)
    keep = torch.tensor([[True, True, False, True], [True, True, True, True]])

    def attend(q, k, v):
        out, lse = online_attention(
            q, k, v, causal=True, keep=keep, block=block, return_lse=True
        )
        return out, lse.masked_fill(lse == -math.inf, 0.0)

    assert torch.autograd.gradcheck(attend, inputs)


# equals an outside reference


@pytest.mark.parametrize("look_ahead", [True, False])
@pytest.mark.parametrize("kv_head", [4, 2])
def test_online_equals_torch_sdpa(kv_head, look_ahead):
    inputs = make(QUERY, head=4, kv_head=kv_head)
    ours = online_attention(*inputs, causal=not look_ahead, block=2)
    torchs = F.scaled_dot_product_attention(
        *inputs, is_causal=not look_ahead, enable_gqa=kv_head != 4
    )
    assert_equal_with_gradients(ours, torchs, inputs)


# properties


@pytest.mark.parametrize("look_ahead", [True, False])
def test_the_size_of_a_block_does_not_matter(look_ahead):
    inputs = [x.detach() for x in make(QUERY, KEY)]
    options = {"causal": not look_ahead, "return_lse": True}
    plain = online_attention(*inputs, **options)
    for block in range(1, KEY + 4):
        assert_all_close(online_attention(*inputs, **options, block=block), plain)


def test_a_key_that_is_not_seen_changes_nothing_bit_for_bit():
    q, k, v = (x.detach() for x in make(QUERY, KEY))
    keep = choose(0.7, BATCH, KEY)
    mask = mask_of(QUERY, KEY, look_ahead=False, keep=keep)[:, 0]
    options = {"causal": True, "keep": keep, "block": 2}
    before = online_attention(q, k, v, **options)
    for key in range(KEY):
        other_k, other_v = k.clone(), v.clone()
        other_k[:, :, key], other_v[:, :, key] = 50.0, -50.0
        after = online_attention(q, other_k, other_v, **options)
        assert torch.equal((after != before).any(dim=(1, 3)), mask[..., key])


def test_the_log_sum_exp_comes_only_where_it_is_asked_for():
    inputs = make(QUERY, KEY)
    out = online_attention(*inputs)
    with_lse = online_attention(*inputs, return_lse=True)
    assert isinstance(with_lse, tuple)
    assert torch.equal(out, with_lse[0])


def test_a_nan_that_comes_in_is_not_hidden():
    q, k, v = (x.detach() for x in make(QUERY))
    k[:, :, 2] = math.nan
    out = online_attention(q, k, v, causal=True, block=2)
    assert not out[:, :, :2].isnan().any()
    assert out[:, :, 2:].isnan().all()


def test_inputs_are_not_changed_and_may_lie_in_any_order():
    x = normal(BATCH, QUERY, 3 * HEAD * D_HEAD).detach()
    apart = [
        part.unflatten(2, (HEAD, D_HEAD)).transpose(1, 2) for part in x.chunk(3, dim=2)
    ]
    q, k, v = inputs = [part.contiguous().requires_grad_() for part in apart]
    before, apart = x.clone(), [part.requires_grad_() for part in apart]
    ours = online_attention(*apart, causal=True, block=2)
    expected = dense(q, k, v, mask=dense_mask(causal(), QUERY))
    assert_close(ours, expected)
    gradient = expected.detach()[:1].expand(BATCH, -1, -1, -1)  # all texts share it
    assert_all_close(
        torch.autograd.grad(ours, apart, gradient),
        torch.autograd.grad(expected, inputs, gradient),
    )
    assert torch.equal(x, before)


def test_a_second_backward_pass_but_none_through_the_first():
    inputs = make(QUERY, KEY)
    total = weigh(online_attention(*inputs, block=2))
    first = torch.autograd.grad(total, inputs, retain_graph=True)
    assert_all_close(torch.autograd.grad(total, inputs, retain_graph=True), first, 0.0)
    square = online_attention(*inputs, block=2).square().sum()
    (gradient, *_) = torch.autograd.grad(square, inputs, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


@pytest.mark.parametrize("wanted", [0, 1, 2])
def test_a_gradient_may_be_asked_for_alone(wanted):
    inputs = make(QUERY, KEY)
    every = torch.autograd.grad(weigh(online_attention(*inputs)), inputs)
    alone = [x.detach().requires_grad_(i == wanted) for i, x in enumerate(inputs)]
    (one,) = torch.autograd.grad(weigh(online_attention(*alone)), alone[wanted])
    assert torch.equal(one, every[wanted])


def attend_and_learn(inputs, keep, block):
    out, lse = online_attention(*inputs, keep=keep, block=block, return_lse=True)
    (out.sum() + lse.sum()).backward()


@pytest.mark.parametrize("padded", [False, True])
def test_the_square_is_never_formed(padded):
    block, largest = 64, []
    for n in (512, 1024):
        inputs = make(n, batch=1, dtype=torch.float32)
        keep = choose(0.8, 1, n) if padded else None
        largest.append(largest_tensor(attend_and_learn, inputs, keep, block))
    longest_input = HEAD * 1024 * D_VALUE
    assert largest == [max(HEAD * block**2, longest_input // 2), longest_input]


def test_what_is_kept_for_the_backward_pass_is_linear():
    def kept(n):
        inputs = make(n, batch=1, dtype=torch.float32)
        return saved_numbers(lambda: online_attention(*inputs, causal=True, block=64))

    assert kept(512) == HEAD * 512 * (2 * D_HEAD + 2 * D_VALUE + 1)  # with out, lse
    assert kept(1024) == 2 * kept(512)


@pytest.mark.parametrize(
    ("batch", "head", "side"),
    [(1, 1, 1024), (1, 8, 512), (1, 9, 256), (8, 64, 64), (100, 100, 64), (0, 8, 1024)],
)
def test_a_tile_of_many_heads_is_smaller(batch, head, side):
    assert online._block(torch.empty(batch, head, 1, 1)) == side
    on_no_processor = online._block(torch.empty(batch, head, 1, 1, device="meta"))
    assert on_no_processor >= side


@pytest.mark.parametrize(
    ("n_query", "n_key", "per_stretch"),
    [(8, 8, [1, 2, 3, 4]), (4, 8, [3, 4]), (8, 4, [0, 0, 1, 2])],
)
def test_tiles_that_nobody_sees_are_left_out(n_query, n_key, per_stretch):
    tiles = online._tiles(n_query, n_key, None, True, 2, torch.device("cpu"))
    rows = [slice(start, start + 2) for start in range(0, n_query, 2)]
    assert [len(list(tiles(some))) for some in rows] == per_stretch
    masked = [mask is not None for some in rows for _, mask, _ in tiles(some)]
    assert sum(masked) == sum(count > 0 for count in per_stretch)  # on the diagonal


def test_the_default_block_is_used():
    q = torch.zeros(1, 32, 300, 1)
    assert largest_tensor(online_attention, q, q, q) == 32 * 256**2


# edges


def test_one_token_takes_its_own_value():
    q, k, v = make(1)
    assert_close(online_attention(q, k, v), v)


@pytest.mark.parametrize("block", [1, 3, None])
@pytest.mark.parametrize("padded", [False, True])
def test_rows_that_see_nothing(padded, block):
    inputs = make(KEY, QUERY)  # the first two queries stand before every key
    keep = torch.tensor([[True] * QUERY, [False] * QUERY]) if padded else None
    out, lse = online_attention(
        *inputs, causal=True, keep=keep, block=block, return_lse=True
    )
    assert (out[:, :, :2] == 0).all()
    assert (lse[:, :, :2] == -math.inf).all()
    assert lse[0, :, 2:].isfinite().all()
    gradients = torch.autograd.grad(weigh(out) + weigh(lse), inputs)
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert (gradients[0][:, :, :2] == 0).all()
    if padded:
        assert (out[1] == 0).all()
        assert all((gradient[1] == 0).all() for gradient in gradients)


@pytest.mark.parametrize(
    ("batch", "n_query", "n_key"), [(0, 5, 7), (2, 0, 7), (2, 5, 0), (2, 0, 0)]
)
def test_nobody_asks_or_nobody_answers(batch, n_query, n_key):
    inputs = make(n_query, n_key, batch=batch)
    keep = torch.ones(batch, n_key).bool()
    out, lse = online_attention(*inputs, causal=True, keep=keep, return_lse=True)
    assert torch.equal(out, torch.zeros(batch, HEAD, n_query, D_VALUE).double())
    assert torch.equal(lse, torch.full((batch, HEAD, n_query), -math.inf).double())
    gradients = torch.autograd.grad(out.sum(), inputs)
    assert all((gradient == 0).all() for gradient in gradients)


@pytest.mark.parametrize(
    ("dtype", "atol"),
    [(torch.float32, 2e-6), (torch.float16, 4e-3), (torch.bfloat16, 4e-2)],
)
def test_lower_precision_stays_close_to_float64(dtype, atol):
    keep = torch.arange(KEY) < torch.tensor([[0], [6]])
    rounded = [x.detach().to(dtype).requires_grad_() for x in make(QUERY, KEY)]
    exact = [x.detach().double().requires_grad_() for x in rounded]
    options = {"causal": True, "keep": keep, "block": 2, "return_lse": True}
    ours, lse = online_attention(*rounded, **options)
    expected, expected_lse = online_attention(*exact, **options)
    assert (ours.dtype, lse.dtype) == (dtype, torch.float32)
    assert_close(ours.double(), expected, atol)
    assert_close(lse.double(), expected_lse, 2e-6)
    gradients = torch.autograd.grad(ours.sum(), rounded)
    assert all(gradient.dtype == dtype for gradient in gradients)
    assert_all_close(
        (gradient.double() for gradient in gradients),
        torch.autograd.grad(expected.sum(), exact),
        10 * atol,
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_autocast_is_the_same_as_short_inputs(dtype):
    inputs = [10 * x.detach() for x in make(QUERY, KEY, dtype=torch.float32)]
    inputs = [x.requires_grad_() for x in inputs]  # sharp weights: scores count
    short = [x.to(dtype) for x in inputs]
    expected = online_attention(*short, block=2)
    with torch.autocast("cpu", dtype):
        ours = online_attention(*inputs, block=2)
        gradients = torch.autograd.grad(weigh(ours), inputs)
    assert torch.equal(ours, expected)
    assert_all_close(gradients, torch.autograd.grad(weigh(expected), inputs), 0.0)


@pytest.mark.parametrize("size", [1e4, -1e4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_scores_of_a_large_size_neither_overflow_nor_vanish(dtype, size):
    q = torch.full((1, 1, 2, 1), size, dtype=dtype).requires_grad_()
    k = torch.ones(1, 1, 3, 1, dtype=dtype)
    v = torch.tensor([1.0, 2.0, 6.0], dtype=dtype).reshape(1, 1, 3, 1)
    out = online_attention(q, k, v, block=2)
    assert out.flatten().tolist() == [3.0, 3.0]
    out.sum().backward()
    assert q.grad.flatten().abs().max() < 1e-2


def test_everything_is_made_where_the_inputs_are():
    inputs, keep = make(QUERY, KEY), choose(0.8, BATCH, KEY)
    with torch.device("meta"):  # what names no device of its own lands elsewhere
        out = online_attention(*inputs, causal=True, keep=keep, block=2)
    torch.autograd.grad(out.sum(), inputs)
    away = [x.detach().to("meta").requires_grad_() for x in inputs]
    out = online_attention(*away, causal=True, keep=keep.to("meta"))
    assert out.is_meta
    assert all(x.is_meta for x in torch.autograd.grad(out.sum(), away))


# messages; those about q, k, v, keep and scale stand with `inputs`


@pytest.mark.parametrize("block", [0, -3])
def test_a_block_that_holds_no_token(block):
    text = f"need a block that is a whole number >= 1, got {block}"
    with pytest.raises(ValueError, match=re.escape(text)):
        online_attention(*make(QUERY, KEY), block=block)


def test_a_block_of_true():
    with pytest.raises(ValueError, match=r"whole number >= 1, got True"):
        online_attention(*make(QUERY, KEY), block=True)


def test_inputs_are_looked_at():
    q, k, v = make(QUERY, KEY)
    with pytest.raises(ValueError, match="need q, k and v of one float format"):
        online_attention(q, k.float(), v)
    with pytest.raises(ValueError, match="need heads of k and v that divide"):
        online_attention(q, k[:, :2], v[:, :2])
    with pytest.raises(ValueError, match="need keep on cpu, got it on meta"):
        online_attention(q, k, v, keep=torch.ones(BATCH, KEY).bool().to("meta"))
    with pytest.raises(ValueError, match="need a scale that is a finite number"):
        online_attention(q, k, v, scale=math.nan)
