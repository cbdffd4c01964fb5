"""What tests/course does not hold: how messages look, and what the oracles count."""

import machinery as m
import pytest
import torch

from longctx_edu.attention import window_pairs
from longctx_edu.checks import lesson_05
from longctx_edu.checks.band_05 import text
from longctx_edu.checks.blocks_05 import shifted
from longctx_edu.checks.globals_05 import twice
from longctx_edu.checks.graph_05 import WINDOWS, counted
from longctx_edu.checks.oracles import slow_attention
from longctx_edu.checks.patterns_05 import band_of
from longctx_edu.masks import dense_mask, window

answers = m.load_file(m.WRONG_ANSWERS / "lesson_05.py")


def message(check, name):
    return getattr(lesson_05, check)(answers.WRONG[check][name][0]).message


def test_a_message_about_a_mask_shows_squares():
    assert message("check_band_mask", "no left end").splitlines() == [
        "✗ band_mask: row i sees the keys i to i + left + right",
        "  given:",
        "    size = 3",
        "    left = 2",
        "    right = 1",
        "  came:",
        "    ■ ■ ■ ■ · ·",
        "    ■ ■ ■ ■ ■ ·",
        "    ■ ■ ■ ■ ■ ■",
        "  expected:",
        "    ■ ■ ■ ■ · ·",
        "    · ■ ■ ■ ■ ·",
        "    · · ■ ■ ■ ■",
        "  hint: the left end is missing: row 1 does not see key 0",
    ]


def test_a_message_about_the_square_reads_well():
    assert message("check_window_in_blocks", "dense in disguise").splitlines() == [
        "✗ window_in_blocks: no tensor grows with the square of the text",
        "  given:",
        "    tokens = 640",
        "    left = 8",
        "    right = 8",
        "    size = 16",
        "  came:",
        "    a tensor of 409600 numbers",
        "  expected:",
        "    40960 at most, twice tokens times (left + size + right)",
        "  hint: dense in disguise: a mask of the whole text, or scores of all pairs, "
        "is the square; slice the keys first",
    ]


def test_a_message_about_work_counts_scores():
    said = message("check_window_in_blocks", "all keys for each block")
    assert "409600 scores" in said and "40960 at most" in said


def test_a_key_that_counts_twice_is_named():
    said = message("check_window_and_globals", "counted twice").splitlines()
    assert said[0].endswith("and rows of global tokens that see all")
    assert said[-1] == (
        "  hint: a global key within the window is counted twice: leave it out in one "
        "of the two"
    )


def test_an_error_of_the_library_gets_a_hint_too():
    def refused(*given):
        raise ValueError("need a mask of shape (4, 5), got (4, 7)")

    said = lesson_05.check_window_in_blocks(refused).message
    assert "got (4, 7)" in said and said.endswith("its mask is as much smaller")


def test_a_function_without_return_is_told_so():
    for name in lesson_05.__all__:
        verdict = getattr(lesson_05, name)(lambda *given: None)
        assert "end it with return" in verdict.message, name


@pytest.mark.parametrize(
    "sides", [(1, 0, 1), (2, 3, 1), (0, 0, 1), (9, 9, 1), (2, 1, 3)]
)
def test_the_oracle_of_masks_equals_the_library(sides):
    left, right, dilation = sides
    theirs = dense_mask(window(left=left, right=right, dilation=dilation), 7)
    assert torch.equal(band_of(7, left, right, dilation), theirs)


def test_the_oracle_of_pairs_equals_the_library():
    for n, left, right in ((5, 1, 1), (10, 3, 1), (3, 9, 9), (1, 0, 0)):
        assert counted(n, left, right) == window_pairs(n, left=left, right=right)
    for given, _, _, mistakes in WINDOWS:
        assert counted(*given) not in dict(mistakes)


def test_a_block_s_mask_is_a_piece_of_the_whole():
    assert torch.equal(shifted(3, 2, 1), band_of(20, 2, 1)[6:9, 4:10])
    assert shifted(3, 2, 1, only=2).nonzero().tolist() == [[0, 2], [1, 3], [2, 4]]


def test_counting_twice_is_a_mistake_only_where_windows_hold_the_key():
    q, k, v = text(10)
    near, places = band_of(10, 1, 1), torch.tensor([5])
    columns = (torch.arange(10) == 5).expand(10, 10)
    right = slow_attention(q, k, v, near | columns)
    moved = (twice(q, k, v, near, places, None) - right).abs().amax(dim=1) > 1e-6
    assert moved.nonzero().flatten().tolist() == [4, 5, 6]
