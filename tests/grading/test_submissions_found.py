"""Who handed in what, and of which lesson it is."""

import pytest

from longctx_edu.course.outline import lessons
from longctx_edu.errors import UserError
from longctx_edu.grading.notebook import Cell, Refused
from longctx_edu.grading.submissions import Found, find_submissions, lesson_of

KNOWN = lessons()


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x = 1")


def found(folder):
    return [
        (f.learner, f.path.relative_to(folder).as_posix(), f.refused)
        for f in find_submissions(folder)
    ]


def test_files_and_folders_are_learners(tmp_path):
    for name in (
        "anna.ipynb",
        "ben/05_structured_attention.ipynb",
        "ben/data.csv",
        "ben/helper.py",
        "ben/.ipynb_checkpoints/05.ipynb",
        "cleo/part/one/x.py",
        ".hidden.py",
        "__MACOSX/y.py",
    ):
        touch(tmp_path / name)
    assert found(tmp_path) == [
        ("anna", "anna.ipynb", ""),
        ("ben", "ben/05_structured_attention.ipynb", ""),
        ("cleo", "cleo/part/one/x.py", ""),
    ]


def test_odd_things_are_refused_one_by_one(tmp_path):
    (tmp_path / "dora.ipynb").mkdir()
    (tmp_path / "empty").mkdir()
    touch(tmp_path / "notes.txt")
    (tmp_path / "away").symlink_to("/usr")
    refused = {learner: why for learner, _, why in found(tmp_path)}
    assert refused == {
        "away": "",
        "dora": "need a file, got a folder of that name",
        "empty": "need a notebook or a .py file in the folder, got neither",
        "notes": "",
    }


def test_nothing_to_grade_is_a_mistake(tmp_path):
    with pytest.raises(UserError, match="need submissions in"):
        find_submissions(tmp_path)
    with pytest.raises(UserError, match="there is none"):
        find_submissions(tmp_path / "nowhere")


def number_of(tmp_path, name, code, given=None):
    path = tmp_path / name
    touch(path)
    return lesson_of(Found("x", path), [Cell(1, code)], KNOWN, given).number


IMPORT = "from longctx_edu.checks.lesson_07 import check_prefill"


def test_a_lesson_is_known_by_what_says_most(tmp_path):
    assert number_of(tmp_path, "05_x.py", IMPORT) == "07"
    assert number_of(tmp_path, "05_x.py", IMPORT, given="03") == "03"
    assert number_of(tmp_path, "anna_05_structured_attention.py", "") == "05"
    assert number_of(tmp_path, "anna 06.py", "") == "06"
    assert number_of(tmp_path, "08/anna.py", "") == "08"
    code = "def prefill(q): ...\ndef forget(k): ..."
    assert number_of(tmp_path, "anna.py", code) == "07"


def test_a_lesson_that_nobody_can_tell_is_refused(tmp_path):
    with pytest.raises(Refused, match="--lesson says it"):
        number_of(tmp_path, "anna.py", "x = 1")
