import re
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from longctx_edu.attention import dense_attention, full_attention, window_attention
from longctx_edu.masks import causal, dense_mask, global_tokens, padding, window
from longctx_edu.shapes import merge_heads, split_heads

BATCH, HEAD, TOKEN, D_HEAD, D_VALUE = 2, 3, 75, 4, 6
sides = st.one_of(st.none(), st.integers(0, 5), st.integers(6, 150))
shares = st.sampled_from([None, 0.0, 0.03, 0.3, 1.0])


def make(*, batch=BATCH, n=TOKEN, d_value=D_VALUE, seed=0, dtype=torch.float64):
    """Queries, keys and values that differ in every number."""
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(
            batch, HEAD, n, d, generator=generator, dtype=dtype, requires_grad=True
        )
        for d in (D_HEAD, D_HEAD, d_value)
    ]


def choose(share, *, batch=BATCH, n=TOKEN, seed=0):
    """Choose that share of the tokens, others in every text."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(batch, n, generator=generator) < share


def mask_of(n, *, left, right, dilation=1, flags=None, keep=None, look_ahead=True):
    """The mask that window attention claims, formed whole from predicates."""
    allowed = window(left=left, right=right, dilation=dilation)
    if flags is not None:
        allowed = allowed | global_tokens(flags[:, None])
    if keep is not None:
        allowed = allowed & padding(keep[:, None])
    if not look_ahead:
        allowed = allowed & causal()
    return dense_mask(allowed, n)


def assert_equal_with_gradients(ours, dense, inputs, atol=1e-12):
    torch.testing.assert_close(ours, dense, rtol=0, atol=atol)
    factor = torch.linspace(-1, 2, dense.numel()).double().reshape(dense.shape)
    for got, expected in zip(
        torch.autograd.grad((ours * factor).sum(), inputs),
        torch.autograd.grad((dense * factor).sum(), inputs),
        strict=True,
    ):
        torch.testing.assert_close(got, expected, rtol=0, atol=atol)


# equals the definition


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    batch=st.integers(1, 3),
    n=st.one_of(st.integers(1, 40), st.integers(41, 300)),
    left=sides,
    right=sides,
    dilation=st.sampled_from([1, 1, 2, 3, 7, 400]),
    global_share=shares,
    keep_share=st.sampled_from([None, 0.0, 0.1, 0.8, 1.0]),
    look_ahead=st.booleans(),
    scale=st.sampled_from([None, 0.2]),
    d_value=st.sampled_from([D_HEAD, D_VALUE]),
    seed=st.integers(0, 2**31),
)
@example(2, 129, 64, 64, 1, 0.03, 0.8, True, None, D_HEAD, 0)  # a block and 1
@example(2, 257, 200, 150, 2, 0.03, 0.8, True, None, D_VALUE, 1)  # reach > block
@example(3, 127, 3, 0, 3, 0.3, None, False, None, D_VALUE, 2)
def test_window_equals_dense(
    batch, n, left, right, dilation, global_share, keep_share, look_ahead, scale,
    d_value, seed,
):  # fmt: skip
    inputs = make(batch=batch, n=n, d_value=d_value, seed=seed)
    flags = keep = None
    if global_share is not None:
        flags = choose(global_share, batch=batch, n=n, seed=seed)
    if keep_share is not None:
        keep = choose(keep_share, batch=batch, n=n, seed=seed + 1)
    shape = {"left": left, "right": right, "dilation": dilation}
    ours = window_attention(
        *inputs,
        **shape,
        global_tokens=flags,
        keep=keep,
        causal=not look_ahead,
        scale=scale,
    )
    mask = mask_of(n, **shape, flags=flags, keep=keep, look_ahead=look_ahead)
    dense = dense_attention(*inputs, mask=mask, scale=scale)
    assert_equal_with_gradients(ours, dense, inputs)


# equals outside references


@pytest.mark.parametrize("look_ahead", [True, False])
@pytest.mark.parametrize("dilation", [1, 2])
def test_window_equals_torch_sdpa_under_its_mask(dilation, look_ahead):
    inputs = make()
    flags, shape = choose(0.05), {"left": 4, "right": 6, "dilation": dilation}
    ours = window_attention(
        *inputs, **shape, global_tokens=flags, causal=not look_ahead
    )
    mask = mask_of(TOKEN, **shape, flags=flags, look_ahead=look_ahead)
    torchs = F.scaled_dot_product_attention(*inputs, attn_mask=mask)
    assert_equal_with_gradients(ours, torchs, inputs)


@pytest.mark.parametrize("global_share", [0.0, 0.1])
def test_window_equals_longformer_of_transformers(global_share):
    longformer = pytest.importorskip(
        "transformers.models.longformer.modeling_longformer"
    )
    n, total = 96, 16  # transformers' window counts both sides, and divides the text
    d_model = HEAD * D_HEAD
    config = longformer.LongformerConfig(
        hidden_size=d_model,
        num_attention_heads=HEAD,
        attention_window=[total],
        attention_probs_dropout_prob=0.0,
    )
    peer = longformer.LongformerSelfAttention(config, layer_id=0)
    for name in ("query", "key", "value"):
        own = getattr(peer, name)
        getattr(peer, f"{name}_global").load_state_dict(own.state_dict())
    x = torch.randn(BATCH, n, d_model, generator=torch.Generator().manual_seed(0))
    keep = torch.arange(n) < torch.tensor([[n], [n - 19]])
    flags = choose(global_share, n=n) & keep
    # Its mask: below 0 padding, 0 local, above 0 global.
    (theirs,) = peer(
        x,
        attention_mask=flags.float() * 1e4 - (~keep).float() * 1e4,
        is_index_masked=~keep,
        is_index_global_attn=flags,
        is_global_attn=bool(flags.any()),
    )
    q, k, v = (split_heads(f(x), HEAD) for f in (peer.query, peer.key, peer.value))
    ours = merge_heads(
        window_attention(
            q, k, v, left=total // 2, right=total // 2, global_tokens=flags, keep=keep
        )
    )
    # Padded queries: theirs are 0, ours read the real tokens; nobody uses either.
    torch.testing.assert_close(ours[keep], theirs[keep], rtol=0, atol=1e-5)


def test_window_equals_local_attention():
    peer = pytest.importorskip("local_attention", reason="needs the extra 'bench'")
    n, size = 96, 16
    q, k, v = make(n=n, d_value=D_HEAD)
    layer = peer.LocalAttention(
        window_size=size,
        causal=True,
        look_backward=1,
        exact_windowsize=True,
        use_rotary_pos_emb=False,
    )
    ours = window_attention(q, k, v, left=size, right=0)
    torch.testing.assert_close(ours, layer(q, k, v), rtol=0, atol=1e-12)


# properties


@pytest.mark.parametrize("look_ahead", [True, False])
@pytest.mark.parametrize("dilation", [1, 3])
def test_a_key_that_is_not_seen_changes_nothing_bit_for_bit(dilation, look_ahead):
    q, k, v = (x.detach() for x in make())
    flags, keep = choose(0.04), choose(0.9, seed=1)
    shape = {"left": 3, "right": 5, "dilation": dilation}
    attend = partial(
        window_attention,
        q, **shape, global_tokens=flags, keep=keep, causal=not look_ahead,
    )  # fmt: skip
    mask = mask_of(TOKEN, **shape, flags=flags, keep=keep, look_ahead=look_ahead)
    before = attend(k, v)
    for key in range(TOKEN):
        other_k, other_v = k.clone(), v.clone()
        other_k[:, :, key], other_v[:, :, key] = 50.0, -50.0
        after = attend(other_k, other_v)
        for text in range(BATCH):
            blind = ~mask[text, 0, :, key]
            assert torch.equal(after[text, :, blind], before[text, :, blind])
            seeing = (after[text] != before[text]).any(dim=(0, 2))
            assert torch.equal(seeing, ~blind)


@pytest.mark.parametrize("dilation", [1, 2, 100])
def test_a_window_of_nothing_returns_v(dilation):
    q, k, v = make()
    assert torch.equal(window_attention(q, k, v, left=0, right=0, dilation=dilation), v)


@pytest.mark.parametrize("side", [TOKEN - 1, 10 * TOKEN, None])
def test_a_window_as_long_as_the_text_equals_full_attention(side):
    inputs = make()
    keep = choose(0.8)
    ours = window_attention(*inputs, left=side, right=side, keep=keep)
    assert_equal_with_gradients(ours, full_attention(*inputs, keep=keep), inputs)


def test_the_same_words_later_in_the_text_give_the_same_rows():
    q, k, v = make()
    attend = partial(window_attention, left=6, right=2, dilation=2)
    later = attend(*(x[:, :, 17:] for x in (q, k, v)))
    whole = attend(q, k, v)[:, :, 17:]
    torch.testing.assert_close(later[:, :, 12:], whole[:, :, 12:])
    assert not torch.allclose(later[:, :, :12], whole[:, :, :12])


def test_reading_backwards_swaps_left_and_right():
    inputs = make()
    flags = choose(0.05)
    ours = window_attention(*inputs, left=2, right=7, dilation=2, global_tokens=flags)
    backwards = window_attention(
        *(x.flip(2) for x in inputs),
        left=7,
        right=2,
        dilation=2,
        global_tokens=flags.flip(1),
    )
    torch.testing.assert_close(backwards.flip(2), ours)


def test_texts_of_a_batch_do_not_touch_each_other():
    inputs = make(batch=3)
    flags, keep = choose(0.05, batch=3), choose(0.8, batch=3, seed=1)
    order = torch.tensor([2, 0, 1])
    out = window_attention(*inputs, left=3, right=3, global_tokens=flags, keep=keep)
    shuffled = window_attention(
        *(x[order] for x in inputs),
        left=3,
        right=3,
        global_tokens=flags[order],
        keep=keep[order],
    )
    assert torch.equal(shuffled, out[order])
    for text in range(3):
        one = slice(text, text + 1)
        alone = window_attention(
            *(x[one] for x in inputs),
            left=3,
            right=3,
            global_tokens=flags[one],
            keep=keep[one],
        )
        torch.testing.assert_close(alone, out[one])


def test_dropout_removes_that_share_of_the_weights_and_scales_the_rest():
    torch.manual_seed(0)
    q, v = torch.zeros(1, 1, 2000, 4), torch.ones(1, 1, 2000, 1)
    out = window_attention(q, q, v, left=2, right=2, dropout=0.25)[:, :, 2:-2]
    parts = out * 5 * 0.75  # how many of the five keys are left
    torch.testing.assert_close(parts, parts.round())
    assert 0.95 < out.mean() < 1.05
    assert out.std() > 0.1
    flags = torch.ones(1, 50).bool()
    q, v = q[:, :, :50], v[:, :, :50]
    out = window_attention(q, q, v, left=2, right=2, global_tokens=flags, dropout=0.25)
    parts = out * 50 * 0.75  # of a global token, how many of the fifty
    torch.testing.assert_close(parts, parts.round())
    assert 0.9 < out.mean() < 1.1
    assert out.std() > 0.02


class Formed(TorchDispatchMode):
    """Counts the bytes of every tensor that is formed, forward and backward."""

    def __init__(self):
        super().__init__()
        self.seen, self.largest, self.total = {}, 0, 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for x in tree_leaves(out):
            if isinstance(x, torch.Tensor) and x.untyped_storage().data_ptr():
                storage = x.untyped_storage()
                if storage._cdata not in self.seen:
                    self.seen[storage._cdata] = storage  # kept, so no id comes twice
                    self.largest = max(self.largest, storage.nbytes())
                    self.total += storage.nbytes()
        return out


def bytes_formed(n, *, d_value, options):
    inputs = make(batch=1, n=n, d_value=d_value, dtype=torch.float32)
    with Formed() as formed:
        out = window_attention(*inputs, left=8, right=8, **options(n))
        out.sum().backward()
    return formed


def plain(n):
    return {}


def everything(n):
    return {
        "global_tokens": torch.arange(n)[None] < 3,
        "keep": torch.arange(n)[None] < n - 5,
        "dilation": 2,
    }


@pytest.mark.parametrize("d_value", [D_HEAD, D_VALUE])
@pytest.mark.parametrize("options", [plain, everything])
def test_memory_is_linear_and_the_square_is_never_formed(options, d_value):
    n = 2048
    short = bytes_formed(n, d_value=d_value, options=options)
    long = bytes_formed(2 * n, d_value=d_value, options=options)
    assert long.largest < 2.2 * short.largest
    assert long.total < 2.05 * short.total
    assert long.largest < (2 * n) ** 2  # bytes: less than a square of bools


# edges


@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("is_global", [False, True])
def test_one_token_takes_its_own_value(is_global, dilation):
    inputs = make(n=1)
    flags = torch.full((BATCH, 1), is_global)
    out = window_attention(
        *inputs, left=2, right=None, dilation=dilation, global_tokens=flags
    )
    torch.testing.assert_close(out, inputs[2])


@pytest.mark.parametrize(("batch", "n"), [(BATCH, 0), (0, TOKEN), (0, 0)])
def test_an_empty_text_and_an_empty_batch(batch, n):
    inputs = make(batch=batch, n=n)
    flags = torch.ones(batch, n).bool()
    out = window_attention(*inputs, left=2, right=2, global_tokens=flags, keep=flags)
    assert out.shape == (batch, HEAD, n, D_VALUE)
    assert out.dtype == torch.float64
    out.sum().backward()  # a model that meets an empty text still trains
    assert inputs[2].grad.shape == inputs[2].shape


@pytest.mark.parametrize("global_share", [None, 0.0, 0.1, 1.0])
def test_rows_that_see_nothing_are_0_with_gradient_0(global_share):
    inputs = make()
    flags = None if global_share is None else choose(global_share)
    keep = torch.arange(TOKEN) < torch.tensor([[30], [0]])
    shape = {"left": 3, "right": 3}
    out = window_attention(*inputs, **shape, global_tokens=flags, keep=keep)
    sees = mask_of(TOKEN, **shape, flags=flags, keep=keep).any(-1)[:, 0]
    assert not sees[1].any()
    rows = out.transpose(1, 2)
    assert (rows[~sees] == 0).all()
    assert (rows[sees] != 0).all()
    gradients = torch.autograd.grad(out.sum(), inputs)
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert all((gradient[1] == 0).all() for gradient in gradients)
    assert (gradients[0].transpose(1, 2)[~sees] == 0).all()


def test_all_tokens_global_is_full_attention():
    inputs = make()
    flags = torch.ones(BATCH, TOKEN).bool()
    ours = window_attention(*inputs, left=0, right=0, global_tokens=flags)
    assert_equal_with_gradients(ours, full_attention(*inputs), inputs)


def test_no_token_global_and_none_padded_is_the_plain_window():
    inputs = make()
    none = torch.zeros(BATCH, TOKEN).bool()
    plain = window_attention(*inputs, left=2, right=2)
    ours = window_attention(*inputs, left=2, right=2, global_tokens=none, keep=~none)
    assert torch.equal(ours, plain)


def test_a_padded_global_token_is_seen_by_nobody_and_still_sees_all():
    q, k, v = make(batch=1)
    flags = (torch.arange(TOKEN) == 40)[None]
    ours = window_attention(q, k, v, left=1, right=1, global_tokens=flags, keep=~flags)
    mask = mask_of(TOKEN, left=1, right=1, flags=flags, keep=~flags)
    assert mask[0, 0, 40].sum() == TOKEN - 1
    assert mask[0, 0, :, 40].sum() == 0
    torch.testing.assert_close(ours, dense_attention(q, k, v, mask=mask))


@pytest.mark.parametrize("global_share", [None, 0.05])
@pytest.mark.parametrize(
    ("dtype", "atol"),
    [(torch.float32, 2e-6), (torch.float16, 4e-3), (torch.bfloat16, 4e-2)],
)
def test_lower_precision_stays_close_to_float64(dtype, atol, global_share):
    flags = None if global_share is None else choose(global_share)
    keep = torch.arange(TOKEN) < torch.tensor([[TOKEN], [20]])
    attend = partial(window_attention, left=5, right=2, global_tokens=flags, keep=keep)
    rounded = [x.detach().to(dtype).requires_grad_() for x in make()]
    exact = [x.detach().double().requires_grad_() for x in rounded]
    ours, reference = attend(*rounded), attend(*exact)
    assert ours.dtype == dtype
    torch.testing.assert_close(ours.double(), reference, rtol=0, atol=atol)
    ours.sum().backward()
    reference.sum().backward()
    for got, expected in zip(rounded, exact, strict=True):
        torch.testing.assert_close(
            got.grad.double(), expected.grad, rtol=10 * atol, atol=10 * atol
        )


@pytest.mark.parametrize("global_share", [None, 0.05])
@pytest.mark.parametrize("d_value", [D_HEAD, D_VALUE])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_autocast(dtype, d_value, global_share):
    flags = None if global_share is None else choose(global_share)
    keep = torch.arange(TOKEN) < torch.tensor([[TOKEN], [0]])
    inputs = make(d_value=d_value, dtype=torch.float32)
    attend = partial(window_attention, left=5, right=2, global_tokens=flags, keep=keep)
    with torch.autocast("cpu", dtype):
        ours = attend(*inputs)
    assert ours.dtype == dtype
    exact = attend(*(x.double() for x in inputs))
    torch.testing.assert_close(ours.double(), exact, rtol=0, atol=4e-2)
    gradients = torch.autograd.grad(ours.float().sum(), inputs)
    assert all(gradient.isfinite().all() for gradient in gradients)


@pytest.mark.parametrize("dropout", [0.0, 0.2])
@pytest.mark.parametrize("d_value", [D_HEAD, D_VALUE])
def test_everything_is_made_where_the_inputs_are(d_value, dropout):
    flags, keep, inputs = choose(0.1), choose(0.8), make(d_value=d_value)
    shape = {"left": 2, "right": 2, "dilation": 2, "dropout": dropout}
    with torch.device("meta"):  # what names no device of its own lands elsewhere
        out = window_attention(*inputs, **shape, global_tokens=flags, keep=keep)
        causal_out = window_attention(*inputs, **shape, causal=True)
    torch.autograd.grad(out.sum() + causal_out.sum(), inputs)


# messages


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {"left": -1, "right": 2},
            "need left and right that are whole numbers >= 0 or None, "
            "got left=-1 and right=2",
        ),
        (
            {"left": 1, "right": -2},
            "need left and right that are whole numbers >= 0 or None, "
            "got left=1 and right=-2",
        ),
        (
            {"left": True, "right": 2},
            "need left and right that are whole numbers >= 0 or None, "
            "got left=True and right=2",
        ),
        (
            {"left": 1, "right": 2, "dilation": 0},
            "need a dilation that is a whole number >= 1, got 0",
        ),
    ],
)
def test_a_window_that_has_no_meaning(options, text):
    with pytest.raises(ValueError, match=re.escape(text)):
        window_attention(*make(), **options)
