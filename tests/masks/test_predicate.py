import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from longctx_edu.masks import (
    Predicate,
    causal,
    dense_mask,
    document,
    global_tokens,
    padding,
    window,
)

few = settings(max_examples=40, deadline=None, derandomize=True)
lengths = st.integers(0, 7)

SEES = Predicate(lambda query, key: (3 * query + key) % 4 < 2)
ALSO = Predicate(lambda query, key: (query + 2 * key) % 3 == 0)


def mask_by_loops(allows, n_query, n_key):
    rows = [[allows(i, j) for j in range(n_key)] for i in range(n_query)]
    return torch.tensor(rows, dtype=torch.bool).reshape(n_query, n_key)


def sees(i, j):
    return (3 * i + j) % 4 < 2


def also(i, j):
    return (i + 2 * j) % 3 == 0


# equals the definition


@few
@given(lengths, lengths)
def test_dense_mask_asks_about_every_pair(n_query, n_key):
    mask = dense_mask(SEES, n_query, n_key)
    assert mask.dtype == torch.bool
    assert torch.equal(mask, mask_by_loops(sees, n_query, n_key))


@few
@given(lengths, lengths)
def test_and_or_not_are_those_of_python(n_query, n_key):
    for predicate, allows in (
        (SEES & ALSO, lambda i, j: sees(i, j) and also(i, j)),
        (SEES | ALSO, lambda i, j: sees(i, j) or also(i, j)),
        (~SEES, lambda i, j: not sees(i, j)),
        (~(SEES & ~ALSO) | ALSO, lambda i, j: not sees(i, j) or also(i, j)),
    ):
        expected = mask_by_loops(allows, n_query, n_key)
        assert torch.equal(dense_mask(predicate, n_query, n_key), expected)


# equals an outside reference


def test_the_bigbird_figure_with_its_first_two_rows_written_out():
    flags = torch.tensor([True, False, False, False, False, False])
    pattern = window(left=1, right=1) | global_tokens(flags)
    assert dense_mask(pattern, 6).int().tolist() == [
        [1, 1, 1, 1, 1, 1],
        [1, 1, 1, 0, 0, 0],
        [1, 1, 1, 1, 0, 0],
        [1, 0, 1, 1, 1, 0],
        [1, 0, 0, 1, 1, 1],
        [1, 0, 0, 0, 1, 1],
    ]


# properties


def test_a_tile_of_the_mask_can_be_asked_for_alone():
    ids = torch.tensor([[4, 4, 4, 9, 9, 9, 9], [1, 2, 2, 2, 2, 3, 3]])
    keep = torch.tensor([[1, 1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1, 1]]).bool()
    pattern = causal() & document(ids) & padding(keep) | window(left=1, right=2)
    square = dense_mask(pattern, 7)
    tile = pattern(torch.arange(2, 5)[:, None], torch.arange(1, 7))
    assert torch.equal(tile, square[:, 2:5, 1:7])


def test_each_text_may_be_asked_about_keys_of_its_own():
    pattern = ~window(left=1, right=2) & causal()
    query, keys = torch.arange(2, 7)[:, None], torch.tensor([[0, 3, 5], [6, 1, 0]])
    square = dense_mask(pattern, 7)
    tiles = pattern(query, keys[:, None])
    assert tiles.shape == (2, 5, 3)
    for tile, key in zip(tiles, keys, strict=True):
        assert torch.equal(tile, square[2:7, key])


def test_de_morgan():
    left, right = dense_mask(~(SEES | ALSO), 5, 7), dense_mask(~SEES & ~ALSO, 5, 7)
    assert torch.equal(left, right)


# edges


def test_as_many_keys_as_queries_by_default():
    assert dense_mask(SEES, 5).shape == (5, 5)
    assert dense_mask(SEES, 5, 0).shape == (5, 0)


def test_texts_of_a_batch_broadcast_with_a_mask_for_all():
    keep = torch.ones(2, 1, 5, dtype=torch.bool)
    assert dense_mask(causal() & padding(keep), 5).shape == (2, 1, 5, 5)


def test_the_mask_is_made_where_it_is_asked_for():
    assert dense_mask(causal() & window(left=1, right=1), 3, device="meta").is_meta


# messages


@pytest.mark.parametrize(("n_query", "n_key"), [(-1, 2), (2, -1), (-3, None)])
def test_a_negative_number_of_tokens(n_query, n_key):
    came = n_query if n_key is None else n_key
    text = f"need sizes >= 0, got n_query={n_query} and n_key={came}"
    with pytest.raises(ValueError, match=re.escape(text)):
        dense_mask(causal(), n_query, n_key)
