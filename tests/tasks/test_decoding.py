import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from longctx_edu.data.tags import stray
from longctx_edu.tasks import DECODERS, constrained, greedy

TAGS = ["O", "B-A", "I-A", "B-B", "I-B"]


def drawn(n_words, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n_words, len(TAGS), generator=generator) * 2


def best_by_trying_all(logits):
    """Score every row of tags that IOB2 allows, the slow way."""
    words = logits.log_softmax(dim=-1)
    rows = itertools.product(range(len(TAGS)), repeat=len(logits))
    legal = [row for row in rows if stray([TAGS[label] for label in row]) is None]
    best = max(legal, key=lambda row: sum(float(w[x]) for w, x in zip(words, row)))  # noqa: B905
    return [TAGS[label] for label in best]


@pytest.mark.parametrize("n_words", [1, 2, 5])
@pytest.mark.parametrize("seed", range(6))
def test_constrained_equals_trying_all_rows(n_words, seed):
    logits = drawn(n_words, seed)
    assert constrained(logits, TAGS) == best_by_trying_all(logits)


@given(st.integers(0, 60), st.integers(0, 9))
def test_constrained_never_breaks_iob2(n_words, seed):
    tags = constrained(drawn(n_words, seed), TAGS)
    assert len(tags) == n_words
    assert stray(tags) is None


@pytest.mark.parametrize("tags", [["O", "B-A", "I-A", "I-A"], ["B-B", "B-B", "I-B"]])
def test_rows_that_are_allowed_stay_as_they_are(tags):
    logits = torch.nn.functional.one_hot(
        torch.tensor([TAGS.index(tag) for tag in tags]), len(TAGS)
    ).float()
    assert constrained(9 * logits, TAGS) == greedy(9 * logits, TAGS) == tags


def test_a_stray_tag_is_joined_or_dropped_by_all_words_together():
    logits = torch.tensor([[2.0, 1.9, 0, 0, 0], [0, 0, 5.0, 0, 0]])
    assert greedy(logits, TAGS) == ["O", "I-A"]
    assert constrained(logits, TAGS) == ["B-A", "I-A"]
    logits = torch.tensor([[9.0, 0, 0, 0, 0], [2.0, 0, 2.1, 0, 0]])
    assert constrained(logits, TAGS) == ["O", "O"]


def test_no_words_have_no_tags():
    assert all(decode(torch.zeros(0, 5), TAGS) == [] for decode in DECODERS.values())
