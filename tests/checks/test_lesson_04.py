"""What the shared guards in tests/course do not hold: how messages look."""

import machinery as m
import pytest
import torch

from longctx_edu.checks import lesson_04
from longctx_edu.checks.chunks_04 import every_cut, slow_cut, slow_owners
from longctx_edu.checks.pool_04 import KEEP, LOGITS, by_hand
from longctx_edu.chunking import owner, split

answers = m.load_file(m.WRONG_ANSWERS / "lesson_04.py")


def test_a_message_about_cutting_reads_well():
    wrong = answers.WRONG["check_chunk_places"]["stride for step"][0]
    assert lesson_04.check_chunk_places(wrong).message.splitlines() == [
        "✗ chunk_places: 9 tokens in chunks of 4 that share 1: starts 0, 3, and the "
        "last moved back",
        "  given:",
        "    n_tokens = 9",
        "    size = 4",
        "    overlap = 1",
        "  came:",
        "    [(0, 4), (1, 5), (2, 6), (3, 7), (4, 8), (5, 9)]",
        "  expected:",
        "    [(0, 4), (3, 7), (5, 9)]",
        "  hint: overlap is what neighbours share, not the distance of their starts",
    ]


def test_a_message_about_pools_reads_well():
    wrong = answers.WRONG["check_pool_chunks"]["maximum of zeros"][0]
    assert lesson_04.check_pool_chunks(wrong).message.splitlines() == [
        "✗ pool_chunks: max over the real chunks of each document",
        "  given:",
        "    logits =",
        "       4 -2 -2 -4",
        "      -1 -3  0  0",
        "    keep =",
        "      ■ ■ ■ ■",
        "      ■ ■ · ·",
        "    how = max",
        "  came:",
        "    4 0",
        "  expected:",
        "    4 -1",
        "  hint: a filling of 0 beats logits below 0: -inf where keep is False",
    ]


def test_a_message_about_the_memory_reads_well():
    wrong = answers.WRONG["check_next_memory"]["lengths swapped"][0]
    assert lesson_04.check_next_memory(wrong).message.splitlines() == [
        "✗ next_memory: with no memory yet, the last row is left out all the same",
        "  given:",
        "    memory = []",
        "    x = [4, 5, 6]",
        "    length = 4",
        "    again = 1",
        "  came:",
        "    4 4",
        "    5 5",
        "    6 6",
        "  expected:",
        "    4 4",
        "    5 5",
        "  hint: len(memory) and len(x) changed places: the last `again` rows belong "
        "to x",
    ]


def test_a_function_without_return_is_told_so():
    for name in lesson_04.__all__:
        verdict = getattr(lesson_04, name)(lambda *given, **named: None)
        assert "end it with return" in verdict.message, name


def test_the_slow_answers_are_those_of_the_library():
    for n_tokens, size, overlap in every_cut():
        chunks = split(n_tokens, size=size, overlap=overlap)
        pairs = slow_cut(n_tokens, size, overlap)
        assert pairs == [(chunk.start, chunk.stop) for chunk in chunks]
        assert slow_owners(pairs, n_tokens) == owner(chunks).tolist()


def test_the_slow_answers_on_paper():
    assert slow_cut(3, 4, 1) == [(0, 3)]
    assert slow_owners([(0, 5), (2, 7)], 7) == [0, 0, 0, 0, 1, 1, 1]
    assert slow_owners([(4, 8), (0, 8)], 8) == [1] * 8
    assert slow_owners([(0, 4), (0, 8)], 8) == [1] * 8


@pytest.mark.parametrize("how", ["mean", "max", "logsumexp"])
def test_the_slow_pools_leave_the_filling_out(how):
    rubbish = torch.where(KEEP, LOGITS, 99.0)
    assert torch.equal(by_hand(rubbish, KEEP, how), by_hand(LOGITS, KEEP, how))


def test_a_changed_piece_is_told_apart_from_a_wrong_row():
    wrong = answers.WRONG["check_put_together"]["written into"][0]
    assert "the pieces stay as they are" in lesson_04.check_put_together(wrong).message
