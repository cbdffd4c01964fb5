import re

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from longctx_edu.attention import block_pairs, chunk_pairs, full_pairs, window_pairs
from longctx_edu.chunking import split
from longctx_edu.masks import (
    blocks,
    causal,
    dense_mask,
    document,
    global_tokens,
    window,
)

few = settings(max_examples=150, deadline=None, derandomize=True)
sides = st.one_of(st.none(), st.integers(0, 12))


def counted(predicate, n_query, n_key=None):
    return int(dense_mask(predicate, n_query, n_key).sum())


# equals what a mask holds


@few
@given(st.integers(0, 9), st.integers(0, 9), st.booleans())
def test_full_pairs_are_those_of_the_mask(n_query, n_key, is_causal):
    everything = window(left=None, right=None)
    mask = everything & causal(n_key - n_query) if is_causal else everything
    pairs = full_pairs(n_query, n_key, causal=is_causal)
    assert pairs == counted(mask, n_query, n_key)


@few
@given(
    n=st.integers(0, 30),
    left=sides,
    right=sides,
    dilation=st.sampled_from([1, 2, 3, 40]),
    places=st.sets(st.integers(0, 29), max_size=5),
    is_causal=st.booleans(),
)
@example(30, 2, 3, 3, {0, 1, 29}, False)
@example(30, 2, 3, 3, {0, 4, 29}, True)
def test_window_pairs_are_those_of_the_mask(
    n, left, right, dilation, places, is_causal
):
    places = [place for place in places if place < n]
    flags = torch.zeros(n, dtype=torch.bool)
    flags[places] = True
    mask = window(left=left, right=right, dilation=dilation) | global_tokens(flags)
    pairs = window_pairs(
        n, left=left, right=right, dilation=dilation, global_places=places,
        causal=is_causal,
    )  # fmt: skip
    assert pairs == counted(mask & causal() if is_causal else mask, n)


@few
@given(st.integers(0, 6), st.integers(1, 5), st.integers(0, 35), st.booleans())
def test_block_pairs_are_those_of_the_mask(n_blocks, size, n, is_causal):
    generator = torch.Generator().manual_seed(n)
    layout = torch.rand(n_blocks, n_blocks, generator=generator) < 0.4
    mask = blocks(layout, size)
    pairs = block_pairs(layout, size, n, causal=is_causal)
    assert pairs == counted(mask & causal() if is_causal else mask, n)


@pytest.mark.parametrize(("size", "overlap"), [(4, 0), (4, 3), (20, 5), (7, 2)])
def test_chunk_pairs_are_those_of_a_row_of_documents(size, overlap):
    ids = [i for i, chunk in enumerate(split(20, size=size, overlap=overlap))
           for _ in range(len(chunk))]  # fmt: skip
    pairs = chunk_pairs(20, size=size, overlap=overlap)
    assert pairs == counted(document(torch.tensor(ids)), len(ids))


# known figures


@pytest.mark.parametrize(
    ("n", "full", "near"),
    [(4096, "1.7e+07", "2.1e+06"), (16384, "2.7e+08", "8.4e+06"),
     (131072, "1.7e+10", "6.7e+07")],
)  # fmt: skip
def test_the_wall_in_numbers(n, full, near):
    assert f"{full_pairs(n):.1e}" == full
    assert f"{n * 513:.1e}" == near
    pairs = window_pairs(n, left=256, right=256)
    assert n * 513 - pairs == 256 * 257  # what the text's two ends cut off


def test_pairs_are_plain_integers():
    layout = torch.ones(2, 2).bool()
    found = (
        full_pairs(3, causal=True),
        window_pairs(3, left=1, right=1, global_places=[0, 2]),
        block_pairs(layout, 2, 3),
        chunk_pairs(9, size=4),
    )
    assert {type(pairs) for pairs in found} == {int}


# messages


def test_a_negative_length():
    with pytest.raises(ValueError, match="need sizes >= 0, got n_query=-1 and n_key=2"):
        full_pairs(-1, 2)


@pytest.mark.parametrize("places", [[5], [-1], [1, 1]])
def test_global_tokens_that_have_no_place(places):
    text = f"need different global_places from 0 to below n=5, got {places}"
    with pytest.raises(ValueError, match=re.escape(text)):
        window_pairs(5, left=1, right=1, global_places=places)


def test_a_window_that_has_no_meaning():
    with pytest.raises(ValueError, match="got left=-1 and right=0"):
        window_pairs(5, left=-1, right=0)
    with pytest.raises(ValueError, match="need a size that is a whole number >= 1"):
        block_pairs(torch.ones(2, 2).bool(), 0, 5)
