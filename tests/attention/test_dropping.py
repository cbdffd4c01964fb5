import itertools

import pytest
import torch

from longctx_edu.attention.dropping import Dropping

LIKE = torch.ones(1)


# properties


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_that_share_is_dropped_and_the_rest_keeps_the_mean(share):
    factors = Dropping(share, seed=3).factors((100, 200), LIKE, 0)
    assert factors.unique().tolist() == pytest.approx([0, 1 / (1 - share)])
    assert (factors == 0).double().mean().item() == pytest.approx(share, abs=0.01)
    assert factors.mean().item() == pytest.approx(1, abs=0.05)


def test_the_same_part_and_tile_drop_the_same_weights_again():
    one, other = (Dropping(0.5, seed=3).of(2, 0, 1) for _ in range(2))
    assert one == other
    shape = (3, 4, 50)
    assert torch.equal(one.factors(shape, LIKE, 7), other.factors(shape, LIKE, 7))


def test_each_seed_part_and_tile_drops_others():
    begin = Dropping(0.5, seed=3)
    droppings = [begin, begin.of(1), begin.of(2), begin.of(1, 1), begin.of(1).of(1)]
    tiles = (0,), (1,), (0, 0), (0, 1), (1, 0)
    drawn = [
        d.factors((200,), LIKE, *tile)
        for d in (*droppings, Dropping(0.5, seed=4))
        for tile in tiles
    ]
    for one, other in itertools.combinations(drawn, 2):
        alike = (one == other).double().mean().item()
        assert alike == pytest.approx(0.5, abs=0.2)  # as two coins agree


def test_the_seed_comes_from_torchs_own_generator_and_moves_it_on():
    torch.manual_seed(0)
    first, second = Dropping.draw(0.5), Dropping.draw(0.5)
    torch.manual_seed(0)
    assert Dropping.draw(0.5) == first != second
    assert first.share == 0.5


def test_drawing_factors_leaves_torchs_own_generator_alone():
    before = torch.get_rng_state()
    Dropping(0.5, seed=3).factors((9,), LIKE, 0)
    assert torch.equal(torch.get_rng_state(), before)


# edges


def test_no_dropout_draws_nothing():
    before = torch.get_rng_state()
    assert Dropping.draw(0.0) is None
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("dtype", "wide"),
    [
        (torch.float16, torch.float32),
        (torch.bfloat16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_factors_are_of_the_format_of_sums_and_the_same_in_each(dtype, wide):
    dropping = Dropping(0.25, seed=3)
    factors = dropping.factors((5, 7), LIKE.to(dtype), 0)
    assert factors.dtype == wide
    torch.testing.assert_close(factors.float(), dropping.factors((5, 7), LIKE, 0))
