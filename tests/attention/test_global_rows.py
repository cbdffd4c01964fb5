import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from longctx_edu.attention.global_rows import find_globals, take_tokens

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


# properties


def test_rows_that_are_taken_and_put_back_leave_all_as_it_was():
    x = make(D_VALUE).detach()[:, :, None]
    found, before = find_globals(FLAGS), x.clone()
    found.put(x, found.take(x))
    assert torch.equal(x, before)


def test_only_the_rows_of_real_places_are_written():
    found = find_globals(FLAGS)
    rows = torch.full((BATCH, HEAD, 1, 3, D_VALUE), 9.0).double()
    put, added = make(D_VALUE).detach()[:, :, None], torch.zeros(1).double()
    found.put(put, rows)
    assert torch.equal((put == 9.0).all(dim=-1).all(dim=1)[:, 0], FLAGS)
    added = torch.ones(BATCH, HEAD, 1, TOKEN, D_VALUE).double()
    found.add(added, rows)
    assert torch.equal((added == 10.0).all(dim=-1).all(dim=1)[:, 0], FLAGS)
    assert torch.equal((added == 1.0).all(dim=-1).all(dim=1)[:, 0], ~FLAGS)


def test_fill_changes_a_copy():
    x, found = make(1).detach()[:, :, None], find_globals(FLAGS)
    filled, before = found.fill(x, 7.0), x.clone()
    assert torch.equal(x, before)
    assert torch.equal((filled == 7.0).all(dim=1)[:, 0, :, 0], FLAGS)


def test_take_tokens_takes_the_rows_in_the_order_of_the_text():
    x, found = make(D_VALUE), find_globals(FLAGS)
    taken = take_tokens(x, found)
    assert torch.equal(taken[0], x[0][:, [1, 4, 6]])
    assert torch.equal(taken[1, :, 0], x[1, :, 3])


# edges


def test_no_flags_and_no_global_token():
    assert find_globals(None) is None
    assert find_globals(torch.zeros(2, 5).bool()) is None
