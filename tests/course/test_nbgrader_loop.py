"""Two submissions on their way through nbgrader itself, from release to feedback."""

import importlib.util
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import machinery as m
import nbformat
import pytest

from longctx_edu.course.blank import blank_text
from longctx_edu.course.nbgrader import export
from longctx_edu.course.outline import find_lesson, lessons

KNOWN = lessons(m.ROOT)
ONE = {each.key: 1.0 for lesson in KNOWN for each in lesson.exercises}
START = find_lesson("00", KNOWN)
WRONG = """\
def distance_to_evidence(mention, evidence):
    return abs(mention[0] - evidence[0])"""
CHEAT = "check_reachable = print"
installed = pytest.mark.skipif(
    importlib.util.find_spec("nbgrader") is None,
    reason="nbgrader is missing: pip install -c constraints.txt -e '.[classroom]'",
)


def marks(cell):
    return cell.metadata["nbgrader"]


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
