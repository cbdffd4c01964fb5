import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from longctx_edu.masks import causal, dense_mask, document

few = settings(max_examples=40, deadline=None, derandomize=True)
ids_of_texts = st.integers(0, 7).flatmap(
    lambda n: st.lists(
        st.lists(st.integers(-1, 2), min_size=n, max_size=n), min_size=1, max_size=3
    )
)


# equals the definition


@few
@given(ids_of_texts)
def test_document_equals_loops(texts):
    n = len(texts[0])
    ids = torch.tensor(texts, dtype=torch.long).reshape(len(texts), n)
    expected = torch.zeros(len(texts), n, n, dtype=torch.bool)
    for text, names in enumerate(texts):
        for i in range(n):
            for j in range(n):
                expected[text, i, j] = names[i] == names[j]
    assert torch.equal(dense_mask(document(ids), n), expected)


# equals an outside reference


def test_documents_side_by_side_are_blocks_on_the_diagonal():
    ids = torch.tensor([0, 0, 1, 1, 1, 2])
    ones = (torch.ones(2, 2), torch.ones(3, 3), torch.ones(1, 1))
    assert torch.equal(dense_mask(document(ids), 6), torch.block_diag(*ones).bool())


# properties


def test_a_packed_causal_text_restarts_with_each_document():
    ids = torch.tensor([5, 5, 5, 8, 8])
    mask = dense_mask(document(ids) & causal(), 5)
    assert mask.sum(-1).tolist() == [1, 2, 3, 1, 2]


# edges


def test_pieces_of_one_document_apart_still_see_each_other():
    assert dense_mask(document(torch.tensor([7, 9, 7])), 3)[0].tolist() == [1, 0, 1]
