import shutil
from pathlib import Path

import pytest

from longctx_edu.course import outline
from longctx_edu.course.progress import as_text, progress_file, read_progress
from longctx_edu.course.record import Progress, Tried

ROOT = Path(__file__).resolve().parents[2]
DONE = Tried("done", 1, "1", "1", "1")


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A copy of the course's folder; we stand within it."""
    for name in ("lessons", "exercises", "tools"):
        shutil.copytree(ROOT / name, tmp_path / "course" / name)
    monkeypatch.chdir(tmp_path / "course" / "exercises")
    return tmp_path / "course"


@pytest.fixture
def noted():
    """Let two lessons be begun."""
    progress_file().parent.mkdir(parents=True)
    record = Progress({"05/window_mask": DONE, "00/chunk_of": DONE})
    progress_file().write_text(as_text(record))
    return record


def test_the_blank_is_fresh_and_the_old_file_kept(call, course, noted):
    place = course / "exercises" / "05_structured_attention.ipynb"
    fresh = place.read_bytes()
    place.write_text("mine")
    code, out, err = call("reset", "05")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "exercises/05_structured_attention.ipynb is a fresh blank",
        "what was there is kept as exercises/05_structured_attention.before-1.ipynb",
        "if it is open in JupyterLab: File, Reload Notebook from Disk",
    ]
    assert place.read_bytes() == fresh
    assert place.with_name(f"{place.stem}.before-1.ipynb").read_text() == "mine"
    assert read_progress(progress_file()) == noted, "progress stays"


def test_progress_of_the_lesson_goes_when_asked(call, course, noted):
    _, out, _ = call("reset", "structured_attention", "--progress")
    assert out.endswith("what was noted of lesson 05 is forgotten\n")
    assert list(read_progress(progress_file()).exercises) == ["00/chunk_of"]


def test_a_blank_that_is_fresh_makes_no_copy(call, course):
    assert call("reset", "1")[1] == "exercises/01_attention.ipynb is a fresh blank\n"
    assert not list(course.glob("exercises/*before*"))


def test_an_unknown_lesson_is_refused(refused, course):
    assert refused("reset", "77").startswith("unknown lesson '77': Known are 00_start")


def test_outside_of_the_course_it_says_where_to_stand(refused, tmp_path, monkeypatch):
    monkeypatch.setattr(outline, "PACKAGE", tmp_path / "gone" / "longctx_edu")
    assert "need the course's folder" in refused("reset", "05")
