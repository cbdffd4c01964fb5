import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from longctx_edu.attention.blocks import (
    Pattern,
    band_blocks,
    block_mask,
    positions,
    query_blocks,
)
from longctx_edu.attention.global_rows import find_globals
from longctx_edu.masks import causal, dense_mask, global_tokens, padding, window

few = settings(max_examples=60, deadline=None, derandomize=True)
sides = st.one_of(st.none(), st.integers(0, 5), st.integers(6, 150))
windows = {
    "n": st.one_of(st.integers(1, 12), st.integers(13, 300)),
    "left": sides,
    "right": sides,
    "dilation": st.sampled_from([1, 1, 2, 3, 50]),
}


def numbered(n):
    """A text whose token p holds the number p + 1, so that 0 is padding."""
    return torch.arange(1.0, n + 1).reshape(1, 1, n, 1)


# equals the definition


@few
@given(**windows)
def test_blocks_hold_the_tokens_that_positions_name(n, left, right, dilation):
    pattern = Pattern.fit(n, left, right, dilation)
    query, key = positions(pattern, torch.device("cpu"))
    x = numbered(n)
    for blocks, place in ((query_blocks, query), (band_blocks, key)):
        expected = torch.where((place >= 0) & (place < n), place + 1, 0)
        got = blocks(x, pattern)[:, 0, :, 0]
        assert torch.equal(got, expected.flatten(0, 1).float())


@few
@given(**windows, look_ahead=st.booleans(), seed=st.integers(0, 2**31))
def test_the_mask_of_blocks_is_the_dense_mask_cut_up(
    n, left, right, dilation, look_ahead, seed
):
    generator = torch.Generator().manual_seed(seed)
    flags = torch.rand(2, n, generator=generator) < 0.1
    keep = torch.rand(2, n, generator=generator) < 0.8
    allowed = window(left=left, right=right, dilation=dilation)
    allowed = (allowed | global_tokens(flags)) & padding(keep)
    if not look_ahead:
        allowed, right = allowed & causal(), 0
    dense = dense_mask(allowed, n)
    pattern = Pattern.fit(n, left, right, dilation)
    found = find_globals(flags)
    device = torch.device("cpu")
    mask = block_mask(pattern, flags, keep, found, causal=not look_ahead, device=device)
    query, key = positions(pattern, device)
    n_global = 0 if found is None else found.places.shape[1]
    spread = torch.zeros(2, n, n, dtype=torch.int)
    for text in range(2):
        for stream in range(dilation):
            for block in range(pattern.n_blocks):
                rows = query[stream, block]
                keys = key[stream, block]
                if n_global:
                    keys = torch.cat([found.places[text], keys])
                tile = mask[text, stream, block]
                inside = rows < n
                i, j = tile[inside].nonzero(as_tuple=True)
                at = (rows[inside][i], keys[j])
                spread[text].index_put_(at, torch.ones_like(i).int(), accumulate=True)
    is_global = flags[..., None]  # their rows are not made of blocks
    assert torch.equal(spread.masked_fill(is_global, 0), (dense & ~is_global).int())


# properties


@few
@given(**windows)
def test_every_token_is_a_query_exactly_once(n, left, right, dilation):
    pattern = Pattern.fit(n, left, right, dilation)
    query, _ = positions(pattern, torch.device("cpu"))
    assert query[query < n].sort().values.tolist() == list(range(n))


@few
@given(**windows)
def test_a_pattern_wastes_less_than_a_block_a_stream(n, left, right, dilation):
    pattern = Pattern.fit(n, left, right, dilation)
    places = -(-n // dilation)
    assert 0 <= pattern.n_blocks * pattern.size - places < pattern.size
    assert pattern.size <= 128
    assert pattern.left < places
    assert pattern.right < places
    assert pattern.width == pattern.size + pattern.left + pattern.right


@few
@given(**windows)
def test_the_gradient_of_a_key_counts_its_copies(n, left, right, dilation):
    pattern = Pattern.fit(n, left, right, dilation)
    x = numbered(n).requires_grad_()
    band_blocks(x, pattern).sum().backward()
    _, key = positions(pattern, torch.device("cpu"))
    copies = torch.bincount(key[(key >= 0) & (key < n)], minlength=n)
    assert torch.equal(x.grad.flatten(), copies.float())


# edges


def test_a_window_wider_than_the_text_is_cut_to_it():
    assert Pattern.fit(5, None, 99, 1) == Pattern(5, 4, 4, 1, 5)
    assert Pattern.fit(5, 99, None, 7) == Pattern(5, 0, 0, 7, 1)


@pytest.mark.parametrize(
    ("left", "right", "size"), [(0, 0, 32), (20, 20, 40), (500, 500, 128)]
)
def test_blocks_are_about_as_long_as_the_window(left, right, size):
    assert Pattern.fit(10_000, left, right, 1).size == size


def test_one_mask_for_all_texts_without_padding_and_global_tokens():
    pattern = Pattern.fit(40, 2, 2, 1)
    device = torch.device("cpu")
    mask = block_mask(pattern, None, None, None, causal=False, device=device)
    assert mask.shape == (1, 1, 2, 32, 36)
