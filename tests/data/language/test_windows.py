import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from longctx_edu.data.language import IGNORED, scored_windows, windows

SIZES = st.integers(1, 9).flatmap(
    lambda n: st.tuples(st.integers(n + 1, 60), st.just(n), st.integers(1, n))
)

# properties


@given(SIZES)
def test_every_next_token_is_asked_for_once_up_to_the_tail(sizes):
    n_ids, n_tokens, _ = sizes
    ids = torch.arange(100, 100 + n_ids)
    made = windows(ids, n_tokens=n_tokens)
    assert all(len(window) == n_tokens + 1 for window in made)
    targets = torch.cat([window[1:] for window in made])
    assert torch.equal(targets, ids[1 : len(targets) + 1])
    assert n_ids - 1 - len(targets) < n_tokens


@given(SIZES, st.integers(1, 20))
def test_windows_start_a_step_apart(sizes, step):
    n_ids, n_tokens, _ = sizes
    made = windows(torch.arange(n_ids), n_tokens=n_tokens, step=step)
    starts = [int(window[0]) for window in made]
    assert starts == [s for s in range(0, n_ids, step) if s + n_tokens < n_ids]
    assert all((window.diff() == 1).all() for window in made)


@given(SIZES)
def test_every_token_but_the_first_is_scored_once(sizes):
    n_ids, n_tokens, step = sizes
    ids = torch.arange(n_ids)
    inputs, targets = scored_windows(ids, n_tokens=n_tokens, step=step)
    assert inputs.shape == targets.shape and inputs.shape[1] == n_tokens
    scored = targets[targets != IGNORED]
    assert torch.equal(scored, ids[1:])
    assert torch.equal(inputs[targets != IGNORED] + 1, scored)
    assert (inputs.diff(dim=1) == 1).all()


@given(SIZES)
def test_overlap_gives_every_scored_token_more_context(sizes):
    n_ids, n_tokens, step = sizes
    inputs, targets = scored_windows(torch.arange(n_ids), n_tokens=n_tokens, step=step)
    before = torch.arange(n_tokens).expand_as(targets)[1:][targets[1:] != IGNORED]
    assert (before >= n_tokens - step).all()
    assert len(inputs) == 1 + -(-(n_ids - 1 - n_tokens) // step)


def test_where_nothing_overlaps_both_ask_for_the_same():
    ids = torch.arange(13) * 7
    inputs, targets = scored_windows(ids, n_tokens=4)
    made = torch.stack(windows(ids, n_tokens=4))
    assert torch.equal(inputs, made[:, :-1]) and torch.equal(targets, made[:, 1:])


# edges


def test_a_text_of_one_window():
    ids = torch.tensor([5, 6, 7])
    assert [window.tolist() for window in windows(ids, n_tokens=2)] == [[5, 6, 7]]
    inputs, targets = scored_windows(ids, n_tokens=2)
    assert inputs.tolist() == [[5, 6]] and targets.tolist() == [[6, 7]]


def test_a_window_of_one_token():
    inputs, targets = scored_windows(torch.tensor([5, 6, 7]), n_tokens=1)
    assert inputs.tolist() == [[5], [6]] and targets.tolist() == [[6], [7]]


# messages


@pytest.mark.parametrize("cut", [windows, scored_windows])
@pytest.mark.parametrize("n_ids", [0, 8])
def test_refuses_a_text_shorter_than_a_context(cut, n_ids):
    wanted = f"need a text of at least 9 tokens for a context of 8, got {n_ids}"
    with pytest.raises(ValueError, match=f"^{re.escape(wanted)}$"):
        cut(torch.arange(n_ids), n_tokens=8)


@pytest.mark.parametrize("cut", [windows, scored_windows])
@pytest.mark.parametrize("n_tokens", [0, -1])
def test_refuses_a_window_without_inputs(cut, n_tokens):
    wanted = f"need n_tokens >= 1, got n_tokens={n_tokens}"
    with pytest.raises(ValueError, match=f"^{re.escape(wanted)}$"):
        cut(torch.arange(5), n_tokens=n_tokens)


@pytest.mark.parametrize("step", [0, -3])
def test_refuses_a_step_that_stands_still(step):
    with pytest.raises(ValueError, match=f"^need step >= 1, got step={step}$"):
        windows(torch.arange(9), n_tokens=4, step=step)


@pytest.mark.parametrize("step", [0, -3, 5])
def test_refuses_a_step_that_leaves_tokens_out(step):
    wanted = f"need 1 <= step <= n_tokens, got step={step} and n_tokens=4"
    with pytest.raises(ValueError, match=f"^{re.escape(wanted)}$"):
        scored_windows(torch.arange(9), n_tokens=4, step=step)
