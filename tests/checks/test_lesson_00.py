"""What the shared guards in tests/course do not hold: other styles, and a look."""

import importlib.util
from pathlib import Path

import pytest

from longctx_edu.checks import lesson_00
from longctx_edu.checks.lesson_00 import one_chunk_holds, phrases, tokens_between
from longctx_edu.chunking import split
from longctx_edu.data.gazette import GazetteConfig, article

FILE = Path(__file__).parents[1] / "course" / "wrong_answers" / "lesson_00.py"
spec = importlib.util.spec_from_file_location("wrong_answers_lesson_00", FILE)
answers = importlib.util.module_from_spec(spec)
spec.loader.exec_module(answers)

WRONG = [(c, n) for c, named in answers.WRONG.items() for n in named]
RIGHT = [(c, n) for c, many in answers.ALTERNATIVES.items() for n in range(len(many))]


@pytest.mark.parametrize(("check", "name"), WRONG, ids=map(" ".join, WRONG))
def test_a_wrong_answer_gets_its_own_hint(check, name):
    wrong, words = answers.WRONG[check][name]
    verdict = getattr(lesson_00, check)(wrong)
    assert verdict.status == "failed"
    assert words in verdict.message
    assert verdict.message.count("hint:") == 1


@pytest.mark.parametrize(("check", "number"), RIGHT)
def test_another_style_passes(check, number):
    verdict = getattr(lesson_00, check)(answers.ALTERNATIVES[check][number])
    assert (verdict.status, verdict.message[0]) == ("passed", "✓"), verdict.message


def test_every_check_has_wrong_and_right_answers():
    assert sorted(answers.WRONG) == sorted(answers.ALTERNATIVES) == lesson_00.__all__


def test_a_message_reads_well():
    wrong = answers.WRONG["check_reachable"]["near enough"][0]
    assert lesson_00.check_reachable(wrong).message.splitlines() == [
        "✗ reachable: neighbours with an edge between do not see each other",
        "  given:",
        "    mention = (4, 5)",
        "    evidence = (2, 4)",
        "    size = 4",
        "  came:",
        "    True",
        "  expected:",
        "    False",
        "  hint: near is not enough: ask for the chunk, not for the distance",
    ]


def test_a_message_about_chunks_reads_well():
    wrong = answers.WRONG["check_chunk_of"]["counts from 1"][0]
    assert lesson_00.check_chunk_of(wrong).message.splitlines() == [
        "✗ chunk_of: tokens 0 to 3 lie in chunk 0, tokens 4 to 7 in chunk 1",
        "  given:",
        "    token = 0, 1, 2, ... 9, one after another",
        "    size = 4",
        "  came:",
        "    [1, 1, 1, 1, 2, 2, 2, 2, 3, 3]",
        "  expected:",
        "    [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]",
        "  hint: the first chunk has number 0: add nothing",
    ]


def test_a_function_without_return_is_told_so():
    for name in lesson_00.__all__:
        verdict = getattr(lesson_00, name)(lambda *given: None)
        assert "end it with return" in verdict.message


def test_the_oracle_of_distances_equals_the_gazette():
    paper = article(GazetteConfig(n_tokens=512), 0)
    hidden = [m for m in paper.mentions if m.ambiguous]
    for m in hidden:
        places = [(e.start, e.stop) for e in paper.evidence if e.name == m.name]
        nearest = min(tokens_between((m.start, m.stop), place) for place in places)
        assert nearest == m.distance
    assert len(hidden) > 10


def test_the_oracle_of_chunks_equals_the_library():
    for mention in phrases(9):
        for evidence in phrases(9):
            chunks = [range(c.start, c.stop) for c in split(9, size=3)]
            held = any(
                {*range(*mention), *range(*evidence)} <= set(chunk) for chunk in chunks
            )
            assert one_chunk_holds(mention, evidence, 3) == held
