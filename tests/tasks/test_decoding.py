import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from longctx_edu.data.tags import stray
from longctx_edu.tasks import DECODERS, allowed, constrained, greedy, viterbi
from longctx_edu.tasks.decoding import _smallest

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


def viterbi_with_a_tensor_a_word(logits, first, follows):
    """Keep where the ways to each word came from in a tensor of its own."""
    best, came_from = logits[0] + first, []
    for word in logits[1:]:
        way, source = (best[:, None] + follows).max(dim=0)
        came_from.append(source)
        best = way + word
    labels = [int(best.argmax())]
    for source in reversed(came_from):
        labels.append(int(source[labels[-1]]))
    return labels[::-1]


@given(
    st.integers(1, 40),
    st.sampled_from([1, 2, 5, 17]),
    st.integers(0, 10**6),
    st.booleans(),
)
def test_small_numbers_remember_the_same_ways(n_words, n_labels, seed, with_ties):
    generator = torch.Generator().manual_seed(seed)
    shapes = ((n_words, n_labels), (n_labels,), (n_labels, n_labels))
    numbers = [3 * torch.randn(shape, generator=generator) for shape in shapes]
    if with_ties:
        numbers = [x.round() for x in numbers]
    logits, first, follows = numbers
    follows[torch.rand(follows.shape, generator=generator) < 0.2] = -torch.inf
    found = viterbi(logits, first, follows).tolist()
    assert found == viterbi_with_a_tensor_a_word(logits, first, follows)


@pytest.mark.parametrize("n_labels", [256, 257, 300])
def test_as_many_labels_as_a_byte_counts_and_more(n_labels):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(9, n_labels, generator=generator)
    logits[4, -1] = 50.0
    nothing = torch.zeros(n_labels, n_labels)
    found = viterbi(logits, nothing[0], nothing)
    assert found.tolist() == logits.argmax(dim=-1).tolist()


def test_the_smallest_numbers_that_count_the_labels_are_kept():
    kinds = [_smallest(n) for n in (1, 256, 257, 2**15, 2**15 + 1)]
    int16 = torch.int16
    assert kinds == [torch.uint8, torch.uint8, int16, int16, torch.int64]


def test_constrained_equals_the_old_way_on_a_long_text():
    logits = drawn(500, 3)
    rows = viterbi_with_a_tensor_a_word(logits.log_softmax(dim=-1), *allowed(TAGS))
    assert constrained(logits, TAGS) == [TAGS[label] for label in rows]


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
