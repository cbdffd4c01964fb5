import pytest
import torch

N = 30


def ids(n=N, batch=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(5, 60, (batch, n), generator=generator)


def padded(side):
    """Two texts, of which one is nine tokens shorter."""
    place = torch.arange(N)
    short = place < N - 9 if side == "right" else place >= 9
    return torch.stack([place >= 0, short])


def flags():
    chosen = torch.zeros(2, N, dtype=torch.bool)
    chosen[0, [0, 4]] = chosen[1, [2, 17]] = True  # 2 may be padding
    return chosen


def read(model, text, **how):
    return model(text, **how).last_hidden_state


def equal_on_real(found, wanted, keep, **how):
    torch.testing.assert_close(found[keep], wanted[keep], **how)


def added(square):
    """Turn a mask into what eager attention adds to the scores."""
    if isinstance(square, dict):
        return {layer: added(one) for layer, one in square.items()}
    lowest = torch.finfo(torch.float32).min
    return torch.zeros(square.shape).double().masked_fill(~square, lowest)


# equals dense attention under the same mask

PATTERNS = {
    "narrow": {"left": 3, "right": 2},
    "dilated": {"left": 2, "right": 1, "dilation": 3},
    "global": {"left": 2, "right": 2, "flags": True},
    "dilated and global": {"left": 1, "right": 2, "dilation": 2, "flags": True},
}


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("name", PATTERNS)
def test_equals_eager_attention_and_sdpa_under_the_same_mask(
    family, with_window, name, side
):
    pattern = dict(PATTERNS[name])
    model, text, keep = family.make(), ids(), padded(side)
    chosen = flags() if pattern.pop("flags", False) else None
    square = family.mask(N, flags=chosen, keep=keep, **pattern)
    changed = with_window(model, **pattern)
    how = {"attention_mask": keep.long(), "longctx_global_tokens": chosen}
    with torch.no_grad():
        found = read(changed, text, **how)
        wanted = read(model, text, attention_mask=added(square))
        # Half of the families compute the eager softmax in float32.
        equal_on_real(found, wanted, keep, atol=3e-6, rtol=0)
        model.set_attn_implementation("sdpa")
        equal_on_real(found, read(model, text, attention_mask=square), keep)


def test_the_gradient_equals_that_of_sdpa_under_the_same_mask(family, with_window):
    pattern = {"left": 3, "right": 1, "dilation": 2}
    model, text, keep = family.make(), ids(), padded("left")
    changed = with_window(model, **pattern)
    model.set_attn_implementation("sdpa")
    weigh = torch.randn(2, N, 32, dtype=torch.float64) * keep[..., None]
    wanted = read(model, text, attention_mask=family.mask(N, keep=keep, **pattern))
    found = read(changed, text, attention_mask=keep.long())
    (wanted * weigh).sum().backward()
    (found * weigh).sum().backward()
    for (name, ours), theirs in zip(
        changed.named_parameters(), model.parameters(), strict=True
    ):
        if theirs.grad is not None:  # a pooling layer has none
            torch.testing.assert_close(ours.grad, theirs.grad, msg=name)


# equals torch's own attention where nothing is hidden


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_window_as_wide_as_the_text_equals_sdpa(family, with_window, side):
    model, keep = family.make(), padded(side)
    changed = with_window(model, left=N, right=N)
    model.set_attn_implementation("sdpa")
    with torch.no_grad():
        wanted = read(model, ids(), attention_mask=keep.long())
        found = read(changed, ids(), attention_mask=keep.long())
        equal_on_real(found, wanted, keep)
        torch.testing.assert_close(read(changed, ids()), read(model, ids()))


def test_a_layer_has_a_scale_of_its_own(of_kind, with_window):
    model = of_kind("gpt2").make(scale_attn_by_inverse_layer_idx=True)
    changed = with_window(model, left=N)
    model.set_attn_implementation("sdpa")
    with torch.no_grad():
        torch.testing.assert_close(read(changed, ids()), read(model, ids()))


# what a call says, and what the config says


def test_a_call_wins_over_the_config(family, with_window):
    model = family.make()
    narrow, wide = with_window(model, left=2, right=2), with_window(model)
    with torch.no_grad():
        wanted = read(narrow, ids())
        how = {"longctx_left": 2, "longctx_right": 2}
        torch.testing.assert_close(read(wide, ids(), **how), wanted)
        narrow.config.longctx_left = 1
        torch.testing.assert_close(read(narrow, ids(), longctx_left=2), wanted)
        assert not torch.equal(read(narrow, ids()), wanted)
        how = {"longctx_left": 1, "longctx_right": 1, "longctx_dilation": 2}
        narrow.config.longctx_right, narrow.config.longctx_dilation = 1, 2
        torch.testing.assert_close(read(narrow, ids()), read(wide, ids(), **how))


@pytest.mark.parametrize("side", ["left", "right"])
def test_first_tokens_and_positions_count_from_the_first_real_token(
    family, with_window, side
):
    model, keep = family.make(), padded(side)
    changed = with_window(model, left=1, right=1)
    place = keep.long().cumsum(dim=1) - 1
    how = {"attention_mask": keep.long()}
    for asked, chosen in (
        (3, (place < 3) & keep),
        ([0, 7, 99], ((place == 0) | (place == 7)) & keep),
        ([], torch.zeros_like(keep)),
    ):
        with torch.no_grad():
            wanted = read(changed, ids(), longctx_global_tokens=chosen, **how)
            changed.config.longctx_global_tokens = asked
            equal_on_real(read(changed, ids(), **how), wanted, keep)
            given = read(changed, ids(), longctx_global_tokens=asked, **how)
        equal_on_real(given, wanted, keep)


# properties


def test_padding_changes_nothing(family, with_window):
    model = with_window(family.make(), left=2, right=2, global_tokens=1)
    short = ids()[:1, : N - 9]
    place = torch.arange(N - 9)[None]
    filled = torch.cat([short, torch.full((1, 9), 1)], dim=1)
    keep = padded("right")[1:].long()
    with torch.no_grad():
        alone = read(model, short)
        found = read(model, filled, attention_mask=keep)[:, : N - 9]
        torch.testing.assert_close(found, alone)
        if family.kind in ("distilbert", "roberta", "modernbert", "mistral"):
            return  # takes no position_ids, counts padding itself, or only distances
        filled = torch.cat([torch.full((1, 9), 1), short], dim=1)
        where = torch.cat([torch.zeros(1, 9).long(), place], dim=1)
        keep = padded("left")[1:].long()
        found = read(model, filled, attention_mask=keep, position_ids=where)[:, 9:]
    torch.testing.assert_close(found, alone)


def test_a_narrow_window_hides_the_far(family, with_window):
    model = with_window(family.make(), left=1, right=1)
    text, other = ids(batch=1), ids(batch=1)
    other[0, 15] = 5 + (other[0, 15] - 4) % 50
    with torch.no_grad():
        moved = (read(model, text) != read(model, other))[0].any(dim=-1)
    first = 15 if family.causal else 13  # two layers reach two tokens
    assert moved.nonzero().flatten().tolist() == list(range(first, 18))


def test_a_mask_of_ones_is_no_mask(family, with_window):
    model = with_window(family.make(), left=2, right=1)
    with torch.no_grad():
        ones = torch.ones(2, N, dtype=torch.long)
        found = read(model, ids(), attention_mask=ones)
        assert torch.equal(found, read(model, ids()))


def test_one_token_and_dropout(of_kind, with_window):
    model = with_window(of_kind("bert").make(hidden_dropout_prob=0), left=2, right=2)
    with torch.no_grad():
        assert read(model, ids(1)).isfinite().all()
        model.train()
        torch.manual_seed(0)
        first = read(model, ids())
        assert not torch.equal(first, read(model, ids()))
        torch.manual_seed(0)
        assert torch.equal(first, read(model, ids()))


def test_a_decoder_that_is_asked_to_look_both_ways(of_kind, with_window):
    model = of_kind("llama").make()
    changed = with_window(model, left=N, right=N)
    model.set_attn_implementation("sdpa")
    keep = padded("right")
    how = {"attention_mask": keep.long(), "is_causal": False}
    with torch.no_grad():
        found, wanted = read(changed, ids(), **how), read(model, ids(), **how)
        equal_on_real(found, wanted, keep)
        assert not torch.allclose(found, read(changed, ids()))
