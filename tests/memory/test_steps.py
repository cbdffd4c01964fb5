"""Layers in step; and numbers that are none, which callers without type checks give."""

import inspect

import pytest
from memory_cases import refused

from longctx_edu.memory.inputs import check_count
from longctx_edu.memory.steps import Steps


@pytest.mark.parametrize("count", [0, -1, 1.0, "2", True, None])
def test_a_number_that_is_none(count):
    with refused(f"need n_layers that is a whole number >= 1, got {count}"):
        inspect.unwrap(check_count)("n_layers", count)


def test_0_where_it_is_allowed():
    check_count("length", 0, least=0)


@pytest.mark.parametrize("layer", [2, -1, 1.0, "1", True, None])
def test_no_such_layer(layer):
    with refused(f"need a layer from 0 to 1, got {layer}"):
        inspect.unwrap(Steps.check)(Steps(2), layer, 1)


def test_all_layers_have_read_what_the_last_one_has():
    steps = Steps(3)
    for n_tokens, n_new in ((0, 4), (4, 1)):
        for layer in (1, 0, 2):
            assert steps.n_tokens == n_tokens
            steps.check(layer, n_new)
            steps.advance(layer, n_new)
    assert steps.n_tokens == 5


def test_a_check_changes_nothing():
    steps = Steps(2)
    steps.check(0, 4)
    steps.check(0, 4)
    assert steps.counts == [0, 0]
