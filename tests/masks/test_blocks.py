import inspect
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from longctx_edu.masks import (
    blocks,
    check_size,
    dense_mask,
    global_blocks,
    random_blocks,
    window,
    window_blocks,
)

few = settings(max_examples=60, deadline=None, derandomize=True)
BLOCKS = 6


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def some_layout(*batch, n=BLOCKS, seed=0):
    return torch.rand(*batch, n, n, generator=seeded(seed)) < 0.4


# equals the definition


@few
@given(st.integers(0, 5), st.integers(1, 4), st.integers(0, 17), st.integers(0, 17))
def test_blocks_equals_loops(n_blocks, size, n_query, n_key):
    layout = some_layout(n=n_blocks, seed=n_query)
    mask = dense_mask(blocks(layout, size), n_query, n_key)
    wanted = torch.zeros(n_query, n_key, dtype=torch.bool)
    for query in range(min(n_query, n_blocks * size)):
        for key in range(min(n_key, n_blocks * size)):
            wanted[query, key] = layout[query // size, key // size]
    assert torch.equal(mask, wanted)


def test_blocks_of_many_layouts_side_by_side():
    layouts = some_layout(2, 3)
    mask = dense_mask(blocks(layouts, 4), 9)
    assert mask.shape == (2, 3, 9, 9)
    assert torch.equal(mask[1, 2], dense_mask(blocks(layouts[1, 2], 4), 9))


def test_blocks_are_the_layout_repeated():
    layout = some_layout()
    wanted = layout.repeat_interleave(3, dim=0).repeat_interleave(3, dim=1)
    assert torch.equal(dense_mask(blocks(layout, 3), 18), wanted)


# properties


def test_layouts_compose_as_their_masks_do():
    one, two = some_layout(seed=1), some_layout(seed=2)
    for layout, predicate in (
        (one | two, blocks(one, 3) | blocks(two, 3)),
        (one & two, blocks(one, 3) & blocks(two, 3)),
        (~one, ~blocks(one, 3)),
    ):
        assert torch.equal(dense_mask(blocks(layout, 3), 17), dense_mask(predicate, 17))


def test_a_block_of_one_token_is_the_token():
    layout = window_blocks(7, left=2, right=0)
    wanted = dense_mask(window(left=2, right=0), 7)
    assert torch.equal(dense_mask(blocks(layout, 1), 7), wanted)


def test_a_window_of_blocks():
    assert window_blocks(4, left=1, right=0).int().tolist() == [
        [1, 0, 0, 0],
        [1, 1, 0, 0],
        [0, 1, 1, 0],
        [0, 0, 1, 1],
    ]
    assert window_blocks(3, left=None, right=None).all()


def test_global_blocks_see_all_and_are_seen_by_all():
    layout = global_blocks(torch.arange(BLOCKS) == 2)
    assert layout[2].all()
    assert layout[:, 2].all()
    assert layout.sum() == 2 * BLOCKS - 1


@pytest.mark.parametrize("n_random", [0, 1, 3, BLOCKS])
def test_each_row_gets_that_many_random_blocks(n_random):
    layout = random_blocks(BLOCKS, n_random, generator=seeded())
    assert (layout.sum(dim=1) == n_random).all()


def test_random_blocks_outside_a_layout_are_new_as_long_as_there_are_any():
    near = window_blocks(BLOCKS, left=1, right=1) | some_layout()
    near[0], near[1] = True, torch.arange(BLOCKS) > 0
    layout = random_blocks(BLOCKS, 2, generator=seeded(), outside=near)
    assert not (layout & near).any()
    assert torch.equal(layout.sum(dim=1), (~near).sum(dim=1).clamp(max=2))


def test_the_same_seed_gives_the_same_graph_and_another_seed_another():
    draw = lambda seed: random_blocks(20, 3, generator=seeded(seed))
    assert torch.equal(draw(5), draw(5))
    assert not torch.equal(draw(5), draw(6))


def test_one_generator_gives_each_layer_its_own_graph():
    generator = seeded()
    one, two = (random_blocks(20, 3, generator=generator) for _ in range(2))
    assert not torch.equal(one, two)


def test_every_block_is_drawn_about_equally_often():
    generator = seeded()
    total = sum(random_blocks(5, 2, generator=generator).int() for _ in range(1000))
    assert (total.float() / 1000 - 0.4).abs().max() < 0.06


# messages

check_size_alone = inspect.unwrap(check_size)


@pytest.mark.parametrize("size", [0, -1, 2.0, True, None])
def test_a_block_that_is_no_number_of_tokens(size):
    text = f"need a size that is a whole number >= 1, got {size}"
    with pytest.raises(ValueError, match=re.escape(text)):
        check_size_alone(size)


def test_blocks_are_refused_when_they_are_made():
    with pytest.raises(ValueError, match="whole number >= 1, got 0"):
        blocks(some_layout(), 0)


@pytest.mark.parametrize("n_random", [-1, 7])
def test_more_random_blocks_than_there_are(n_random):
    text = f"need 0 <= n_random <= n_blocks, got n_random={n_random} and n_blocks=6"
    with pytest.raises(ValueError, match=text):
        random_blocks(BLOCKS, n_random, generator=seeded())


def test_a_layout_outside_of_another_size():
    text = "need an outside layout of 5 x 5 blocks, got 6 x 6"
    with pytest.raises(ValueError, match=text):
        random_blocks(5, 1, generator=seeded(), outside=some_layout())


def test_a_window_of_blocks_that_has_no_meaning():
    with pytest.raises(ValueError, match="got left=-1 and right=0"):
        window_blocks(4, left=-1, right=0)
