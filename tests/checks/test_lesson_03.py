"""What the shared guards in tests/course do not hold: how messages look."""

import math

import machinery as m
import pytest
import torch

from longctx_edu.checks import lesson_03
from longctx_edu.checks.gradients_03 import by_autograd, by_hand, forward
from longctx_edu.checks.lesson_03 import counted_cost
from longctx_edu.checks.oracles import drawn, slow_attention, slow_scores
from longctx_edu.checks.stream_03 import Stream
from longctx_edu.checks.tiles_03 import total, unshrunk

answers = m.load_file(m.WRONG_ANSWERS / "lesson_03.py")


def test_a_message_about_a_stream_reads_well():
    wrong = answers.WRONG["check_running_max_and_sum"]["no shrinking"][0]
    assert lesson_03.check_running_max_and_sum(wrong).message.splitlines() == [
        "✗ running_max_and_sum: log 1, log 4, log 2: the maximum is log 4, the sum "
        "1/4 + 1 + 2/4",
        "  given:",
        "    scores = log 1, log 4, log 2, one by one",
        "  came:",
        "    [1.386, 2.5]",
        "  expected:",
        "    [1.386, 1.75]",
        "  hint: the old sum was measured against the old maximum: multiply it by "
        "exp(old - new)",
    ]


def test_a_message_about_the_square_reads_well():
    wrong = answers.WRONG["check_attention_in_tiles"]["dense"][0]
    assert lesson_03.check_attention_in_tiles(wrong).message.splitlines() == [
        "✗ attention_in_tiles: no tensor grows with queries times keys",
        "  given:",
        "    queries = 96",
        "    keys = 640",
        "    block = 16",
        "  came:",
        "    a tensor of 61440 numbers",
        "  expected:",
        "    20480 at most, twice block times the longer text",
        "  hint: dense in disguise: scores, masks and weights exist for one tile at a "
        "time, and no list keeps them",
    ]


def test_a_message_about_work_reads_well():
    wrong = answers.WRONG["check_causal_tiles"]["masked, not skipped"][0]
    lines = lesson_03.check_causal_tiles(wrong).message.splitlines()
    assert lines[-5:-1] == [
        "  came:",
        "    the products of 64 tiles",
        "  expected:",
        "    36 tiles: 1 + 2 + ... + 8",
    ]


def test_a_function_without_return_is_told_so():
    for name in lesson_03.__all__:
        verdict = getattr(lesson_03, name)(lambda *given: None)
        assert "end it with return" in verdict.message, name


def test_the_oracle_of_costs_on_paper():
    assert counted_cost(4, 4, 2, 2) == [16, 128, 64]
    assert counted_cost(2, 3, 1, 4) == [6, 60, 24]


def test_the_oracle_of_gradients_equals_the_formulas():
    q, k, v, d_out = drawn(5, 4), drawn(7, 4), drawn(7, 3), drawn(5, 3)
    theirs = by_autograd(q, k, v, d_out)
    for one, other in zip(by_hand(q, k, v, d_out), theirs, strict=True):
        torch.testing.assert_close(one, other)
    out, lse = forward(q, k, v)
    torch.testing.assert_close(out, slow_attention(q, k, v).float())
    torch.testing.assert_close(lse, slow_scores(q, k, 2.0).logsumexp(1).float())


def test_the_mistakes_of_tiles_are_mistakes():
    q, k, v = drawn(3, 4), drawn(4, 4), drawn(4, 2)
    rows, want = slow_scores(q, k, 2.0), slow_attention(q, k, v)
    assert (unshrunk(rows, v, 2) - want).abs().max() > 1e-3
    torch.testing.assert_close(unshrunk(rows, v, 4), want)
    torch.testing.assert_close(rows.amax(1) + total(rows).log(), rows.logsumexp(1))


def test_a_stream_is_walked_once_and_watched():
    stream = Stream([1.0, 2.0, 3.0, 4.0])
    assert sum(stream) == 10 and sum(stream) == 0
    assert stream.most_held <= 2
    pairs = Stream([0.0, 0.0, 0.0], torch.ones(3, 2))
    kept = [value for _, value in pairs]
    assert pairs.most_held == len(kept) == 3 and not pairs.changed


@pytest.mark.parametrize("late", [False, True])
def test_a_value_that_is_written_into_is_seen(late):
    stream = Stream([0.0, 0.0, 0.0], torch.ones(3, 2))
    first = None
    for n, (_, value) in enumerate(stream):
        first = value if first is None else first
        if n == late:
            first.mul_(2)
    assert stream.changed


def test_a_generator_of_scores_behaves_as_numbers_do():
    score = next(Stream([2.0]))
    assert math.exp(score - score) == 1.0 and max(-math.inf, score) == 2.0
    assert torch.tensor(float(score)).item() == 2.0
