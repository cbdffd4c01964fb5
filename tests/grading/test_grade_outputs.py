"""Grades on the disk: the same for the same sheets, and harmless to open."""

import csv
import io
import json

from longctx_edu.grading.outputs import file_names, read_sheets, table_of, write_all
from longctx_edu.grading.page import page_of
from longctx_edu.grading.sheet import Mark, Sheet

PASSED = Mark("f", "passed", "✓ f: well", ("longctx_edu.attention.full",), 2.0, 2.0)
FAILED = Mark("g", "failed", "✗ g: no\n  hint: <b>look</b>", (), 0.0, 1.0)
SHEET = Sheet("anna", "05", "anna.py", "abc", (PASSED, FAILED), notes=("cell 1: x",))
REFUSED = Sheet("=cmd()", "", "b.zip", "-", refused="need a notebook, got .zip")


def test_points_add_up():
    assert (SHEET.points, SHEET.out_of) == (2.0, 3.0)


def test_what_is_written_is_read_again(tmp_path):
    write_all(tmp_path, [SHEET, REFUSED], {"room": "not permitted"})
    sheets, walls = read_sheets(tmp_path / "grades.json")
    assert sheets == {"anna.py": SHEET, "b.zip": REFUSED}
    assert walls == {"room": "not permitted"}
    record = json.loads((tmp_path / "grades.json").read_text())
    assert record["sandbox"]["complete"] is False
    assert record["sheets"][0]["points"] == 2.0


def test_the_same_sheets_give_the_same_bytes(tmp_path):
    def written(name):
        write_all(tmp_path / name, [SHEET, REFUSED], {})
        files = sorted((tmp_path / name).rglob("*.*"))
        return [(f.relative_to(tmp_path / name), f.read_bytes()) for f in files]

    assert written("one") == written("two")
    assert len(written("one")) == 4


def test_a_damaged_record_is_as_none(tmp_path):
    path = tmp_path / "grades.json"
    for text in ("{", "[]", '{"version": 1, "sheets": [{}]}', '{"version": 99}'):
        path.write_text(text)
        assert read_sheets(path) == ({}, {})


def test_a_table_has_a_line_for_each_exercise_and_no_formula():
    rows = list(csv.DictReader(io.StringIO(table_of([SHEET, REFUSED]))))
    assert [(r["learner"], r["exercise"], r["verdict"]) for r in rows] == [
        ("anna", "f", "passed"),
        ("anna", "g", "failed"),
        ("'=cmd()", "", "refused"),
    ]
    assert rows[1]["message"] == "✗ g: no hint: <b>look</b>"


def test_a_page_holds_everything_and_escapes_it():
    page = page_of("<Anna>", [SHEET, REFUSED])
    assert "&lt;Anna&gt;" in page and "&lt;b&gt;look&lt;/b&gt;" in page
    assert "2 of 3 points" in page and "need a notebook, got .zip" in page
    assert "longctx_edu.attention.full" in page and "cell 1: x" in page
    assert "<b>" not in page and "http" not in page and "<script" not in page


def test_names_of_files_never_meet():
    names = file_names({"Anna", "anna", "a/b", "a_b", "..", "é" * 200, "con"})
    assert len({name.casefold() for name in names.values()}) == 7
    assert all("/" not in n and not n.startswith(".") for n in names.values())
    assert all(len(name) < 100 for name in names.values())
