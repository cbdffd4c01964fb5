"""A fresh blank: the same bytes as the course's own, and the old file kept."""

import shutil

import machinery as m
import pytest

from longctx_edu.course.blank import blank_text, reset
from longctx_edu.course.outline import find_lesson, lessons
from longctx_edu.errors import UserError


@pytest.fixture
def course(tmp_path):
    for name in ("lessons", "exercises", "tools"):
        shutil.copytree(m.ROOT / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def lesson(course):
    return find_lesson("01", lessons(course))


@pytest.mark.parametrize("lesson", lessons(m.ROOT), ids=lambda lesson: lesson.stem)
def test_a_blank_is_the_built_notebook_byte_for_byte(lesson):
    built = (m.ROOT / lesson.notebook).read_bytes()
    assert blank_text(lesson, m.ROOT).encode("utf-8") == built


def test_a_fresh_blank_stays(course, lesson):
    assert reset(lesson, course) is None
    assert len(list((course / "exercises").glob("01_*"))) == 1


def test_the_old_file_is_kept_each_time(course, lesson):
    place = course / lesson.notebook
    fresh = place.read_bytes()
    for n in (1, 2, 3):
        place.write_bytes(b"mine %d" % n)
        kept = reset(lesson, course)
        assert kept == place.with_name(f"01_attention.before-{n}.ipynb")
        assert place.read_bytes() == fresh
    for n in (1, 2, 3):
        kept = place.with_name(f"01_attention.before-{n}.ipynb")
        assert kept.read_bytes() == b"mine %d" % n


def test_a_missing_notebook_comes_back(course, lesson):
    place = course / lesson.notebook
    fresh = place.read_bytes()
    place.unlink()
    assert reset(lesson, course) is None
    assert place.read_bytes() == fresh


def test_other_lessons_stay_as_they_are(course, lesson):
    other = course / "exercises" / "00_start_here.ipynb"
    other.write_text("mine")
    (course / lesson.notebook).write_text("mine too")
    reset(lesson, course)
    assert other.read_text() == "mine"


def test_without_its_source_nothing_is_touched(course, lesson):
    place = course / lesson.notebook
    place.write_text("mine")
    (course / "lessons" / "01_attention_exercises.py").unlink()
    with pytest.raises(UserError, match="need the course's source"):
        reset(lesson, course)
    shutil.rmtree(course / "tools")
    shutil.copytree(m.ROOT / "lessons", course / "lessons", dirs_exist_ok=True)
    with pytest.raises(UserError, match="need the course's own"):
        reset(lesson, course)
    assert [p.name for p in place.parent.glob("01_*")] == [place.name]
    assert place.read_text() == "mine"


def test_a_package_that_is_missing_is_named(course, lesson):
    (course / "tools" / "course_source.py").write_text("import no_such_package\n")
    (course / lesson.notebook).write_text("mine")
    with pytest.raises(UserError, match="need the package no_such_package"):
        reset(lesson, course)
    assert (course / lesson.notebook).read_text() == "mine"
