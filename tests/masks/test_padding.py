import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from longctx_edu.masks import dense_mask, padding

few = settings(max_examples=40, deadline=None, derandomize=True)
texts_and_queries = st.tuples(
    st.integers(0, 7).flatmap(
        lambda n: st.lists(
            st.lists(st.booleans(), min_size=n, max_size=n), min_size=1, max_size=3
        )
    ),
    st.integers(0, 7),
)


# equals the definition


@few
@given(texts_and_queries)
def test_padding_equals_loops(case):
    texts, n_query = case
    n_key = len(texts[0])
    keep = torch.tensor(texts, dtype=torch.bool).reshape(len(texts), n_key)
    expected = torch.zeros(len(texts), n_query, n_key, dtype=torch.bool)
    for text, real in enumerate(texts):
        for i in range(n_query):
            for j in range(n_key):
                expected[text, i, j] = real[j]
    assert torch.equal(dense_mask(padding(keep), n_query, n_key), expected)


# properties


def test_a_padded_query_keeps_its_row():
    mask = dense_mask(padding(torch.tensor([True, True, False])), 3)
    assert mask[2].tolist() == mask[0].tolist() == [True, True, False]


# edges


def test_a_text_of_padding_alone_sees_nothing():
    assert not dense_mask(padding(torch.zeros(2, 5).bool()), 3, 5).any()


def test_two_batch_axes():
    keep = torch.ones(2, 3, 5, dtype=torch.bool)
    assert dense_mask(padding(keep), 4, 5).shape == (2, 3, 4, 5)
