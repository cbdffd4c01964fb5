import json
import shutil
from pathlib import Path

import pytest

from longctx_edu.course import outline

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def within(monkeypatch):
    """Stand in the course's folder."""
    monkeypatch.chdir(ROOT)


def stems(course):
    return sorted(path.stem for path in course.glob("source/*/*.ipynb"))


def points(course, stem):
    notebook = json.loads((course / "source" / stem / f"{stem}.ipynb").read_text())
    marks = [cell["metadata"]["nbgrader"] for cell in notebook["cells"]]
    return {mark["grade_id"]: mark["points"] for mark in marks if mark["grade"]}


def test_every_lesson_is_exported(call, within, tmp_path):
    course = tmp_path / "course"
    code, out, err = call("export", "nbgrader", course)
    assert (code, err) == (0, "")
    assert stems(course) == [lesson.stem for lesson in outline.lessons(ROOT)]
    first, last = out.splitlines()
    assert first.startswith(f"{len(stems(course))} in {course}/source: 00_start_here,")
    assert last == f"next, within {course}: nbgrader generate_assignment 00_start_here"
    assert "get_config()" in (course / "nbgrader_config.py").read_text()


def test_lessons_are_chosen_once_each_and_in_order(call, within, tmp_path):
    words = ["--lesson", "1", "--lesson", "00", "--lesson", "01_attention"]
    out = call("export", "nbgrader", tmp_path / "c", *words)[1]
    assert out.startswith(f"2 in {tmp_path}/c/source: 00_start_here, 01_attention\n")
    assert stems(tmp_path / "c") == ["00_start_here", "01_attention"]


def test_points_are_those_of_a_file(call, within, tmp_path):
    (tmp_path / "points.toml").write_text('["00"]\nreachable = 2.5\n')
    words = ["--lesson", "0", "--points", tmp_path / "points.toml"]
    call("export", "nbgrader", tmp_path / "c", *words)
    assert points(tmp_path / "c", "00_start_here") == {
        "check_chunk_of": 1,
        "check_distance_to_evidence": 1,
        "check_reachable": 2.5,
    }


def test_a_folder_in_use_is_refused_and_with_overwrite_added_to(
    call, refused, within, tmp_path
):
    course = tmp_path / "c"
    call("export", "nbgrader", course, "--lesson", "00")
    (course / "gradebook.db").write_text("mine")
    said = refused("export", "nbgrader", course, "--lesson", "01")
    assert said.startswith(f"need a new or an empty folder, got {course} with 4 entr")
    config = course / "nbgrader_config.py"
    config.write_text("mine")
    code, out, _ = call("export", "nbgrader", course, "--lesson", "01", "--overwrite")
    assert code == 0
    kept = f"kept {config}: changed since it was exported, or not exported"
    assert out.splitlines()[1] == kept
    assert config.read_text() == (course / "gradebook.db").read_text() == "mine"
    assert stems(course) == ["00_start_here", "01_attention"]


def test_an_unknown_lesson_is_refused(refused, within, tmp_path):
    said = refused("export", "nbgrader", tmp_path / "c", "--lesson", "77")
    assert said.startswith("unknown lesson '77': Known are 00_start")
    assert not (tmp_path / "c").exists()


def test_without_the_solutions_it_says_so(refused, tmp_path, monkeypatch):
    (tmp_path / "course" / "exercises").mkdir(parents=True)
    shutil.copytree(ROOT / "lessons", tmp_path / "course" / "lessons")
    (tmp_path / "course" / "lessons" / "00_start_here_exercises.py").unlink()
    monkeypatch.chdir(tmp_path / "course")
    said = refused("export", "nbgrader", tmp_path / "c", "--lesson", "00")
    assert said.startswith("need the solutions of lesson 00 in ")
    assert not (tmp_path / "c").exists()


def test_outside_of_the_course_it_says_where_to_stand(refused, tmp_path, monkeypatch):
    monkeypatch.setattr(outline, "PACKAGE", tmp_path / "gone" / "longctx_edu")
    assert "need the course's folder" in refused("export", "nbgrader", tmp_path / "c")


def test_alone_it_shows_its_help(call):
    assert "nbgrader" in call("export")[1]
