import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from longctx_edu.training import TrainConfig, bucketed_batches, plan_batches

lengths_of_texts = st.lists(st.integers(1, 60), min_size=1, max_size=80)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@given(
    lengths=lengths_of_texts, batch_tokens=st.integers(1, 100), seed=st.integers(0, 9)
)
def test_each_example_once_and_within_the_budget(lengths, batch_tokens, seed):
    batches = bucketed_batches(
        lengths, batch_tokens=batch_tokens, generator=generator(seed)
    )
    assert sorted(itertools.chain(*batches)) == list(range(len(lengths)))
    for batch in batches:
        padded = max(lengths[i] for i in batch) * len(batch)
        assert padded <= batch_tokens or len(batch) == 1


def test_little_is_padding():
    lengths = torch.randint(5, 200, (400,), generator=generator()).tolist()
    batches = bucketed_batches(lengths, batch_tokens=1024, generator=generator())
    padded = sum(max(lengths[i] for i in batch) * len(batch) for batch in batches)
    assert padded < 1.15 * sum(lengths)


def test_batches_are_full_where_lengths_are_equal():
    batches = bucketed_batches([4] * 9, batch_tokens=13, generator=generator())
    assert [len(batch) for batch in batches] == [3, 3, 3]


def test_order_and_company_change_with_the_seed_alone():
    lengths = torch.randint(5, 20, (60,), generator=generator()).tolist()
    draw = lambda seed: bucketed_batches(
        lengths, batch_tokens=64, generator=generator(seed)
    )
    assert draw(1) == draw(1)
    assert draw(1) != draw(2)
    assert {frozenset(b) for b in draw(1)} != {frozenset(b) for b in draw(2)}
    first = [lengths[batch[0]] for batch in draw(1)]
    assert first != sorted(first)


def test_a_longer_example_stands_alone():
    batches = bucketed_batches([50, 2, 3], batch_tokens=6, generator=generator())
    assert sorted(map(sorted, batches)) == [[0], [1, 2]]


def test_no_examples_no_batches():
    assert bucketed_batches([], batch_tokens=5, generator=generator()) == []


def test_each_epoch_has_its_own_batches_whatever_comes_after():
    lengths = list(range(1, 30))
    plan = plan_batches(lengths, TrainConfig(epochs=3, batch_tokens=40, seed=4))
    assert len(plan) == 3
    assert plan[0] != plan[1] != plan[2]
    assert plan[:2] == plan_batches(
        lengths, TrainConfig(epochs=2, batch_tokens=40, seed=4)
    )
    other = plan_batches(lengths, TrainConfig(epochs=3, batch_tokens=40, seed=5))
    assert plan[1] != other[0]


def test_messages():
    with pytest.raises(
        ValueError, match=r"^need batch_tokens >= 1, got batch_tokens=0$"
    ):
        bucketed_batches([1], batch_tokens=0, generator=generator())
    with pytest.raises(ValueError, match=r"^need lengths >= 1, got lengths\[1\]=0$"):
        bucketed_batches([3, 0, 2], batch_tokens=5, generator=generator())
    with pytest.raises(ValueError, match=r"^need at least one example, got none$"):
        plan_batches([], TrainConfig())
