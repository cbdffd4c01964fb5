"""What tests/course does not hold: how messages look, and what the oracles count."""

import machinery as m
import pytest
import torch

from longctx_edu.checks import lesson_06
from longctx_edu.checks.bias_06 import apart, numbered, read_on, rolled, slow_shift
from longctx_edu.checks.lesson_06 import slow_distances
from longctx_edu.checks.longer_06 import slow_base, slow_ramp
from longctx_edu.checks.turns_06 import slow_turn
from longctx_edu.checks.waves_06 import slow_waves, stretched
from longctx_edu.masks import dense_mask, window
from longctx_edu.positions import (
    Frequencies,
    distances,
    llama3,
    ntk_aware,
    relative_shift,
    rotary_frequencies,
    rotate,
    rotation,
    sinusoidal,
)

answers = m.load_file(m.WRONG_ANSWERS / "lesson_06.py")


def message(check, name):
    return getattr(lesson_06, check)(answers.WRONG[check][name][0]).message


def test_a_message_about_turning_shows_whole_numbers():
    assert message("check_turn_pairs", "backwards").splitlines() == [
        "✗ turn_pairs: (3, 4) after a quarter turn is (-4, 3)",
        "  given:",
        "    x = 3 4",
        "    places = [1]",
        "    radians = ['pi / 2']",
        "  came:",
        "    4 -3",
        "  expected:",
        "    -4 3",
        "  hint: this turns backwards: the minus belongs to the first number, "
        "a cos - b sin",
    ]


def test_a_message_about_the_shift_shows_where_a_number_went():
    assert message("check_under_the_keys", "rolled").splitlines() == [
        "✗ under_the_keys: three queries: the columns hold distance 2, 1, 0; each row "
        "moves to its keys",
        "  given:",
        "    by_distance =",
        "       3  2  1",
        "      13 12 11",
        "      23 22 21",
        "    n_key = 3",
        "  came:",
        "     1  3  2",
        "    12 11 13",
        "    23 22 21",
        "  expected:",
        "     1  0  0",
        "    12 11  0",
        "    23 22 21",
        "  hint: what fell out came back on the other side: keys after the query get 0",
    ]


def test_a_message_about_distances_is_short():
    assert message("check_distances_heard", "no holes").splitlines() == [
        "✗ distances_heard: two layers with left=2 and dilation 2: even distances up "
        "to 8",
        "  given:",
        "    layers = [(2, 2), (2, 2)]",
        "  came:",
        "    [0, 1, 2, 3, 4, 5, 6, 7, 8]",
        "  expected:",
        "    [0, 2, 4, 6, 8]",
        "  hint: dilation leaves holes: no sum of even steps is odd",
    ]


def test_a_base_that_fits_two_pairs_only_is_seen():
    said = message("check_larger_base", "squared")
    assert "the last of several pairs is slower by the factor" in said
    assert "theta = 8.0" in said and "d_head = 6" in said


def test_a_function_without_return_is_told_so():
    for name in lesson_06.__all__:
        verdict = getattr(lesson_06, name)(lambda *given: None)
        assert "end it with return" in verdict.message, name


def test_the_input_stays_as_it_is():
    def in_place(x, places, radians):
        x[:] = 0
        return x

    said = lesson_06.check_turn_pairs(in_place).message
    assert "the input stays as it is" in said


def test_the_oracle_of_waves_equals_the_library():
    places = [0, 3, 17]
    theirs = sinusoidal(torch.tensor(places), 6, theta=50.0)
    torch.testing.assert_close(torch.tensor(slow_waves(places, 6, 50.0)), theirs)


@pytest.mark.parametrize("neighbours", [False, True])
def test_the_oracle_of_turns_equals_the_library(neighbours):
    x = torch.randn(4, 6, generator=torch.Generator().manual_seed(0))
    places, radians = [0, 2, 9, 4], [1.0, 0.3]
    turned = rotation(torch.tensor(places), Frequencies(torch.tensor(radians).double()))
    theirs = rotate(x, turned, interleaved=neighbours)
    ours = slow_turn(x, places, radians, neighbours=neighbours)
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("sizes", [(1, 1), (3, 3), (2, 5)])
def test_the_oracle_of_the_shift_equals_the_library(sizes):
    n_query, n_key = sizes
    rows = numbered(n_query, n_key)
    assert torch.equal(slow_shift(rows, n_key), relative_shift(rows, n_key))
    assert torch.equal(apart(n_query, n_key).long(), distances(n_query, n_key))


def test_the_mistakes_of_the_shift_agree_with_it_under_a_mask():
    rows, seen = numbered(4, 4), dense_mask(window(left=None, right=0), 4)
    for wrong in (read_on(rows), rolled(rows)):
        assert torch.equal(wrong * seen, slow_shift(rows, 4))
        assert not torch.equal(wrong, slow_shift(rows, 4))


def test_the_oracle_of_bases_equals_the_library():
    base = slow_base(1000.0, 8, 4.0)
    theirs = ntk_aware(rotary_frequencies(8, theta=1000.0), factor=4.0).radians
    ours = rotary_frequencies(8, theta=base).radians
    torch.testing.assert_close(ours, theirs)


def test_the_oracle_of_the_ramp_equals_the_library():
    old = rotary_frequencies(8, theta=100.0)
    theirs = llama3(old, factor=4, trained=100, slow=1, fast=10).radians
    ours = slow_ramp(old.radians.tolist(), 4.0, 100, 1.0, 10.0)
    torch.testing.assert_close(torch.tensor(ours).double(), theirs)
    assert slow_ramp([1.0], 4.0, 700, 1.0, 10.0) == [1.0]


def test_the_oracle_of_distances_equals_masks():
    layers = [(2, 1), (1, 3), (2, 2)]
    hears = torch.eye(12).bool()
    for left, dilation in layers:
        mask = dense_mask(window(left=left, right=0, dilation=dilation), 12)
        hears = (mask.int() @ hears.int()) > 0
    far = sorted(11 - key for key in hears[-1].nonzero().flatten().tolist())
    assert far == slow_distances(layers)


def test_stretching_keeps_both_ends():
    rows = stretched(torch.tensor([[0.0], [4.0], [8.0]]), 5)
    assert rows.flatten().tolist() == [0, 2, 4, 6, 8]
