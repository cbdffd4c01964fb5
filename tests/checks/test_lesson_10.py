"""What the shared guards in tests/course do not hold: oracles, and messages."""

import machinery as m
import pytest
import torch

from longctx_edu.attention import window_pairs
from longctx_edu.checks import lesson_10
from longctx_edu.checks.chosen_10 import BEGUN, slow_help
from longctx_edu.checks.globals_10 import COUNTED, slow_pairs
from longctx_edu.checks.oracles import drawn
from longctx_edu.checks.reach_10 import NEEDED, SEEN
from longctx_edu.data.documents import Mention
from longctx_edu.data.gazette import GazetteConfig, article
from longctx_edu.masks import dense_mask, global_tokens, window
from longctx_edu.metrics import scores_by_distance

answers = m.load_file(m.WRONG_ANSWERS / "lesson_10.py")


def test_a_message_reads_well():
    wrong = answers.WRONG["check_layers_for"]["rounded down"][0]
    assert lesson_10.check_layers_for(wrong).message.splitlines() == [
        "✗ layers_for: one token beyond the window takes a second layer",
        "  given:",
        "    distance = 6",
        "    side = 5",
        "    dilation = 1",
        "  came:",
        "    1",
        "  expected:",
        "    2",
        "  hint: round up, not down: -(-steps // side)",
    ]


def test_a_message_about_globals_reads_well():
    wrong = answers.WRONG["check_can_see"]["no rows"][0]
    assert lesson_10.check_can_see(wrong).message.splitlines() == [
        "✗ can_see: a global mention sees everything",
        "  given:",
        "    mention = (9, 10)",
        "    evidence = (0, 3)",
        "    left = 1",
        "    right = 1",
        "    global = (9,)",
        "  came:",
        "    False",
        "  expected:",
        "    True",
        "  hint: is_global[query] opens the row: a global token sees all",
    ]


@pytest.mark.parametrize(("n", "side", "places", "_"), COUNTED)
def test_the_oracle_of_pairs_equals_the_library(n, side, places, _):
    theirs = window_pairs(n, left=side, right=side, global_places=places)
    assert slow_pairs(n, side, places) == theirs


@pytest.mark.parametrize("row", SEEN, ids=lambda row: row[6])
def test_what_is_seen_equals_the_mask(row):
    mention, evidence, left, right, places, seen, *_ = row
    flags = torch.zeros(12, dtype=torch.bool)
    flags[list(places)] = True
    mask = dense_mask(window(left=left, right=right) | global_tokens(flags), 12)
    assert bool(mask[mention[0], slice(*evidence)].any()) == seen


@pytest.mark.parametrize("row", NEEDED, ids=lambda row: row[4])
def test_the_layers_needed_equal_powers_of_the_mask(row):
    distance, side, dilation, layers, *_ = row
    n = 2 * distance + 1
    sides = {"left": side, "right": side}
    mask = dense_mask(window(**sides, dilation=dilation), n).int()
    hears, needed = torch.eye(n).int(), None
    for depth in range(n):
        if hears[distance, 2 * distance]:
            needed = depth
            break
        hears = ((hears @ mask) > 0).int()
    assert needed == layers


def test_the_oracle_of_help_equals_autograd():
    weights = drawn(4, 4).requires_grad_()
    (weights**2).sum().backward()
    far = (torch.arange(4)[:, None] - torch.arange(4)).abs() > 1
    theirs = (-2 * weights.detach() ** 2 * far).sum(0)
    ours = slow_help(weights.detach(), weights.grad, 1)
    assert ours == pytest.approx(theirs.tolist(), abs=1e-5)


TAGGED = [row for row in lesson_10.BY_DISTANCE if "a second" not in row[3]]


@pytest.mark.parametrize("row", TAGGED, ids=lambda row: row[3])
def test_the_scores_expected_equal_the_library(row):
    mentions, predicted, want, *_ = row
    tags = ["O"] * 12
    for start, stop, kind in predicted:
        tags[start:stop] = [f"B-{kind}"] + [f"I-{kind}"] * (stop - start - 1)
    gold = [Mention(*mention) for mention in mentions]
    found = scores_by_distance([gold], [tags], buckets=lesson_10.BUCKETS)
    assert [bucket.score.f1 for bucket in found] == pytest.approx(want)


def test_the_solution_finds_the_sentences_of_an_article():
    solution = m.solution_module(m.ROOT / "lessons/10_long_documents_exercises.py")
    paper = article(GazetteConfig(n_tokens=256), 0)
    flags = solution.starts_of_sentences(list(paper.tokens))
    found = {place for place, flag in enumerate(flags) if flag}
    assert found <= set(paper.sentence_starts)  # headings end without a mark
    assert len(found) > len(paper.sentence_starts) / 2


def test_examples_of_sentences_are_on_paper():
    for text, starts, *_ in BEGUN:
        assert all(0 <= start < len(text.split()) for start in starts)
