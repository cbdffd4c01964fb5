import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from longctx_edu.masks import dense_mask, global_tokens

few = settings(max_examples=40, deadline=None, derandomize=True)
flags_of_texts = st.integers(0, 7).flatmap(
    lambda n: st.lists(
        st.lists(st.booleans(), min_size=n, max_size=n), min_size=1, max_size=3
    )
)


# equals the definition


@few
@given(flags_of_texts)
def test_global_tokens_equal_loops(texts):
    n = len(texts[0])
    flags = torch.tensor(texts, dtype=torch.bool).reshape(len(texts), n)
    expected = torch.zeros(len(texts), n, n, dtype=torch.bool)
    for text, chosen in enumerate(texts):
        for i in range(n):
            for j in range(n):
                expected[text, i, j] = chosen[i] or chosen[j]
    assert torch.equal(dense_mask(global_tokens(flags), n), expected)


# properties


def test_the_pattern_is_symmetric():
    flags = torch.tensor([[False, True, False, True], [True, False, False, False]])
    mask = dense_mask(global_tokens(flags), 4)
    assert torch.equal(mask, mask.mT)


def test_two_tokens_are_at_most_two_steps_apart():
    mask = dense_mask(global_tokens(torch.arange(7) == 3), 7).int()
    assert ((mask @ mask) > 0).all()


# edges


def test_none_and_all():
    assert not dense_mask(global_tokens(torch.zeros(5).bool()), 5).any()
    assert dense_mask(global_tokens(torch.ones(5).bool()), 5).all()


def test_two_batch_axes():
    flags = torch.zeros(2, 3, 5, dtype=torch.bool)
    flags[1, 2, 4] = True
    mask = dense_mask(global_tokens(flags), 5)
    assert mask.shape == (2, 3, 5, 5)
    assert mask[1, 2, 4].all()
    assert mask[1, 2, :, 4].all()
    assert mask.sum() == 9
