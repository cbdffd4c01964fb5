"""Lessons and exercises: each known once, found wherever the course is."""

import importlib

import machinery as m
import pytest

from longctx_edu.course import outline
from longctx_edu.course.outline import (
    Exercise,
    checks_of,
    course_folder,
    find_lesson,
    lessons,
    need_course_folder,
)
from longctx_edu.errors import UserError

CHECKED = sorted((m.LIBRARY / "checks").glob("lesson_[0-9]*.py"))


@m.each(CHECKED)
def test_the_exercises_are_the_checks_that_a_module_shows(path):
    shown = importlib.import_module(f"longctx_edu.checks.{path.stem}").__all__
    assert [f"check_{name}" for name in checks_of(path)] == [
        name for name in shown if name.startswith("check_")
    ]
    lesson = find_lesson(path.stem.removeprefix("lesson_"), lessons(m.ROOT))
    assert sorted(e.name for e in lesson.exercises) == sorted(checks_of(path))


@pytest.mark.parametrize("lesson", lessons(m.ROOT), ids=lambda lesson: lesson.stem)
def test_a_lesson_knows_its_titles_numbers_and_notebook(lesson):
    assert (m.ROOT / lesson.notebook).exists()
    heading = f"# # {lesson.number} · {lesson.title}\n"
    source = m.ROOT / "lessons" / f"{lesson.stem}.py"
    assert lesson.title and heading in source.read_text(encoding="utf-8")
    places = [[int(n) for n in e.number.split(".")] for e in lesson.exercises]
    assert places == sorted(places) and places[0] == [int(lesson.number), 1]
    assert all(each.title for each in lesson.exercises)


def test_two_functions_of_one_exercise_share_its_heading():
    layers = {e.name: e for e in find_lesson("1", lessons(m.ROOT)).exercises}
    assert layers["split_heads"].number == layers["merge_heads"].number == "1.7"


def test_without_lessons_the_checks_alone_tell(monkeypatch, tmp_path):
    monkeypatch.setattr(outline, "course_folder", lambda: None)
    lesson = find_lesson("05", lessons())
    assert (lesson.title, lesson.notebook) == ("", "exercises/05.ipynb")
    assert Exercise("05", "band_pairs") in lesson.exercises
    assert str(Exercise("05", "band_pairs")) == "band_pairs"


@pytest.mark.parametrize(
    "name",
    [
        "5",
        "05",
        "05_structured_attention",
        "structured_attention",
        "Structured_Attention",
        "exercises/05_structured_attention.ipynb",
    ],
)
def test_a_lesson_is_found_by_what_one_calls_it(name):
    assert find_lesson(name, lessons(m.ROOT)).number == "05"


def test_an_unknown_lesson_is_refused_with_the_nearest():
    with pytest.raises(UserError, match="did you mean 05_structured_attention"):
        find_lesson("structured_atention", lessons(m.ROOT))
    for name in ("", "_", "777"):
        with pytest.raises(UserError, match="unknown lesson"):
            find_lesson(name, lessons(m.ROOT))


def test_the_course_is_found_from_a_folder_within(tmp_path, monkeypatch):
    for name in ("lessons", "exercises/deep"):
        (tmp_path / name).mkdir(parents=True)
    assert course_folder(tmp_path / "exercises" / "deep") == tmp_path
    monkeypatch.chdir(tmp_path / "exercises")
    assert need_course_folder() == tmp_path


def test_the_course_is_found_beside_the_package(tmp_path):
    assert course_folder(tmp_path) == m.ROOT


def test_no_course_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(outline, "PACKAGE", tmp_path / "gone" / "longctx_edu")
    monkeypatch.chdir(tmp_path)
    assert course_folder() is None
    with pytest.raises(UserError, match=r"need the course's folder.*: go into it"):
        need_course_folder()
