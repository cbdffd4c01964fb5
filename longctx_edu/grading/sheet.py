"""What came of a submission: a mark for each exercise, and notes for a teacher."""

from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["STATUSES", "Mark", "Sheet"]

STATUSES = ("passed", "failed", "not started", "missing", "review")


@dataclass(frozen=True)
class Mark:
    """What came of one exercise.

    Args:
        exercise: The function's name.
        status: "passed", "failed", "not started", "missing", or "review" where a
            teacher has to look.
        message: The words of the check.
        leans_on: Finished functions of the library that it calls.
        points: What it gets.
        out_of: What it could get.
    """

    exercise: str
    status: str
    message: str
    leans_on: tuple[str, ...] = ()
    points: float = 0.0
    out_of: float = 1.0


@dataclass(frozen=True)
class Sheet:
    """What came of one file.

    Args:
        learner: Who handed it in.
        lesson: Two digits; empty where nobody could tell.
        file: Its path within the folder of submissions.
        digest: Of its bytes, and of what else the grade depends on.
        marks: One for each exercise of the lesson; none where it was refused.
        refused: Why it was not graded; empty where it was.
        notes: What happened while its cells ran.
    """

    learner: str
    lesson: str
    file: str
    digest: str
    marks: tuple[Mark, ...] = ()
    refused: str = ""
    notes: tuple[str, ...] = field(default=())

    @property
    def points(self) -> float:
        """The sum of the points."""
        return sum((mark.points for mark in self.marks), 0.0)

    @property
    def out_of(self) -> float:
        """The most that could be had."""
        return sum((mark.out_of for mark in self.marks), 0.0)


def as_record(sheet: Sheet) -> dict[str, Any]:
    """Write a sheet as plain values.

    Args:
        sheet: Of one file.
    """
    return {**asdict(sheet), "points": sheet.points, "out_of": sheet.out_of}


def from_record(record: dict[str, Any]) -> Sheet:
    """Read what `as_record` wrote.

    Args:
        record: Plain values.
    """
    plain = {k: v for k, v in record.items() if k not in ("points", "out_of")}
    marks = tuple(
        Mark(**{**mark, "leans_on": tuple(mark["leans_on"])}) for mark in plain["marks"]
    )
    return Sheet(**{**plain, "marks": marks, "notes": tuple(plain["notes"])})
