import math
import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from longctx_edu.data.language import IGNORED, mask_tokens

OPTIONS = {"vocab_size": 50, "mask_id": 1, "special_ids": (0, 1, 2)}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


TEXTS = st.lists(
    st.lists(st.integers(0, 49), min_size=7, max_size=7), min_size=1, max_size=5
).map(torch.tensor)

# properties


@given(TEXTS, st.floats(0.01, 1), st.integers(0, 1000))
def test_only_chosen_tokens_change_and_no_special_one_is_chosen(ids, share, seed):
    before = ids.clone()
    inputs, labels = mask_tokens(ids, **OPTIONS, share=share, generator=seeded(seed))
    chosen = labels != IGNORED
    assert torch.equal(ids, before)
    assert torch.equal(inputs[~chosen], ids[~chosen])
    assert torch.equal(labels[chosen], ids[chosen])
    assert (ids[chosen] > 2).all()
    assert ((inputs[chosen] > 2) | (inputs[chosen] == 1)).all()
    assert (inputs < 50).all() and inputs.dtype == labels.dtype == ids.dtype


@given(TEXTS, st.floats(0.01, 1), st.integers(0, 1000))
def test_each_text_gives_its_share_and_at_least_one(ids, share, seed):
    _, labels = mask_tokens(ids, **OPTIONS, share=share, generator=seeded(seed))
    for row, text in zip(labels, ids, strict=True):
        n_ordinary = int((text > 2).sum())
        wanted = max(1, round(share * n_ordinary)) if n_ordinary else 0
        assert abs(int((row != IGNORED).sum()) - wanted) <= (share * n_ordinary % 1 > 0)
        assert (row != IGNORED).any() == (n_ordinary > 0)


def test_eighty_ten_ten():
    ids = torch.randint(3, 1000, (20, 5000), generator=seeded(1))
    options = OPTIONS | {"vocab_size": 1000}
    inputs, labels = mask_tokens(ids, **options, generator=seeded(2))
    chosen = labels != IGNORED
    assert chosen.float().mean().item() == pytest.approx(0.15, abs=1e-6)
    n_chosen = int(chosen.sum())
    masked = (inputs[chosen] == 1).sum().item() / n_chosen
    same = (inputs[chosen] == labels[chosen]).sum().item() / n_chosen
    spread = 4 / math.sqrt(n_chosen)  # standard errors, of a share of at most 1/2
    assert masked == pytest.approx(0.8, abs=spread * 0.4)
    assert same == pytest.approx(0.1, abs=spread * 0.3)
    other = inputs[chosen & (inputs != 1) & (inputs != ids)]
    counts = torch.bincount(other, minlength=1000)
    assert (counts[:3] == 0).all() and (counts[3:] > 0).float().mean() > 0.7


def test_every_place_is_chosen_as_often():
    ids = torch.full((20_000, 8), 9)
    _, labels = mask_tokens(ids, **OPTIONS, share=0.25, generator=seeded(3))
    shares = (labels != IGNORED).float().mean(dim=0)
    assert torch.allclose(shares, torch.full((8,), 0.25), atol=0.015)


def test_the_same_seed_hides_the_same_tokens():
    ids = torch.arange(3, 43)
    first, again, other = (
        mask_tokens(ids, **OPTIONS, generator=seeded(seed)) for seed in (5, 5, 6)
    )
    assert torch.equal(first[0], again[0]) and torch.equal(first[1], again[1])
    assert not torch.equal(first[1], other[1])


# edges


def test_a_text_of_one_token_is_hidden():
    _, labels = mask_tokens(torch.tensor([7]), **OPTIONS, generator=seeded())
    assert labels.tolist() == [7]


def test_a_text_of_special_tokens_stays_as_it_is():
    ids = torch.tensor([[0, 2, 2], [0, 7, 2]])
    _, labels = mask_tokens(ids, **OPTIONS, generator=seeded())
    assert labels.tolist() == [[-100] * 3, [-100, 7, -100]]


def test_an_empty_text_stays_empty():
    ids = torch.zeros(0, dtype=torch.long)
    inputs, labels = mask_tokens(ids, **OPTIONS, generator=seeded())
    assert inputs.shape == labels.shape == (0,)


def test_special_ids_can_stand_anywhere():
    ids = torch.tensor([[4, 9, 0, 3, 9]] * 200)
    inputs, labels = mask_tokens(
        ids,
        vocab_size=10,
        mask_id=9,
        special_ids=(4, 9),
        share=1.0,
        generator=seeded(),
    )
    assert (labels == torch.tensor([-100, -100, 0, 3, -100])).all()
    assert not (inputs[:, 2:4] == 4).any()


# messages


@pytest.mark.parametrize("share", [0.0, -0.1, 1.1, math.nan])
def test_refuses_a_share_that_is_none(share):
    with pytest.raises(ValueError, match=f"^need 0 < share <= 1, got share={share}$"):
        mask_tokens(torch.arange(5), **OPTIONS, share=share, generator=seeded())


def test_refuses_a_vocabulary_of_special_ids():
    wanted = (
        "need an id that is not special, got vocab_size=3 and special_ids=[0, 1, 2]"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(wanted)}$"):
        mask_tokens(torch.arange(3), **OPTIONS | {"vocab_size": 3}, generator=seeded())
