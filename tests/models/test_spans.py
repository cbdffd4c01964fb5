import re
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import TypeCheckError

from longctx_edu.models import best_span

few = settings(max_examples=80, deadline=None, derandomize=True)
INF = float("inf")


def random(*sizes, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*sizes, generator=generator, dtype=torch.float64)


def span_by_loops(starts, ends, max_tokens, keep):
    """Try every span of one text, the first ones first."""
    best = (-1, -1, -INF)
    for start in range(len(starts)):
        for end in range(start, min(start + max_tokens, len(starts))):
            score = starts[start] + ends[end]
            if keep[start] and keep[end] and score > best[2]:
                best = (start, end, score)
    return best


def triples(spans):
    columns = (spans.start.tolist(), spans.end.tolist(), spans.score.tolist())
    return list(zip(*columns, strict=True))


# equals the definition


@few
@given(st.data(), st.integers(1, 9), st.integers(1, 3), st.integers(1, 11))
def test_equals_the_loop_over_all_spans(data, n_tokens, n_texts, max_tokens):
    # Small whole numbers: equals are common; -inf forbids a place.
    number = st.one_of(st.integers(-2, 2), st.just(-INF))
    row = st.lists(number, min_size=n_tokens, max_size=n_tokens)
    rows = st.lists(row, min_size=n_texts, max_size=n_texts)
    flags = st.lists(st.booleans(), min_size=n_tokens, max_size=n_tokens)
    starts, ends = (torch.tensor(data.draw(rows)).double() for _ in range(2))
    keep = torch.tensor([data.draw(flags) for _ in range(n_texts)])
    wanted = [
        span_by_loops(s.tolist(), e.tolist(), max_tokens, k.tolist())
        for s, e, k in zip(starts, ends, keep, strict=True)
    ]
    given = best_span(starts, ends, max_tokens=max_tokens, keep=keep)
    assert triples(given) == wanted


@pytest.mark.parametrize("max_tokens", [1, 2, 7, 40])
def test_equals_the_loop_on_longer_texts(max_tokens):
    starts, ends = random(3, 33), random(3, 33, seed=1)
    wanted = [
        span_by_loops(s, e, max_tokens, [True] * 33)
        for s, e in zip(starts.tolist(), ends.tolist(), strict=True)
    ]
    assert triples(best_span(starts, ends, max_tokens=max_tokens)) == wanted


# equals an outside reference


@pytest.mark.parametrize("max_tokens", [1, 3, 20])
def test_equals_the_question_answering_of_transformers(max_tokens):
    from transformers.pipelines.document_question_answering import select_starts_ends

    for seed in range(20):
        starts, ends = random(1, 20, seed=seed), random(1, 20, seed=seed + 100)
        keep = torch.arange(20)[None] >= 5  # a question of 5 tokens
        first, last, *_ = select_starts_ends(
            starts.numpy(), ends.numpy(), (~keep).long().numpy(),
            np.ones((1, 20), dtype=int), max_answer_len=max_tokens,
        )  # fmt: skip
        given = best_span(starts, ends, max_tokens=max_tokens, keep=keep)
        assert (given.start.item(), given.end.item()) == (first[0], last[0])


# properties


def test_texts_stand_for_themselves():
    starts, ends = random(4, 12), random(4, 12, seed=1)
    alone = [
        best_span(starts[n : n + 1], ends[n : n + 1], max_tokens=4) for n in range(4)
    ]
    wanted = [triples(spans)[0] for spans in alone]
    assert triples(best_span(starts, ends, max_tokens=4)) == wanted


def test_a_longer_limit_never_scores_less():
    starts, ends = random(5, 20), random(5, 20, seed=1)
    scores = [best_span(starts, ends, max_tokens=n).score for n in range(1, 21)]
    for shorter, longer in pairwise(scores):
        assert (longer >= shorter).all()


def test_the_logits_are_left_alone_and_need_no_gradient():
    starts, ends = random(2, 6).requires_grad_(), random(2, 6, seed=1).requires_grad_()
    before = starts.detach().clone()
    spans = best_span(starts, ends, max_tokens=3, keep=torch.arange(6).expand(2, 6) > 1)
    assert torch.equal(starts, before)
    assert not spans.score.requires_grad


# edges


def test_of_equal_spans_the_first_and_shortest():
    zeros = torch.zeros(1, 5)
    assert triples(best_span(zeros, zeros, max_tokens=3)) == [(0, 0, 0.0)]


def test_the_wrong_order_is_no_span():
    starts, ends = torch.tensor([[0.0, 0.0, 9.0]]), torch.tensor([[9.0, 0.0, 0.0]])
    assert triples(best_span(starts, ends, max_tokens=3)) == [(0, 0, 9.0)]


def test_a_text_without_a_span_stands_beside_one_that_has_one():
    logits = torch.tensor([[1.0, 2.0], [1.0, 2.0]])
    keep = torch.tensor([[False, False], [True, True]])
    spans = best_span(logits, logits, max_tokens=2, keep=keep)
    assert triples(spans) == [(-1, -1, -INF), (1, 1, 4.0)]


def test_starts_that_only_stand_behind_the_ends_have_no_span():
    starts, ends = torch.tensor([[-INF, 1.0]]), torch.tensor([[1.0, -INF]])
    assert triples(best_span(starts, ends, max_tokens=2)) == [(-1, -1, -INF)]


def test_one_token_and_none():
    one = torch.ones(1, 1)
    assert triples(best_span(one, one, max_tokens=5)) == [(0, 0, 2.0)]
    none = torch.ones(1, 0)
    assert triples(best_span(none, none, max_tokens=5)) == [(-1, -1, -INF)]


def test_short_formats_are_added_in_float32():
    # 256 + 1 is no number of bfloat16: added there, the two spans would be equal.
    starts = torch.tensor([[256.0, 256.0]]).bfloat16()
    ends = torch.tensor([[-INF, 1.0]]).bfloat16()
    starts[0, 0] = 255.0
    spans = best_span(starts, ends, max_tokens=2)
    assert triples(spans) == [(1, 1, 257.0)]


# messages


@pytest.mark.parametrize("max_tokens", [0, -1])
def test_a_length_that_is_none(max_tokens):
    said = f"^need max_tokens that is a whole number >= 1, got {max_tokens}$"
    with pytest.raises(ValueError, match=said):
        best_span(torch.zeros(1, 2), torch.zeros(1, 2), max_tokens=max_tokens)


@pytest.mark.parametrize("which", [0, 1])
def test_a_logit_that_is_no_number(which):
    logits = [torch.zeros(1, 2), torch.zeros(1, 2)]
    logits[which][0, 1] = float("nan")
    said = f"^need {('start', 'end')[which]}_logits that are numbers, got NaN$"
    with pytest.raises(ValueError, match=said):
        best_span(*logits, max_tokens=2)


def test_shapes_that_differ_are_refused():
    with pytest.raises(TypeCheckError):
        best_span(torch.zeros(1, 2), torch.zeros(1, 3), max_tokens=2)
    # Unannotated callers get the library's own words.
    said = "need end_logits of the shape of start_logits (1, 2), got (1, 3)"
    with pytest.raises(ValueError, match=re.escape(said)):
        best_span.__wrapped__(torch.zeros(1, 2), torch.zeros(1, 3), max_tokens=2)
