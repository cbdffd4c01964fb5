"""Grades on the disk: a table, a record, and a page for each learner."""

import csv
import hashlib
import io
import json
import re
from pathlib import Path
from typing import Any

from longctx_edu.grading.page import page_of
from longctx_edu.grading.sheet import Mark, Sheet, as_record, from_record
from longctx_edu.writing import write_whole

__all__ = ["read_sheets", "write_all"]

VERSION = 1
HEAD = (
    *("learner", "lesson", "exercise", "points", "out_of", "verdict", "message"),
    *("leans_on", "file"),
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_all(out: Path, sheets: list[Sheet], walls: dict[str, str]) -> None:
    """Write everything, each file whole or not at all.

    Args:
        out: The folder.
        sheets: One for each submission.
        walls: What the system did not allow the sandbox.
    """
    record = {
        "version": VERSION,
        "sandbox": {"complete": not walls, "not allowed": walls},
        "sheets": [as_record(sheet) for sheet in sheets],
    }
    write_text(out / "grades.json", json.dumps(record, indent=1, ensure_ascii=False))
    write_text(out / "grades.csv", table_of(sheets))
    names = file_names({sheet.learner for sheet in sheets})
    for learner, name in names.items():
        own = [sheet for sheet in sheets if sheet.learner == learner]
        path = out / "feedback" / name
        page = page_of(learner, own)
        if not path.is_file() or path.read_text(encoding="utf-8") != page:
            write_text(path, page)


def write_text(path: Path, text: str) -> None:
    """Write a text whole or not at all; what JSON may hold alone is escaped."""
    data = text.encode("utf-8", "backslashreplace")
    write_whole(path, lambda place: place.write_bytes(data))


def read_sheets(path: Path) -> tuple[dict[str, Sheet], dict[str, str]]:
    """Read what was graded before, by file; nothing where it cannot be read.

    Args:
        path: Of grades.json.
    """
    try:
        record: Any = json.loads(path.read_text(encoding="utf-8"))
        if record["version"] != VERSION:
            return {}, {}
        sheets = [from_record(each) for each in record["sheets"]]
        return {s.file: s for s in sheets}, dict(record["sandbox"]["not allowed"])
    except (OSError, ValueError, LookupError, TypeError):
        return {}, {}


def table_of(sheets: list[Sheet]) -> str:
    """Write a line for each learner and exercise, as a spreadsheet reads it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEAD)
    for sheet in sheets:
        marks = sheet.marks or (Mark("", "refused", sheet.refused, (), 0.0, 0.0),)
        for mark in marks:
            line = (
                *(sheet.learner, sheet.lesson, mark.exercise),
                *(f"{mark.points:g}", f"{mark.out_of:g}", mark.status),
                *(" ".join(mark.message.split()), " ".join(mark.leans_on), sheet.file),
            )
            writer.writerow([harmless(part) for part in line])
    return text.getvalue()


def harmless(text: str) -> str:
    """Keep a spreadsheet from taking a learner's words for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


def file_names(learners: set[str]) -> dict[str, str]:
    """Give each learner a file name of their own that every system can hold."""
    names = {}
    for learner in sorted(learners):
        plain = re.sub(r"[^\w.-]", "_", learner)[:80].lstrip(".") or "_"
        taken = {name.casefold() for name in names.values()}
        if plain != learner or f"{plain}.html".casefold() in taken:
            number = hashlib.sha256(learner.encode("utf-8", "replace")).hexdigest()
            plain = f"{plain}-{number[:6]}"
        names[learner] = f"{plain}.html"
    return names
