"""Dropout of window attention: which weights, how many, and the same ones backward."""

from functools import partial

import pytest
import torch
from attention_cases import BATCH, D_HEAD, D_VALUE, choose, make

from longctx_edu.attention import band, window_attention

patterns = {
    "plain": {},
    "causal": {"causal": True},
    "dilated": {"dilation": 2},
    "padded": {"keep": 0.8},
    "global": {"global_tokens": 0.2},
    "global and causal": {"global_tokens": 0.2, "causal": True},
    "all": {"global_tokens": 0.2, "keep": 0.8, "dilation": 2},
}


def prepare(pattern, n, *, left=2, right=1, dropout=0.4, seed=0):
    """Window attention that drops the same weights each time it is called."""
    options = dict(patterns[pattern])
    for i, name in enumerate(("global_tokens", "keep")):
        options[name] = choose(options.get(name), BATCH, n, seed=i)

    def attend(q, k, v):
        torch.manual_seed(seed)
        return window_attention(
            q, k, v, left=left, right=right, dropout=dropout, **options
        )

    return attend


# equals the definition


@pytest.mark.parametrize("pattern", ["plain", "global and causal", "all"])
def test_gradcheck(pattern):
    inputs = make(7, head=2, kv_head=1, d_head=2, d_value=3)
    assert torch.autograd.gradcheck(prepare(pattern, 7), inputs)


@pytest.mark.parametrize("d_value", [D_HEAD, D_VALUE])
@pytest.mark.parametrize("pattern", patterns)
def test_gradcheck_of_many_blocks_along_random_directions(
    monkeypatch, pattern, d_value
):
    monkeypatch.setattr(band, "_CPU_RUN", 3 * BATCH * 2 * 35 * D_HEAD)
    inputs = make(200, head=4, kv_head=2, d_value=d_value)
    attend = prepare(pattern, 200)
    assert torch.autograd.gradcheck(attend, inputs, fast_mode=True)


# properties


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


@pytest.mark.parametrize("pattern", patterns)
def test_the_mean_over_many_draws_is_the_result_without_dropout(pattern):
    n, draws = 20, 500
    options = dict(patterns[pattern])
    for i, name in enumerate(("global_tokens", "keep")):
        flags = choose(options.get(name), 1, n, seed=i)
        options[name] = None if flags is None else flags.expand(draws, -1)
    inputs = [x.detach().expand(draws, -1, -1, -1) for x in make(n, batch=1)]
    attend = partial(window_attention, *inputs, left=2, right=1, **options)
    torch.manual_seed(0)
    dropped, plain = attend(dropout=0.3), attend()[0]
    error = (dropped.mean(dim=0) - plain) / (dropped.std(dim=0) / draws**0.5 + 1e-9)
    assert error.abs().max() < 5  # standard errors
    moves = dropped.std(dim=0).amax(dim=-1) > 0
    assert torch.equal(moves, (plain != 0).any(dim=-1))


@pytest.mark.parametrize("pattern", patterns)
def test_another_seed_drops_other_weights_and_the_same_seed_the_same(pattern):
    inputs = make(70)
    one, again = prepare(pattern, 70)(*inputs), prepare(pattern, 70)(*inputs)
    other = prepare(pattern, 70, seed=1)(*inputs)
    assert torch.equal(one, again)
    sees = (one != 0).any(dim=-1) & (other != 0).any(dim=-1)
    assert (one != other).any(dim=-1)[sees].double().mean() > 0.5


@pytest.mark.parametrize("a_run_for_each_block", [False, True])
def test_heads_texts_blocks_and_streams_drop_weights_of_their_own(
    monkeypatch, a_run_for_each_block
):
    if a_run_for_each_block:
        monkeypatch.setattr(band, "_CPU_RUN", 1)
    n = 192
    q = torch.zeros(BATCH, 4, n, 1)
    k, weight = q[:, :2], torch.ones(BATCH, 2, n, 1)
    torch.manual_seed(0)
    for dilation in (1, 3):
        out = window_attention(
            q, k, weight, left=4, right=4, dilation=dilation, dropout=0.5
        )
        inner = out[:, :, 12:-12].flatten(2)  # how many of nine keys are left, halved
        rows = inner.flatten(0, 1)
        assert not torch.isclose(rows[:, None], rows).all(dim=-1).triu(1).any()
        period = 32 * dilation
        for step in (1, period):
            same = torch.isclose(inner[..., step:], inner[..., :-step])
            assert same.double().mean() < 0.4


def test_no_dropout_draws_no_random_number():
    before = torch.get_rng_state()
    window_attention(*make(9), left=1, right=1)
    assert torch.equal(torch.get_rng_state(), before)


# edges


@pytest.mark.parametrize("pattern", patterns)
def test_rows_that_see_nothing_stay_0_with_gradient_0(pattern):
    inputs = make(40)
    options = {**patterns[pattern], "keep": torch.zeros(BATCH, 40).bool()}
    if "global_tokens" in options:
        options["global_tokens"] = choose(0.2, BATCH, 40)
    out = window_attention(*inputs, left=2, right=1, dropout=0.5, **options)
    assert (out == 0).all()
    gradients = torch.autograd.grad(out.sum(), inputs)
    assert all((gradient == 0).all() for gradient in gradients)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_lower_precision_drops_the_same_weights(dtype):
    rounded = [x.detach().to(dtype) for x in make(70)]
    attend = prepare("global", 70)
    exact = attend(*(x.double() for x in rounded))
    atol = 16 * torch.finfo(dtype).eps
    torch.testing.assert_close(attend(*rounded).double(), exact, rtol=0, atol=atol)
