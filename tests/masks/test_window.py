import inspect
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from longctx_edu.masks import causal, check_window, dense_mask, window

few = settings(max_examples=60, deadline=None, derandomize=True)
lengths = st.integers(0, 9)
sides = st.one_of(st.none(), st.integers(0, 10))


def window_by_loops(n_query, n_key, left, right, dilation):
    mask = torch.zeros(n_query, n_key, dtype=torch.bool)
    for query in range(n_query):
        n_left = n_key + query if left is None else left
        n_right = n_key if right is None else right
        for step in range(-n_left, n_right + 1):
            key = query + step * dilation
            if 0 <= key < n_key:
                mask[query, key] = True
    return mask


# equals the definition


@few
@given(lengths, lengths, sides, sides, st.integers(1, 4))
def test_window_equals_loops(n_query, n_key, left, right, dilation):
    mask = dense_mask(window(left=left, right=right, dilation=dilation), n_query, n_key)
    assert torch.equal(mask, window_by_loops(n_query, n_key, left, right, dilation))


# equals an outside reference


def test_window_equals_torch_triangles():
    ones = torch.ones(7, 7, dtype=torch.bool)
    mask = dense_mask(window(left=2, right=3), 7)
    assert torch.equal(mask, ones.tril(3).triu(-2))


# properties


def test_an_inner_token_sees_left_and_right_and_itself():
    mask = dense_mask(window(left=2, right=3, dilation=2), 20)
    assert mask[9].nonzero().flatten().tolist() == [5, 7, 9, 11, 13, 15]


def test_left_and_right_swap_by_transposing():
    mask = dense_mask(window(left=1, right=4, dilation=2), 11)
    assert torch.equal(mask.mT, dense_mask(window(left=4, right=1, dilation=2), 11))


def test_no_window_on_either_side_is_everything():
    assert dense_mask(window(left=None, right=None), 5, 7).all()
    assert dense_mask(window(left=6, right=6), 7).all()


def test_everything_before_is_causal():
    mask = dense_mask(window(left=None, right=0), 5)
    assert torch.equal(mask, dense_mask(causal(), 5))


# edges


def test_a_window_of_nothing_is_the_token_itself():
    mask = dense_mask(window(left=0, right=0, dilation=3), 5)
    assert torch.equal(mask, torch.eye(5, dtype=torch.bool))


def test_dilation_wider_than_the_text():
    mask = dense_mask(window(left=4, right=4, dilation=9), 5)
    assert torch.equal(mask, torch.eye(5, dtype=torch.bool))


# messages

# Unwrapped: a caller who runs no type checks gets the message of the function itself.
check_window_alone = inspect.unwrap(check_window)


@pytest.mark.parametrize("side", [-1, 1.0, 2.5, "3", True, False])
def test_a_side_that_is_no_number_of_tokens(side):
    need = "need left and right that are whole numbers >= 0 or None, "
    with pytest.raises(ValueError, match=re.escape(f"{need}got left={side} and")):
        check_window_alone(side, 2, 1)
    with pytest.raises(ValueError, match=re.escape(f"{need}got left=2 and right=")):
        check_window_alone(2, side, 1)


@pytest.mark.parametrize("dilation", [0, -1, 1.5, 2.0, True, None])
def test_a_dilation_that_is_no_distance(dilation):
    text = f"need a dilation that is a whole number >= 1, got {dilation}"
    with pytest.raises(ValueError, match=re.escape(text)):
        check_window_alone(1, 1, dilation)


def test_a_window_is_refused_when_it_is_made():
    with pytest.raises(ValueError, match="got left=-2 and right=0"):
        window(left=-2, right=0)
    with pytest.raises(ValueError, match="whole number >= 1, got 0"):
        window(left=2, right=0, dilation=0)
