"""What the shared guards in tests/course do not hold: how messages look."""

import machinery as m

from longctx_edu.checks import lesson_00
from longctx_edu.checks.lesson_00 import one_chunk_holds, phrases, tokens_between
from longctx_edu.chunking import split
from longctx_edu.data.gazette import GazetteConfig, article

answers = m.load_file(m.WRONG_ANSWERS / "lesson_00.py")


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
    hidden = [one for one in paper.mentions if one.ambiguous]
    for one in hidden:
        places = [(e.start, e.stop) for e in paper.evidence if e.name == one.name]
        nearest = min(tokens_between((one.start, one.stop), place) for place in places)
        assert nearest == one.distance
    assert len(hidden) > 10


def test_the_oracle_of_chunks_equals_the_library():
    for mention in phrases(9):
        for evidence in phrases(9):
            chunks = [range(c.start, c.stop) for c in split(9, size=3)]
            held = any(
                {*range(*mention), *range(*evidence)} <= set(chunk) for chunk in chunks
            )
            assert one_chunk_holds(mention, evidence, 3) == held
