import math
import re
import time
from itertools import pairwise, product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from longctx_edu.models.ngram import NGram

VOCAB = 4
TEXTS = st.lists(st.integers(0, VOCAB - 1), min_size=5, max_size=40)
ORDERS = st.integers(1, 5)


def text_of(n_tokens, seed=0, vocab_size=50):
    """Return a text in which some tokens are frequent and pairs come again."""
    draw = torch.Generator().manual_seed(seed)
    chances = 1 / torch.arange(1, vocab_size + 1)
    ids = torch.multinomial(chances, n_tokens, replacement=True, generator=draw)
    ids[1::2] = (ids[0::2] * 7 + ids[1::2] // 9) % vocab_size
    return ids


# equals the definition


def occurs(text, run):
    """Count a run in a text."""
    n = len(run)
    return sum(text[i : i + n] == run for i in range(len(text) - n + 1))


def count_of(text, run, order, vocab):
    """Count a run: how often it stands there, or how many tokens stand before it."""
    if len(run) == order:
        return occurs(text, run)
    return sum(occurs(text, [before, *run]) > 0 for before in vocab)


def chance_by_loops(text, context, token, order, vocab_size):
    """Write the formula of interpolated Kneser-Ney down as it stands in the papers."""
    vocab = range(vocab_size)
    shorter = 1 / vocab_size
    if context is None:
        return shorter
    shorter = chance_by_loops(
        text, context[1:] if context else None, token, order, vocab_size
    )
    length = len(context) + 1
    counts = [
        count_of(text, list(run), order, vocab) for run in product(vocab, repeat=length)
    ]
    n1, n2 = counts.count(1), counts.count(2)
    discount = n1 / (n1 + 2 * n2) if n1 else 0.5
    after = [count_of(text, [*context, w], order, vocab) for w in vocab]
    if sum(after) == 0:
        return shorter
    left_over = discount * sum(count > 0 for count in after) / sum(after)
    return max(after[token] - discount, 0) / sum(after) + left_over * shorter


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 2), min_size=3, max_size=15), st.integers(1, 3))
def test_every_probability_equals_the_loops(text, order):
    model = NGram(order, vocab_size=3).fit(text)
    for length in range(order):
        for *context, token in product(range(3), repeat=length + 1):
            wanted = chance_by_loops(text, context, token, order, 3)
            assert model.probability(context, token) == pytest.approx(wanted, abs=1e-12)


def test_bits_equal_the_sum_over_the_chances():
    text, test = text_of(400, vocab_size=9), text_of(60, seed=1, vocab_size=9).tolist()
    for order in range(1, 6):
        model = NGram(order, vocab_size=9).fit(text)
        bits = [
            -math.log2(model.probability(test[max(0, i - order + 1) : i], test[i]))
            for i in range(len(test))
        ]
        wanted = sum(bits) / len(bits)
        assert model.bits_per_token(test) == pytest.approx(wanted, abs=1e-12)
        assert model.bits_per_token(torch.tensor(test)) == model.bits_per_token(test)


def test_a_bigram_by_hand():
    # The pairs of 0 1 0 1 0 2: 01 twice, 10 twice, 02 once, so d = 1 / (1 + 4).
    # Before 0 stands {1}, before 1 {0}, before 2 {0}: each counts once, so d = 1,
    # and all that is known of a single token is 1 / 4.
    model = NGram(2, vocab_size=4).fit([0, 1, 0, 1, 0, 2])
    after_0 = [model.probability([0], token) for token in range(4)]
    assert after_0 == pytest.approx(
        [0.4 / 3 / 4, 1.8 / 3 + 0.4 / 3 / 4, 0.8 / 3 + 0.4 / 3 / 4, 0.4 / 3 / 4]
    )
    assert model.probability([2], 0) == model.probability([], 0) == 0.25


def test_a_token_that_follows_one_other_is_no_guess_elsewhere():
    # 1 is the most frequent token, but only after 0; 2 and 3 follow several.
    text = [0, 1] * 6 + [2, 3, 4, 2, 4, 3, 2] + [0, 1] * 6
    unigram, bigram = (NGram(order, vocab_size=5).fit(text) for order in (1, 2))
    assert unigram.probability([], 1) > unigram.probability([], 2)
    assert bigram.probability([], 1) < bigram.probability([], 2)


# properties


@settings(deadline=None)
@given(TEXTS, ORDERS, st.lists(st.integers(0, VOCAB - 1), max_size=6))
def test_the_chances_after_any_context_sum_to_one(text, order, context):
    model = NGram(order, VOCAB).fit(text)
    chances = [model.probability(context, token) for token in range(VOCAB)]
    assert sum(chances) == pytest.approx(1, abs=1e-12)
    assert min(chances) > 0


def test_the_chances_sum_to_one_after_seen_and_unseen_contexts():
    text = text_of(3000).tolist()
    model = NGram(5, vocab_size=60).fit(text)  # 50 to 59 never occur
    for context in ([], text[:4], text[70:74], [*text[70:73], 59], [55] * 4):
        chances = [model.probability(context, token) for token in range(60)]
        assert sum(chances) == pytest.approx(1, abs=1e-12) and min(chances) > 0


@given(TEXTS, ORDERS, st.lists(st.integers(0, VOCAB - 1), min_size=5, max_size=9))
def test_no_more_than_the_order_is_looked_at(text, order, context):
    model = NGram(order, VOCAB).fit(text)
    near = context[len(context) - order + 1 :]
    for token in range(VOCAB):
        assert model.probability(context, token) == model.probability(near, token)


def test_a_new_fit_forgets_the_old_one():
    one, two = text_of(200, seed=1), text_of(200, seed=2)
    again = NGram(3, 50).fit(one).fit(two)
    assert again.bits_per_token(one) == NGram(3, 50).fit(two).bits_per_token(one)


def test_context_pays_where_the_text_has_some():
    cycle = [0, 1, 0, 2, 0, 3] * 100  # what follows 0 is two tokens back
    bits = [NGram(order, VOCAB).fit(cycle).bits_per_token(cycle) for order in (1, 2, 3)]
    assert all(more > less + 0.5 for more, less in pairwise(bits))
    assert bits[0] == pytest.approx(0.5 + 0.5 * math.log2(6), abs=0.01)
    assert bits[2] < 0.05


# edges


@pytest.mark.parametrize("order", range(1, 6))
def test_a_text_as_short_as_the_order(order):
    model = NGram(order, VOCAB).fit([2] * order)
    assert math.isfinite(model.bits_per_token([0, 1, 2, 3]))


def test_one_known_token():
    assert NGram(2, vocab_size=1).fit([0, 0, 0]).bits_per_token([0, 0]) == 0


def test_the_first_token_is_predicted_from_nothing():
    model = NGram(3, 50).fit(text_of(500))
    assert model.bits_per_token([7]) == -math.log2(model.probability([], 7))


def test_a_long_text_takes_seconds():
    text, test = text_of(100_000, vocab_size=1024), text_of(20_000, 1, 1024)
    start = time.perf_counter()
    assert 0 < NGram(5, 1024).fit(text).bits_per_token(test) < 10
    assert time.perf_counter() - start < 30  # about 1 s on a free core


# messages


@pytest.mark.parametrize("order", [0, 6])
def test_refuses_an_order(order):
    with pytest.raises(ValueError, match=f"^need 1 <= order <= 5, got order={order}$"):
        NGram(order, 10)


def test_refuses_an_empty_vocabulary():
    with pytest.raises(ValueError, match=r"^need vocab_size >= 1, got vocab_size=0$"):
        NGram(2, 0)


def test_refuses_a_text_shorter_than_the_order():
    wanted = "need a text of at least 3 tokens for order 3, got 2"
    with pytest.raises(ValueError, match=f"^{re.escape(wanted)}$"):
        NGram(3, 10).fit([1, 2])


def test_refuses_a_text_without_tokens():
    model = NGram(2, 10).fit([1, 2, 1])
    wanted = "need a text of at least 1 token, got 0"
    with pytest.raises(ValueError, match=f"^{re.escape(wanted)}$"):
        model.bits_per_token([])


@pytest.mark.parametrize("wrong", [-1, 10])
def test_refuses_ids_outside_the_vocabulary(wrong):
    model = NGram(2, 10).fit([1, 2, 1])
    calls = [
        lambda: model.fit([1, wrong, 2]),
        lambda: model.bits_per_token(torch.tensor([1, wrong])),
        lambda: model.probability([wrong], 1),
        lambda: model.probability([1], wrong),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=f"^need ids from 0 to 9, got {wrong}$"):
            call()


def test_refuses_a_model_without_counts():
    wanted = "need fit(ids) first, got a model without counts"
    for call in (
        NGram(2, 10).bits_per_token,
        lambda ids: NGram(2, 10).probability(ids, 3),
    ):
        with pytest.raises(ValueError, match=f"^{re.escape(wanted)}$"):
            call([1, 2])
