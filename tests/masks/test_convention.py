import inspect
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from longctx_edu.errors import UserError
from longctx_edu.masks import (
    CONVENTIONS,
    Sides,
    causal,
    dense_mask,
    document,
    from_convention,
    to_convention,
    window,
)

few = settings(max_examples=60, deadline=None, derandomize=True)
WINDOWS = sorted(name for name, row in CONVENTIONS.items() if row.sides is not None)
OTHERS = sorted(set(CONVENTIONS) - set(WINDOWS))
# Unwrapped: a caller who runs no type checks gets the message of the function itself.
from_convention_alone = inspect.unwrap(from_convention)

# What a query at distance 0 sees as offsets to the key, each rule as its source codes
# it, for W = 6.
OFFSETS = {
    "longformer_paper": lambda d: -3 <= d <= 3,
    "longformer_repo": lambda d: abs(d) <= 6,
    "transformers_longformer": lambda d: abs(d) <= 6 // 2,
    "transformers_sliding_causal": lambda d: d > -6 and d <= 0,
    "transformers_sliding_bidirectional": lambda d: abs(d) <= 6,
    "transformers_modernbert": lambda d: abs(d) <= 6 // 2,
    "transformers_gemma3_bidirectional": lambda d: abs(d) < 6 // 2 + 1,
    "mistral_paper": lambda d: -6 <= d <= 0,
    "local_attention_exact": lambda d: not (d - 6 > 0 or d + 6 < 0),
    "local_attention_exact_causal": lambda d: not (d > 0 or d + 6 < 0),
    "attention_gym_sliding": lambda d: -d <= 6 and d <= 0,
    "attention_gym_global_sliding": lambda d: abs(d) <= 6,
    "lra_longformer": lambda d: d in (-2, -1, 0) or d in (1, 2, 3),
    "fla": lambda d: not (d > 0 or -d >= 6),
}


# equals the definition


@pytest.mark.parametrize("name", OFFSETS)
def test_a_number_means_what_its_source_codes(name):
    i = torch.arange(20)
    expected = torch.tensor(
        [[OFFSETS[name](key - query) for key in range(20)] for query in range(20)]
    )
    left, right = from_convention(name, 6)
    assert torch.equal(window(left=left, right=right)(i[:, None], i), expected)


def test_every_window_of_one_number_is_held_against_its_source():
    assert set(OFFSETS) == set(WINDOWS) - {"flash_attn"}


def test_flash_attention_says_both_sides():
    assert from_convention("flash_attn", (3, 5)) == (3, 5)
    assert from_convention("flash_attn", (-1, 0)) == (None, 0)
    assert from_convention("flash_attn", (2, -1)) == (2, None)


def test_an_odd_total_leans_as_its_source_does():
    assert from_convention("lra_longformer", 7) == (3, 3)
    assert from_convention("lra_longformer", 1) == (0, 0)
    assert from_convention("transformers_modernbert", 7) == (3, 3)
    assert from_convention("transformers_gemma3_bidirectional", 7) == (3, 3)


# properties


@few
@given(st.sampled_from(WINDOWS), st.integers(1, 400), st.integers(0, 400))
def test_back_and_forth_is_the_same_window(name, size, other):
    value = (size, other) if CONVENTIONS[name].pair else 2 * size
    sides = from_convention(name, value)
    assert from_convention(name, to_convention(name, *sides)) == sides


@few
@given(st.sampled_from(WINDOWS), st.integers(0, 9), st.integers(0, 9))
def test_a_window_goes_into_a_number_or_is_refused(name, left, right):
    try:
        value = to_convention(name, left, right)
    except ValueError as error:
        assert f"got left={left} and right={right}" in str(error)
        reachable = {from_convention(name, 2 * size) for size in range(1, 20)}
        assert (left, right) not in reachable
        return
    assert from_convention(name, value) == (left, right)


def test_128_means_three_numbers_of_keys():
    keys = {
        from_convention(name, 128).keys
        for name in WINDOWS
        if not CONVENTIONS[name].pair
    }
    assert keys == {128, 129, 257}


def test_a_side_without_end_has_no_number_of_keys():
    assert Sides(None, 3).keys is None
    assert Sides(3, None).keys is None
    assert Sides(3, 2).keys == 6


def test_a_dilated_window_that_keeps_its_reach():
    """What attention_gym_dilated names as equal: W = 7, every second key."""
    expected = dense_mask(window(left=7, right=7), 20)
    offset = torch.arange(20)[:, None] - torch.arange(20)
    ours = dense_mask(window(left=7 // 2, right=7 // 2, dilation=2), 20)
    assert torch.equal(ours, expected & (offset.abs() % 2 == 0))


def test_chunks_are_documents():
    """What transformers_chunked names as equal: W = 4."""
    mask = dense_mask(document(torch.arange(12) // 4) & causal(), 12)
    assert mask.sum(-1).tolist() == [1, 2, 3, 4] * 3


# the table


@pytest.mark.parametrize("name", sorted(CONVENTIONS))
def test_every_row_says_all_and_knows_its_name(name):
    row = CONVENTIONS[name]
    assert row.name == name
    assert all([row.library, row.option, row.rule, row.source])
    assert (row.sides is None) == bool(row.nearest)


# messages


def test_an_unknown_name():
    text = (
        "unknown convention 'transformers_longformers': did you mean "
        "transformers_longformer"
    )
    for call in (from_convention, to_convention):
        arguments = (128,) if call is from_convention else (1, 1)
        with pytest.raises(UserError, match=re.escape(text)):
            call("transformers_longformers", *arguments)


@pytest.mark.parametrize("name", OTHERS)
def test_a_pattern_that_is_no_window(name):
    row = CONVENTIONS[name]
    text = (
        f"need a pattern of a fixed left and right, got {name}: {row.rule}. "
        f"Nearest is {row.nearest}"
    )
    with pytest.raises(ValueError, match=re.escape(text)):
        from_convention(name, 128)
    with pytest.raises(ValueError, match=re.escape(text)):
        to_convention(name, 64, 64)


@pytest.mark.parametrize("value", [0, -2, 3.0, 2.5, "4", True, None, (4, 4)])
def test_a_value_that_is_no_number_of_tokens(value):
    text = f"need a whole number >= 1 for longformer_repo, got {value!r}"
    with pytest.raises(ValueError, match=re.escape(text)):
        from_convention_alone("longformer_repo", value)


@pytest.mark.parametrize("value", [5, 0, -4, True])
def test_a_value_that_must_be_even(value):
    text = f"need an even number >= 2 for transformers_longformer, got {value}"
    with pytest.raises(ValueError, match=re.escape(text)):
        from_convention_alone("transformers_longformer", value)


@pytest.mark.parametrize("value", [4, (4,), (1, 2, 3), (-2, 1), (1, 2.0), "12", [1, 2]])
def test_a_value_that_must_be_a_pair(value):
    text = f"need a pair of whole numbers >= -1 for flash_attn, got {value!r}"
    with pytest.raises(ValueError, match=re.escape(text)):
        from_convention_alone("flash_attn", value)


def test_a_window_that_a_library_cannot_say():
    text = (
        "need left and right that transformers_longformer can say "
        "(W / 2 keys on each side), got left=3 and right=2"
    )
    with pytest.raises(ValueError, match=re.escape(text)):
        to_convention("transformers_longformer", 3, 2)
    with pytest.raises(ValueError, match="got left=None and right=0"):
        to_convention("transformers_sliding_causal", None, 0)
    with pytest.raises(ValueError, match="whole numbers >= 0 or None, got left=-1"):
        to_convention("flash_attn", -1, 0)
    assert to_convention("flash_attn", None, 0) == (-1, 0)
