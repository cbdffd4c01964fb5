import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from longctx_edu.attention import dense_attention
from longctx_edu.attention.global_rows import (
    find_globals,
    global_rows,
    replace_rows,
    take_tokens,
)
from longctx_edu.masks import causal, dense_mask, padding

few = settings(max_examples=40, deadline=None, derandomize=True)
BATCH, HEAD, TOKEN, D_HEAD, D_VALUE = 2, 3, 7, 4, 6
FLAGS = torch.tensor([[0, 1, 0, 0, 1, 0, 1], [0, 0, 0, 1, 0, 0, 0]]).bool()
flags_of_texts = st.integers(1, 7).flatmap(
    lambda n: st.lists(
        st.lists(st.booleans(), min_size=n, max_size=n), min_size=1, max_size=3
    )
)


def make(d, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(BATCH, HEAD, TOKEN, d, generator=generator, dtype=torch.float64)
    return x.requires_grad_()


# equals the definition


@few
@given(flags_of_texts)
def test_find_globals_equals_a_list_a_text(texts):
    found = find_globals(torch.tensor(texts))
    lists = [[p for p, chosen in enumerate(text) if chosen] for text in texts]
    longest = max(map(len, lists))
    if longest == 0:
        assert found is None
        return
    assert found.places.tolist() == [
        [*places, *[0] * (longest - len(places))] for places in lists
    ]
    assert found.real.sum(dim=1).tolist() == [len(places) for places in lists]


@pytest.mark.parametrize("look_ahead", [True, False])
@pytest.mark.parametrize("padded", [True, False])
def test_global_rows_equal_rows_of_dense_attention(padded, look_ahead):
    q, k, v = inputs = make(D_HEAD), make(D_HEAD, seed=1), make(D_VALUE)
    keep = None
    mask = torch.ones(TOKEN, TOKEN).bool()
    if padded:
        keep = torch.arange(TOKEN) < torch.tensor([[5], [0]])
        mask = dense_mask(padding(keep[:, None]), TOKEN)
    if not look_ahead:
        mask = mask & dense_mask(causal(), TOKEN)
    found = find_globals(FLAGS)
    ours = global_rows(q, k, v, found, keep, not look_ahead, 0.3, 0.0)
    dense = dense_attention(q, k, v, mask=mask, scale=0.3)
    for text, row in found.real.nonzero().tolist():
        place = found.places[text, row]
        torch.testing.assert_close(ours[text, :, row], dense[text, :, place])
    gradients = torch.autograd.grad(ours.sum(), inputs)
    assert all(gradient.isfinite().all() for gradient in gradients)


# properties


def test_rows_that_are_taken_and_replaced_leave_all_as_it_was():
    x = make(D_VALUE)
    found = find_globals(FLAGS)
    assert torch.equal(replace_rows(x, take_tokens(x, found), found), x)


def test_only_the_rows_of_real_places_are_replaced():
    x, found = make(D_VALUE), find_globals(FLAGS)
    rows = torch.full((BATCH, HEAD, 3, D_VALUE), 9.0).double()
    changed = (replace_rows(x, rows, found) == 9.0).all(dim=-1).all(dim=1)
    assert torch.equal(changed, FLAGS)


def test_the_gradient_goes_to_the_new_rows_and_not_to_the_old_ones():
    x, found = make(D_VALUE), find_globals(FLAGS)
    rows = torch.zeros(BATCH, HEAD, 3, D_VALUE).double().requires_grad_()
    replace_rows(x, rows, found).sum().backward()
    old = x.grad[:, 0, :, 0] == 0
    assert torch.equal(old, FLAGS)
    assert torch.equal(rows.grad[:, 0, :, 0] == 1, found.real)


# edges


def test_no_flags_and_no_global_token():
    assert find_globals(None) is None
    assert find_globals(torch.zeros(2, 5).bool()) is None
