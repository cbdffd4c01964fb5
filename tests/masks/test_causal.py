import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from longctx_edu.masks import causal, dense_mask

few = settings(max_examples=40, deadline=None, derandomize=True)
lengths = st.integers(0, 7)


# equals the definition


@few
@given(lengths, lengths, st.integers(-9, 9))
def test_causal_equals_loops(n_query, n_key, offset):
    rows = [[j <= i + offset for j in range(n_key)] for i in range(n_query)]
    expected = torch.tensor(rows, dtype=torch.bool).reshape(n_query, n_key)
    assert torch.equal(dense_mask(causal(offset), n_query, n_key), expected)


# equals an outside reference


def test_causal_equals_the_lower_triangle():
    expected = torch.ones(5, 7, dtype=torch.bool)
    assert torch.equal(dense_mask(causal(), 5, 7), expected.tril())
    assert torch.equal(dense_mask(causal(offset=2), 5, 7), expected.tril(2))


# properties


def test_each_query_sees_one_key_more_than_the_one_before():
    assert dense_mask(causal(), 5).sum(-1).tolist() == [1, 2, 3, 4, 5]


def test_the_last_query_is_aligned_with_the_last_key():
    mask = dense_mask(causal(offset=7 - 5), 5, 7)
    assert mask[-1].all()
    assert not mask[-2, -1]


# edges


def test_one_token_sees_itself():
    assert dense_mask(causal(), 1).tolist() == [[True]]
