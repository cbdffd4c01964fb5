"""The form of what is exported for nbgrader; test_nbgrader_loop.py runs it there."""

import ast
import re
import shutil

import machinery as m
import nbformat
import pytest

from longctx_edu.course.blank import blank_text
from longctx_edu.course.nbgrader import assignment, export
from longctx_edu.course.outline import find_lesson, lessons
from longctx_edu.errors import UserError

KNOWN = lessons(m.ROOT)
ONE = {each.key: 1.0 for lesson in KNOWN for each in lesson.exercises}
START = find_lesson("00", KNOWN)


def marks(cell):
    return cell.metadata["nbgrader"]


@pytest.fixture(params=KNOWN, ids=lambda lesson: lesson.stem)
def lesson(request):
    return request.param


@pytest.fixture
def made(lesson):
    return nbformat.reads(assignment(lesson, m.ROOT, ONE), as_version=4)


def test_every_exercise_is_one_test_and_every_answer_in_its_marks(lesson, made):
    nbformat.validate(made)
    tests = [cell for cell in made.cells if marks(cell)["grade"]]
    assert [marks(cell)["grade_id"] for cell in tests] == [
        f"check_{each.name}" for each in lesson.exercises
    ]
    answers = [cell for cell in made.cells if "### BEGIN SOLUTION" in cell.source]
    assert answers == [cell for cell in made.cells if marks(cell)["solution"]]
    assert len(answers) >= len(tests) > 0


def test_the_marks_are_those_of_schema_3(made):
    ids = [marks(cell)["grade_id"] for cell in made.cells]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-zA-Z0-9_\-]+", each) for each in ids)
    for cell in made.cells:
        has = marks(cell)
        assert (has["schema_version"], has["task"]) == (3, False)
        assert has["locked"] != has["solution"]
        assert has["grade"] == ("points" in has)
        assert not (has["grade"] and has["solution"])


def test_cells_without_a_test_are_those_of_the_blank(lesson, made):
    blank = nbformat.reads(blank_text(lesson, m.ROOT), as_version=4)
    for cell, shown in zip(made.cells, blank.cells, strict=True):
        assert (cell.id, cell.cell_type) == (shown.id, shown.cell_type)
        if not marks(cell)["grade"] and not marks(cell)["solution"]:
            assert cell.source == shown.source
        if not marks(cell)["grade"]:
            assert cell.metadata.get("tags") == shown.metadata.get("tags")


def test_a_test_calls_the_check_of_its_lesson(lesson, made):
    for cell in made.cells:
        if marks(cell)["grade"]:
            name = marks(cell)["grade_id"].removeprefix("check_")
            first = cell.source.splitlines()[0]
            module = f"longctx_edu.checks.lesson_{lesson.number}"
            assert first == f"from {module} import check_{name}"
            assert f"verdict = check_{name}({name})" in cell.source
            ast.parse(cell.source)
            assert "raises-exception" in cell.metadata["tags"]


def test_a_test_raises_with_the_hint_unless_the_check_passes():
    made = nbformat.reads(assignment(START, m.ROOT, ONE), as_version=4)
    test = next(c for c in made.cells if marks(c)["grade_id"] == "check_chunk_of")
    shown = []
    right = {"chunk_of": lambda token, size: token // size, "display": shown.append}
    exec(test.source, right)
    assert [verdict.status for verdict in shown] == ["passed"]
    wrong = {**right, "chunk_of": lambda token, size: token / size}
    with pytest.raises(AssertionError, match="/ gives fractions"):
        exec(test.source, wrong)

    def blank(token, size):
        raise NotImplementedError

    with pytest.raises(AssertionError, match="not started"):
        exec(test.source, {**right, "chunk_of": blank})
    taken = {**wrong, "check_chunk_of": lambda answer: shown[0]}
    with pytest.raises(AssertionError, match="/ gives fractions"):
        exec(test.source, taken)


def test_points_are_those_given():
    text = assignment(START, m.ROOT, {**ONE, "00/reachable": 2.5})
    made = nbformat.reads(text, as_version=4)
    points = [marks(cell).get("points") for cell in made.cells]
    assert [each for each in points if each is not None] == [1.0, 1.0, 2.5]


def test_the_same_course_gives_the_same_bytes():
    assert assignment(START, m.ROOT, ONE) == assignment(START, m.ROOT, ONE)


def test_without_the_solutions_nothing_is_written(tmp_path):
    with pytest.raises(UserError, match=r"need the solutions of lesson 00 in .*00_st"):
        export([START], tmp_path, tmp_path / "course", ONE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("    ### END SOLUTION\n", "", "need '### END SOLUTION' in the same cell"),
        ("check_chunk_of(chunk_of)", "check_chunk_of(", "got 'check_chunk_of('"),
        ("check_chunk_of(chunk_of)", "check_two(two)", "of lesson 00's checks in a ce"),
    ],
)
def test_a_source_that_was_broken_is_refused_in_words(tmp_path, old, new, said):
    shutil.copytree(m.ROOT / "tools", tmp_path / "tools")
    name = f"{START.stem}_exercises.py"
    text = (m.ROOT / "lessons" / name).read_text(encoding="utf-8")
    (tmp_path / "lessons").mkdir()
    (tmp_path / "lessons" / name).write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(UserError, match=re.escape(said)):
        assignment(START, tmp_path, ONE)
