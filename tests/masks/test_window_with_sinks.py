import inspect
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from longctx_edu.masks import causal, dense_mask, window
from longctx_edu.masks.sinks import check_sinks, window_with_sinks

few = settings(max_examples=60, deadline=None, derandomize=True)


def by_loops(n, left, sinks):
    mask = torch.zeros(n, n, dtype=torch.bool)
    for i in range(n):
        for j in range(i + 1):
            mask[i, j] = j < sinks or i - j <= left
    return mask


# equals the definition


@few
@given(st.integers(0, 12), st.integers(0, 13), st.integers(0, 13))
def test_window_with_sinks_equals_loops(n, left, sinks):
    mask = dense_mask(window_with_sinks(left=left, sinks=sinks), n)
    assert torch.equal(mask, by_loops(n, left, sinks))


# properties


def test_without_sinks_it_is_a_window_that_looks_back():
    mask = dense_mask(window_with_sinks(left=3, sinks=0), 9)
    assert torch.equal(mask, dense_mask(window(left=3, right=0), 9))


def test_without_a_window_it_is_causal():
    mask = dense_mask(window_with_sinks(left=None, sinks=0), 9)
    assert torch.equal(mask, dense_mask(causal(), 9))


def test_a_late_query_sees_as_many_keys_as_a_cache_keeps_and_itself():
    mask = dense_mask(window_with_sinks(left=4, sinks=2), 30)
    assert set(mask.sum(dim=-1)[6:].tolist()) == {4 + 2 + 1}


# messages

# Unwrapped: a caller who runs no type checks gets the message of the function itself.
check_sinks_alone = inspect.unwrap(check_sinks)


@pytest.mark.parametrize(
    ("left", "sinks", "text"),
    [
        (-1, 0, "need left that is a whole number >= 0 or None, got -1"),
        (True, 0, "need left that is a whole number >= 0 or None, got True"),
        (2.0, 0, "need left that is a whole number >= 0 or None, got 2.0"),
        (2, -1, "need sinks that are a whole number >= 0, got -1"),
        (2, None, "need sinks that are a whole number >= 0, got None"),
        (2, True, "need sinks that are a whole number >= 0, got True"),
        (
            None,
            4,
            "need left beside sinks, got sinks=4 and left=None, under which every "
            "query sees the first tokens anyway",
        ),
    ],
)
def test_windows_and_sinks_without_a_meaning(left, sinks, text):
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        check_sinks_alone(left, sinks)


def test_a_window_with_sinks_is_refused_when_it_is_made():
    with pytest.raises(ValueError, match="need left beside sinks"):
        window_with_sinks(left=None, sinks=1)
