"""The export for nbgrader: its form, and two submissions through nbgrader itself."""

import ast
import importlib.util
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

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
WRONG = """\
def distance_to_evidence(mention, evidence):
    return abs(mention[0] - evidence[0])"""
CHEAT = "check_reachable = print"
installed = pytest.mark.skipif(
    importlib.util.find_spec("nbgrader") is None,
    reason="nbgrader is not installed: pip install -c constraints.txt nbgrader",
)


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


def nbgrader(course, *words):
    """Run one of nbgrader's commands in a course, and give what it said."""
    home = course.parent / "home"
    own = {
        "HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "IPYTHONDIR": str(home / "ipython"),
        "LONGCTX_HOME": str(home / "longctx"),
        # nbgrader calls alembic by its name
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    }
    home.mkdir(exist_ok=True)
    env = {k: v for k, v in os.environ.items() if k != "LONGCTX_PROGRESS"} | own
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *words],
        cwd=course,
        env=env,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stderr


def hand_in(course, student, answers):
    """Fill the released notebook as a learner would, and put it where it is collected.

    Args:
        answers: New sources of cells, by their grade_id.
    """
    name = f"{START.stem}.ipynb"
    notebook = nbformat.read(course / "release" / START.stem / name, as_version=4)
    for cell in notebook.cells:
        cell.source = answers.get(marks(cell)["grade_id"], cell.source)
    place = course / "submitted" / student / START.stem
    place.mkdir(parents=True)
    nbformat.write(notebook, place / name)


def points_of(course, student):
    """Read a learner's points in nbgrader's data base, by test."""
    with sqlite3.connect(course / "gradebook.db") as book:
        rows = book.execute(
            """
            SELECT base_cell.name, grade.auto_score FROM grade
            JOIN base_cell ON base_cell.id = grade.cell_id
            JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id
            JOIN submitted_assignment
              ON submitted_assignment.id = submitted_notebook.assignment_id
            WHERE submitted_assignment.student_id = ?
            """,
            (student,),
        ).fetchall()
    book.close()
    return dict(rows)


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A course that went through nbgrader: ada solved it, bo one of three."""
    course = tmp_path_factory.mktemp("nbgrader") / "course"
    export([START], m.ROOT, course, {**ONE, "00/reachable": 2.0})
    nbgrader(course, "generate_assignment", START.stem)
    source = course / "source" / START.stem / f"{START.stem}.ipynb"
    solved = {
        marks(cell)["grade_id"]: cell.source
        for cell in nbformat.read(source, as_version=4).cells
        if marks(cell)["solution"]
    }
    chunk_of, distance, _ = solved
    hand_in(course, "ada", solved)
    noisy = "import sys\n" + solved[chunk_of].replace(
        "    return", '    print("noise", file=sys.stderr)\n    return'
    )
    answers = {chunk_of: noisy, distance: WRONG, "check_reachable": CHEAT}
    hand_in(course, "bo", answers)
    nbgrader(course, "autograde", START.stem)
    nbgrader(course, "generate_feedback", START.stem)
    return course


@installed
@pytest.mark.slow
def test_the_release_is_the_blank(graded):
    name = f"{START.stem}.ipynb"
    released = nbformat.read(graded / "release" / START.stem / name, as_version=4)
    blank = nbformat.reads(blank_text(START, m.ROOT), as_version=4)
    for cell, shown in zip(released.cells, blank.cells, strict=True):
        if not marks(cell)["grade"]:
            assert cell.source == shown.source


@installed
@pytest.mark.slow
def test_the_gradebook_holds_the_points(graded):
    full = {"check_chunk_of": 1, "check_distance_to_evidence": 1, "check_reachable": 2}
    assert points_of(graded, "ada") == full
    assert points_of(graded, "bo") == {**full, **dict.fromkeys(list(full)[1:], 0)}


@installed
@pytest.mark.slow
def test_the_feedback_shows_the_hint(graded):
    page = f"{START.stem}/{START.stem}.html"
    ada = (graded / "feedback" / "ada" / page).read_text(encoding="utf-8")
    bo = (graded / "feedback" / "bo" / page).read_text(encoding="utf-8")
    assert "this is start to start" in bo
    assert "this is start to start" not in ada
    assert "reachable: not started" in bo
    assert "AssertionError" not in ada


@installed
@pytest.mark.slow
def test_the_teachers_progress_is_left_alone(graded):
    assert not (graded.parent / "home" / "longctx").exists()
