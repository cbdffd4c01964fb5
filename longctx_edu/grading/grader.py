"""One file after another: read, run in the sandbox, judged, and written on a sheet."""

import hashlib
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from longctx_edu.course.outline import Lesson, lessons
from longctx_edu.grading.judge import judged
from longctx_edu.grading.limits import Limits
from longctx_edu.grading.notebook import Refused, read_cells
from longctx_edu.grading.points import Points
from longctx_edu.grading.sandbox import Sandbox
from longctx_edu.grading.session import Session
from longctx_edu.grading.sheet import Mark, Sheet
from longctx_edu.grading.submissions import Found, lesson_of
from longctx_edu.grading.variables import variables
from longctx_edu.grading.wire import Ended
from longctx_edu.grading.writer import without_addresses

__all__ = ["ALONE", "Grader", "Rules"]

HERE = Path(__file__).resolve().parent
KEPT = 300
STANDARD = Limits()
# no progress is noted, and the checks' own clock is only a last resort here
ALONE = {"LONGCTX_PROGRESS": "off", "LONGCTX_CHECK_SECONDS": "600"}


@dataclass(frozen=True)
class Rules:
    """What a grade depends on besides the file.

    Args:
        points: What each exercise is worth.
        lesson: Of all submissions; None to find out for each.
        limits: How much each may take.
        room: Whether to ask the system for namespaces.
    """

    points: Points
    lesson: str | None = None
    limits: Limits = STANDARD
    room: bool = True

    def digest(self) -> str:
        """Give a number of these rules, of the checks and of the grader."""
        whole = hashlib.sha256(repr(asdict(self)).encode())
        for folder in (HERE, HERE.parent / "checks"):
            for path in sorted(folder.glob("*.py")):
                whole.update(path.read_bytes())
        return whole.hexdigest()


class Grader:
    """Grades files, with one warm process for all of them.

    Args:
        rules: What a grade depends on.
    """

    def __init__(self, rules: Rules):
        self.rules, self.known = rules, lessons()
        self.sandbox: Sandbox | None = None

    def grade(self, found: Found, digest: str) -> Sheet:
        """Grade a file; whatever is wrong with it stands on its sheet.

        Args:
            found: The file.
            digest: Of its bytes and the rules.
        """
        sheet = Sheet(found.learner, "", found.path.name, digest, refused=found.refused)
        if found.refused:
            return sheet
        try:
            cells = read_cells(found.path)
            lesson = lesson_of(found, cells, self.known, self.rules.lesson)
        except Refused as error:
            return replace(sheet, refused=str(error))
        sheet = replace(sheet, lesson=lesson.number)
        for again in (False, True):
            try:
                with Session(self.warm(), cells, self.rules.limits) as session:
                    return self.marked(sheet, session, lesson)
            except Ended as error:
                self.close()
                if again:
                    return replace(sheet, refused=f"the sandbox failed twice: {error}")
        return sheet

    def marked(self, sheet: Sheet, session: Session, lesson: Lesson) -> Sheet:
        """Judge each exercise of a lesson."""
        with variables(**ALONE):
            marks = tuple(
                self.worth(lesson, judged(session, exercise))
                for exercise in lesson.exercises
            )
        return replace(sheet, marks=marks, notes=notes_of(session))

    def worth(self, lesson: Lesson, mark: Mark) -> Mark:
        """Give a mark its points."""
        most = self.rules.points[f"{lesson.number}/{mark.exercise}"]
        got = most if mark.status == "passed" else 0.0
        return replace(mark, points=got, out_of=most)

    def warm(self) -> Sandbox:
        """Give the warm process, started when it is first needed."""
        if self.sandbox is None:
            self.sandbox = Sandbox(self.rules.limits, room=self.rules.room)
        return self.sandbox

    def close(self) -> None:
        """End the warm process."""
        if self.sandbox is not None:
            self.sandbox.close()
        self.sandbox = None


def notes_of(session: Session) -> tuple[str, ...]:
    """Say what happened while the cells ran."""
    said = [f"cell {n} stopped: {text}" for n, text in sorted(session.faults.items())]
    if session.n_printed > KEPT:
        count = f"{session.n_printed:,}"
        said.append(f"its cells printed {count} letters; the first {KEPT} are kept")
    if session.printed:
        said.append(f"printed: {session.printed[:KEPT]}")
    return tuple(map(without_addresses, said))
