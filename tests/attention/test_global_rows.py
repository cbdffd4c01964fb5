import pytest
import torch
from attention_cases import few, normal
from hypothesis import given
from hypothesis import strategies as st

from longctx_edu.attention.global_rows import find_globals, take_tokens

BATCH, KV_HEAD, GROUP, TOKEN, D = 2, 3, 2, 7, 4
FLAGS = torch.tensor([[0, 1, 0, 0, 1, 0, 1], [0, 0, 0, 1, 0, 0, 0]]).bool()
FOUND = find_globals(FLAGS)
flags_of_texts = st.integers(1, 7).flatmap(
    lambda n: st.lists(
        st.lists(st.booleans(), min_size=n, max_size=n), min_size=1, max_size=3
    )
)


def make(n=TOKEN, batch=BATCH, seed=0):
    return normal(batch, KV_HEAD, GROUP, n, D, seed=seed).detach()


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


@few
@given(flags_of_texts, st.integers(0, 2**31))
def test_rows_are_taken_put_added_and_filled_as_in_a_loop(texts, seed):
    found = find_globals(torch.tensor(texts))
    if found is None:
        return
    x = make(len(texts[0]), len(texts), seed=seed)
    rows = make(found.places.shape[1], len(texts), seed=seed + 1)
    put, added, filled = x.clone(), x.clone(), x.clone()
    for text, flags in enumerate(texts):
        for row, place in enumerate(p for p, chosen in enumerate(flags) if chosen):
            taken = found.take(x)[text, :, :, row]
            assert torch.equal(taken, x[text, :, :, place])
            put[text, :, :, place] = rows[text, :, :, row]
            added[text, :, :, place] += rows[text, :, :, row]
            filled[text, :, :, place] = 9.0
    before = x.clone()
    assert torch.equal(found.fill(x, 9.0), filled)
    assert torch.equal(x, before)  # a copy is filled
    other = x.clone()
    found.put(x, rows)
    found.add(other, rows)
    assert torch.equal(x, put)
    assert torch.equal(other, added)


# properties


def test_rows_that_are_taken_and_put_leave_all_as_it_was():
    x = make()
    before = x.clone()
    FOUND.put(x, FOUND.take(x))
    assert torch.equal(x, before)


def test_one_head_of_keys_may_serve_all():
    x = make()[:, :, :1]
    assert torch.equal(FOUND.take(x), FOUND.take(make())[:, :, :1])


def test_tokens_are_taken_from_heads_without_groups():
    x = make()
    taken = take_tokens(x[:, :, 0], FOUND)
    assert torch.equal(taken, FOUND.take(x)[:, :, 0])


# edges


@pytest.mark.parametrize("flags", [None, torch.zeros(2, 5).bool(), torch.ones(2, 0)])
def test_no_flags_and_no_global_token(flags):
    assert find_globals(None if flags is None else flags.bool()) is None


def test_a_text_whose_list_is_filled_up_keeps_its_first_token():
    x = make()
    first = x[1, :, :, 0].clone()
    FOUND.put(x, torch.full((BATCH, KV_HEAD, GROUP, 3, D), 9.0).double())
    FOUND.add(x, torch.full((BATCH, KV_HEAD, GROUP, 3, D), 9.0).double())
    assert torch.equal(x[1, :, :, 0], first)
    assert torch.equal((x == 18.0).all(dim=(1, 2, 4)), FLAGS)
