import re
from types import SimpleNamespace

import pytest
import torch

from longctx_edu.errors import UserError
from longctx_edu.integrations.pattern import Pattern, flag_globals, read_pattern


def config(**pattern):
    return SimpleNamespace(**{f"longctx_{k}": v for k, v in pattern.items()})


def flags(asked, keep=None, cached=False, n_tokens=5):
    return flag_globals(
        asked,
        keep,
        batch=2,
        n_tokens=n_tokens,
        cached=cached,
        device=torch.device("cpu"),
    )


def test_the_call_wins_also_with_nothing():
    kept = config(left=4, right=2, dilation=3, global_tokens=[1])
    assert read_pattern(kept, {}, causal=False) == Pattern(4, 2, 3, [1])
    given = {"longctx_left": None, "longctx_global_tokens": 0, "is_causal": True}
    assert read_pattern(kept, given, causal=False) == Pattern(None, 2, 3, 0)
    assert read_pattern(config(left=4), {}, causal=True) == Pattern(4, 0, 1, 0)


def test_flags_count_real_tokens():
    keep = torch.tensor([[1, 1, 1, 1, 0], [0, 0, 1, 1, 1]]).bool()
    assert flags(2, keep).int().tolist() == [[1, 1, 0, 0, 0], [0, 0, 1, 1, 0]]
    assert flags([0, 2], keep).int().tolist() == [[1, 0, 1, 0, 0], [0, 0, 1, 0, 1]]
    assert flags((1,)).int().tolist() == [[0, 1, 0, 0, 0]] * 2
    assert flags(9).all()
    given = torch.ones(2, 5, dtype=torch.bool)
    assert torch.equal(flags(given, keep), keep)
    assert [flags(none) for none in (0, None, [], ())] == [None] * 4


def test_flags_may_end_before_a_cached_text_does():
    given = torch.tensor([[True, False]] * 2)
    assert flags(given, cached=True).int().tolist() == [[1, 0, 0, 0, 0]] * 2


# messages


@pytest.mark.parametrize("side", ["left", "right"])
def test_nobody_says_how_wide_the_window_is(side):
    other = {"left": "right", "right": "left"}[side]
    wanted = (
        f"need longctx_{side}, how many keys a token sees on that side of itself, and "
        f"the config has none: set model.config.longctx_{side} = 128, or pass "
        f"longctx_{side}=128 with the call"
    )
    with pytest.raises(UserError, match=re.escape(wanted)):
        read_pattern(config(**{other: 3}), {}, causal=False)


def test_a_name_that_is_unknown():
    wanted = "unknown argument 'longctx_lft': did you mean longctx_left"
    with pytest.raises(UserError, match=wanted):
        read_pattern(config(left=1, right=1), {"longctx_lft": 2}, causal=False)


@pytest.mark.parametrize("left", [-1, True])
def test_a_window_without_a_meaning(left):
    wanted = f"got left={left} and right=0"
    with pytest.raises(ValueError, match=wanted):
        read_pattern(config(left=left), {}, causal=True)


@pytest.mark.parametrize("asked", [-1, 2.0, True, "0", [0, -1], [True], [[1]], {0}])
def test_global_tokens_without_a_meaning(asked):
    wanted = f"a bool tensor with a flag a token, got {asked!r}"
    with pytest.raises(UserError, match=re.escape(wanted)):
        flags(asked)


@pytest.mark.parametrize(
    ("given", "cached"),
    [
        (torch.ones(2, 4, dtype=torch.bool), False),
        (torch.ones(2, 6, dtype=torch.bool), True),
        (torch.ones(1, 5, dtype=torch.bool), False),
        (torch.ones(5, dtype=torch.bool), False),
        (torch.ones(2, 5), False),
    ],
)
def test_flags_of_another_shape_or_kind(given, cached):
    wanted = (
        "need longctx_global_tokens with a bool for each of 2 x 5 tokens, got shape "
        f"{tuple(given.shape)} and {given.dtype}"
    )
    with pytest.raises(UserError, match=re.escape(wanted)):
        flags(given, cached=cached)
