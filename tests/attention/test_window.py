import inspect
import re
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from attention_cases import (
    BATCH,
    D_HEAD,
    D_VALUE,
    HEAD,
    assert_all_close,
    assert_equal_with_gradients,
    assert_window_equals_dense,
    choose,
    make,
    weigh,
    window_mask,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

from longctx_edu.attention import (
    band,
    dense_attention,
    full_attention,
    window_attention,
)
from longctx_edu.shapes import merge_heads, split_heads

TOKEN = 75
sides = st.one_of(st.none(), st.integers(0, 5), st.integers(6, 150))
shares = st.sampled_from([None, 0.0, 0.03, 0.3, 1.0])


# equals the definition


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    batch=st.integers(1, 3),
    heads=st.sampled_from([(3, 3), (4, 2), (3, 1)]),
    n=st.one_of(st.integers(1, 40), st.integers(41, 200)),
    left=sides,
    right=sides,
    dilation=st.sampled_from([1, 1, 2, 3, 7, 40]),
    global_share=shares,
    keep_share=st.sampled_from([None, 0.0, 0.1, 0.8, 1.0]),
    look_ahead=st.booleans(),
    scale=st.sampled_from([None, 0.2]),
    d_value=st.sampled_from([D_HEAD, D_VALUE]),
    seed=st.integers(0, 2**31),
)
@example(2, (4, 2), 129, 64, 64, 1, 0.03, 0.8, True, None, D_HEAD, 0)  # a block and 1
@example(2, (3, 3), 257, 200, 150, 2, 0.03, 0.8, True, None, D_VALUE, 1)  # far reach
@example(3, (3, 1), 127, 3, 0, 3, 0.3, None, False, None, D_VALUE, 2)
@example(1, (4, 2), 9, 2, 2, 400, 0.3, None, True, None, D_HEAD, 3)  # alone in a stream
def test_window_equals_dense(
    batch, heads, n, left, right, dilation, global_share, keep_share, look_ahead,
    scale, d_value, seed,
):  # fmt: skip
    head, kv_head = heads
    assert_window_equals_dense(
        make(n, batch=batch, head=head, kv_head=kv_head, d_value=d_value, seed=seed),
        left=left, right=right, dilation=dilation,
        flags=choose(global_share, batch, n, seed=seed),
        keep=choose(keep_share, batch, n, seed=seed + 1),
        look_ahead=look_ahead, scale=scale,
    )  # fmt: skip


long_texts = [
    # in runs of many blocks
    {"n": 333, "left": 5, "right": 5},
    {"n": 700, "left": 3, "right": 0, "dilation": 2},
    {"n": 301, "left": 5, "right": 5, "global_share": 0.02},
    {"n": 333, "left": 5, "right": 2, "look_ahead": False, "global_share": 0.02},
    {"n": 352, "left": 5, "right": 5, "keep_share": 0.99},
    {"n": 480, "left": 0, "right": 40, "dilation": 3, "keep_share": 0.99},
]


@pytest.mark.parametrize("longest", [1, 3, 1000])
@pytest.mark.parametrize("options", long_texts, ids=str)
def test_long_texts_equal_dense_however_their_blocks_fall_into_runs(
    monkeypatch, options, longest
):
    options = dict(options)
    n = options.pop("n")
    flags = choose(options.pop("global_share", None), BATCH, n)
    keep = choose(options.pop("keep_share", None), BATCH, n, seed=1)
    width = 32 + options["left"] + options["right"]
    monkeypatch.setattr(band, "_CPU_RUN", longest * BATCH * 2 * width * D_HEAD)
    inputs = make(n, head=4, kv_head=2, d_value=D_HEAD)
    assert_window_equals_dense(inputs, flags=flags, keep=keep, **options)


N = 320
paddings = {
    "at the end": torch.arange(N) < torch.tensor([[N], [130]]),
    "at the beginning": torch.arange(N) >= torch.tensor([[77], [310]]),
    "in a whole text": torch.arange(N) < torch.tensor([[N], [0]]),
    "in all texts": torch.zeros(BATCH, N).bool(),
    "as holes": choose(0.98, BATCH, N, seed=5),
    "as a long hole": (torch.arange(N) - 160).abs() > torch.tensor([[0], [70]]),
    "nowhere": torch.ones(BATCH, N).bool(),
}


@pytest.mark.parametrize("global_share", [None, 0.02])
@pytest.mark.parametrize("where", paddings)
def test_padding_anywhere_equals_dense(where, global_share):
    flags = choose(global_share, BATCH, N)
    inputs = make(N, d_value=D_HEAD)
    assert_window_equals_dense(
        inputs, left=5, right=5, flags=flags, keep=paddings[where]
    )


@pytest.mark.parametrize("look_ahead", [True, False])
@pytest.mark.parametrize("global_share", [None, 0.05])
def test_the_formulas_alone_equal_dense(formulas_only, global_share, look_ahead):
    flags, keep = choose(global_share, BATCH, 150), choose(0.9, BATCH, 150, seed=1)
    inputs = make(150, head=4, kv_head=2, d_value=D_HEAD)
    for some_keep in (None, keep):
        assert_window_equals_dense(
            inputs, left=6, right=3, flags=flags, keep=some_keep, look_ahead=look_ahead
        )


@pytest.mark.parametrize("d_value", [2, 3])
def test_gradcheck(d_value):
    inputs = make(7, head=2, kv_head=1, d_head=2, d_value=d_value)
    flags, keep = choose(0.2, BATCH, 7), choose(0.8, BATCH, 7, seed=1)
    attend = partial(
        window_attention,
        left=1, right=2, dilation=2, global_tokens=flags, keep=keep,
    )  # fmt: skip
    assert torch.autograd.gradcheck(attend, inputs)


# equals outside references


@pytest.mark.parametrize("look_ahead", [True, False])
@pytest.mark.parametrize("dilation", [1, 2])
def test_window_equals_torch_sdpa_under_its_mask(dilation, look_ahead):
    inputs = make(TOKEN)
    flags, shape = (
        choose(0.05, BATCH, TOKEN),
        {"left": 4, "right": 6, "dilation": dilation},
    )
    ours = window_attention(
        *inputs, **shape, global_tokens=flags, causal=not look_ahead
    )
    mask = window_mask(TOKEN, **shape, flags=flags, look_ahead=look_ahead)
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
    flags = choose(global_share, BATCH, n) & keep
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
    q, k, v = make(n, d_value=D_HEAD)
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
    q, k, v = (x.detach() for x in make(TOKEN))
    flags, keep = choose(0.04, BATCH, TOKEN), choose(0.9, BATCH, TOKEN, seed=1)
    shape = {"left": 3, "right": 5, "dilation": dilation}
    attend = partial(
        window_attention,
        q, **shape, global_tokens=flags, keep=keep, causal=not look_ahead,
    )  # fmt: skip
    mask = window_mask(TOKEN, **shape, flags=flags, keep=keep, look_ahead=look_ahead)
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
    q, k, v = make(TOKEN)
    assert torch.equal(window_attention(q, k, v, left=0, right=0, dilation=dilation), v)


@pytest.mark.parametrize("side", [TOKEN - 1, 10 * TOKEN, None])
def test_a_window_as_long_as_the_text_equals_full_attention(side):
    inputs = make(TOKEN)
    keep = choose(0.8, BATCH, TOKEN)
    ours = window_attention(*inputs, left=side, right=side, keep=keep)
    assert_equal_with_gradients(ours, full_attention(*inputs, keep=keep), inputs)


def test_the_same_words_later_in_the_text_give_the_same_rows():
    q, k, v = make(TOKEN)
    attend = partial(window_attention, left=6, right=2, dilation=2)
    later = attend(*(x[:, :, 17:] for x in (q, k, v)))
    whole = attend(q, k, v)[:, :, 17:]
    torch.testing.assert_close(later[:, :, 12:], whole[:, :, 12:])
    assert not torch.allclose(later[:, :, :12], whole[:, :, :12])


def test_reading_backwards_swaps_left_and_right():
    inputs = make(TOKEN)
    flags = choose(0.05, BATCH, TOKEN)
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
    inputs = make(TOKEN, batch=3)
    flags, keep = choose(0.05, 3, TOKEN), choose(0.8, 3, TOKEN, seed=1)
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


# edges


@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("is_global", [False, True])
def test_one_token_takes_its_own_value(is_global, dilation):
    inputs = make(1)
    flags = torch.full((BATCH, 1), is_global)
    out = window_attention(
        *inputs, left=2, right=None, dilation=dilation, global_tokens=flags
    )
    torch.testing.assert_close(out, inputs[2])


@pytest.mark.parametrize(("batch", "n"), [(BATCH, 0), (0, TOKEN), (0, 0)])
def test_an_empty_text_and_an_empty_batch(batch, n):
    inputs = make(n, batch=batch)
    flags = torch.ones(batch, n).bool()
    out = window_attention(*inputs, left=2, right=2, global_tokens=flags, keep=flags)
    assert out.shape == (batch, HEAD, n, D_VALUE)
    assert out.dtype == torch.float64
    out.sum().backward()  # a model that meets an empty text still trains
    assert inputs[2].grad.shape == inputs[2].shape


@pytest.mark.parametrize("global_share", [None, 0.0, 0.1, 1.0])
def test_rows_that_see_nothing_are_0_with_gradient_0(global_share):
    inputs = make(TOKEN)
    flags = choose(global_share, BATCH, TOKEN)
    keep = torch.arange(TOKEN) < torch.tensor([[30], [0]])
    shape = {"left": 3, "right": 3}
    out = window_attention(*inputs, **shape, global_tokens=flags, keep=keep)
    sees = window_mask(TOKEN, **shape, flags=flags, keep=keep).any(-1)[:, 0]
    assert not sees[1].any()
    rows = out.transpose(1, 2)
    assert (rows[~sees] == 0).all()
    assert (rows[sees] != 0).all()
    gradients = torch.autograd.grad(out.sum(), inputs)
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert all((gradient[1] == 0).all() for gradient in gradients)
    assert (gradients[0].transpose(1, 2)[~sees] == 0).all()


def test_all_tokens_global_is_full_attention():
    inputs = make(TOKEN)
    flags = torch.ones(BATCH, TOKEN).bool()
    ours = window_attention(*inputs, left=0, right=0, global_tokens=flags)
    assert_equal_with_gradients(ours, full_attention(*inputs), inputs)


def test_no_token_global_and_none_padded_is_the_plain_window():
    inputs = make(TOKEN)
    none = torch.zeros(BATCH, TOKEN).bool()
    plain = window_attention(*inputs, left=2, right=2)
    ours = window_attention(*inputs, left=2, right=2, global_tokens=none, keep=~none)
    assert torch.equal(ours, plain)


def test_a_padded_global_token_is_seen_by_nobody_and_still_sees_all():
    q, k, v = make(TOKEN, batch=1)
    flags = (torch.arange(TOKEN) == 40)[None]
    ours = window_attention(q, k, v, left=1, right=1, global_tokens=flags, keep=~flags)
    mask = window_mask(TOKEN, left=1, right=1, flags=flags, keep=~flags)
    assert mask[0, 0, 40].sum() == TOKEN - 1
    assert mask[0, 0, :, 40].sum() == 0
    torch.testing.assert_close(ours, dense_attention(q, k, v, mask=mask))


@pytest.mark.parametrize("global_share", [None, 0.05])
@pytest.mark.parametrize(
    ("dtype", "atol"),
    [(torch.float32, 2e-6), (torch.float16, 4e-3), (torch.bfloat16, 4e-2)],
)
def test_lower_precision_stays_close_to_float64(dtype, atol, global_share):
    flags = choose(global_share, BATCH, TOKEN)
    keep = torch.arange(TOKEN) < torch.tensor([[TOKEN], [20]])
    attend = partial(window_attention, left=5, right=2, global_tokens=flags, keep=keep)
    rounded = [x.detach().to(dtype).requires_grad_() for x in make(TOKEN)]
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
    flags = choose(global_share, BATCH, TOKEN)
    keep = torch.arange(TOKEN) < torch.tensor([[TOKEN], [0]])
    inputs = make(TOKEN, d_value=d_value, dtype=torch.float32)
    attend = partial(window_attention, left=5, right=2, global_tokens=flags, keep=keep)
    with torch.autocast("cpu", dtype):
        ours = attend(*inputs)
    assert ours.dtype == dtype
    exact = attend(*(x.double() for x in inputs))
    torch.testing.assert_close(ours.double(), exact, rtol=0, atol=4e-2)
    gradients = torch.autograd.grad(ours.float().sum(), inputs)
    assert all(gradient.isfinite().all() for gradient in gradients)


@pytest.mark.parametrize("size", [1e4, -1e4])
@pytest.mark.parametrize("d_value", [1, 2])
@pytest.mark.parametrize(
    ("dtype", "atol"),
    # band and columns meet in a log-sum-exp near 1e4: 3 digits are left of it
    [(torch.float64, 1e-9), (torch.float32, 2e-3)],
)
def test_scores_of_a_large_size_neither_overflow_nor_vanish(dtype, atol, d_value, size):
    q = torch.full((1, 1, 6, 1), size, dtype=dtype).requires_grad_()
    v = torch.arange(6).to(dtype).reshape(1, 1, 6, 1).expand(-1, -1, -1, d_value)
    flags = (torch.arange(6) == 5)[None]
    out = window_attention(
        q, torch.ones_like(q), v, left=1, right=0, global_tokens=flags
    )
    seen = [[0, 5], [0, 1, 5], [1, 2, 5], [2, 3, 5], [3, 4, 5], range(6)]
    expected = torch.tensor([sum(places) / len(places) for places in seen])
    expected = expected.double()[:, None].expand(-1, d_value)
    torch.testing.assert_close(out[0, 0].double(), expected, rtol=1e-6, atol=atol)
    out.sum().backward()
    assert q.grad.abs().max() < 10 * atol


@pytest.mark.parametrize("dropout", [0.0, 0.2])
@pytest.mark.parametrize("d_value", [D_HEAD, D_VALUE])
def test_autocast_is_the_same_as_short_inputs(d_value, dropout):
    inputs = make(TOKEN, d_value=d_value, dtype=torch.float32)
    inputs = [(10 * x).detach().requires_grad_() for x in inputs]  # scores count
    attend = partial(
        window_attention,
        left=5, right=2, global_tokens=choose(0.05, BATCH, TOKEN), dropout=dropout,
    )  # fmt: skip
    torch.manual_seed(0)
    expected = attend(*(x.bfloat16() for x in inputs))
    torch.manual_seed(0)
    with torch.autocast("cpu", torch.bfloat16):
        ours = attend(*inputs)
        gradients = torch.autograd.grad(weigh(ours), inputs)
    assert torch.equal(ours, expected)
    assert_all_close(gradients, torch.autograd.grad(weigh(expected), inputs), 0.0)


@pytest.mark.parametrize("dropout", [0.0, 0.2])
@pytest.mark.parametrize("d_value", [D_HEAD, D_VALUE])
def test_everything_is_made_where_the_inputs_are(d_value, dropout):
    flags, keep, inputs = (
        choose(0.1, BATCH, TOKEN),
        choose(0.8, BATCH, TOKEN),
        make(TOKEN, d_value=d_value),
    )
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
        window_attention(*make(TOKEN), **options)


def test_inputs_are_looked_at():
    q, k, v = make(TOKEN)
    flags = choose(0.5, BATCH, TOKEN)
    attend = partial(window_attention, left=1, right=1)
    for inputs, options, text in [
        ((q, k[:, :2], v[:, :2]), {}, "need heads of k and v that divide the heads"),
        ((q, k.float(), v), {}, "need q, k and v of one float format, got q torch.f"),
        ((q, k, v.to("meta")), {}, "need q, k and v on one device, got q on cpu"),
        ((q, k, v), {"keep": flags.to("meta")}, "need keep on cpu, got it on meta"),
        ((q, k, v), {"global_tokens": flags.to("meta")}, "need global_tokens on cpu"),
        ((q, k, v), {"dropout": 1.0}, "need a dropout from 0 to below 1, got 1.0"),
        ((q, k, v), {"scale": float("nan")}, "need a scale that is a finite number"),
    ]:
        with pytest.raises(ValueError, match=re.escape(text)):
            attend(*inputs, **options)


@pytest.mark.parametrize(
    ("q", "k", "text"),
    [
        ((5, 4), (2, 3, 5, 4), "need q, k and v of shape (batch, head, token, d), got"),
        ((2, 3, 5, 4), (2, 3, 6, 4), "need as many keys as queries, got 6 and 5"),
        ((2, 3, 5, 4), (1, 3, 5, 4), "need one batch for all"),
        ((2, 3, 5, 3), (2, 3, 5, 4), "need queries and keys of one width"),
    ],
)
def test_shapes_that_do_not_fit(q, k, text):
    attend = inspect.unwrap(window_attention)  # without the check of annotations
    q, k = torch.zeros(q), torch.zeros(k)
    with pytest.raises(ValueError, match=re.escape(text)):
        attend(q, k, k, left=1, right=1)


@pytest.mark.parametrize("name", ["keep", "global_tokens"])
def test_flags_that_do_not_fit(name):
    attend = inspect.unwrap(window_attention)
    for flags in (torch.ones(BATCH, TOKEN), torch.ones(BATCH, 3).bool()):
        with pytest.raises(ValueError, match=f"need {name} "):
            attend(*make(TOKEN), left=1, right=1, **{name: flags})
