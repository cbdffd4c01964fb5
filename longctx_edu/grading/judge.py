"""The verdicts on one submission: its code runs in a sandbox, the checks run here."""

import difflib
import importlib
from collections.abc import Callable

from longctx_edu.checks.report import SIGN
from longctx_edu.course.outline import Exercise
from longctx_edu.grading.leaning import finished_functions
from longctx_edu.grading.reaching import reaching
from longctx_edu.grading.session import Session
from longctx_edu.grading.sheet import Mark
from longctx_edu.grading.stopped import Stopped

__all__ = ["judged"]

ENDLESS = "hint: does each loop come to its end?"


def judged(session: Session, exercise: Exercise) -> Mark:
    """Judge one exercise of a submission.

    Args:
        session: The submission, its cells run.
        exercise: Of its lesson.
    """
    module = importlib.import_module(f"longctx_edu.checks.lesson_{exercise.lesson}")
    check = getattr(module, f"check_{exercise.name}")
    name, sources = exercise.name, [cell.source for cell in session.cells]
    if session.clock.is_over():
        most = session.limits.total_s
        said = f"the whole submission took longer than {most:g} s before its turn"
        return Mark(name, "failed", f"{SIGN['failed']} {name}: {said}")
    status, message = asked(session, name, check)
    leaned = tuple(finished_functions(sources, name)) if status == "passed" else ()
    reached = reaching(sources, name) if session.relied_on else []
    if status == "passed" and reached:
        counted = ", ".join(sorted(session.relied_on))
        return Mark(
            name,
            "review",
            f"? {name}: it passed, but its cost ({counted}) is counted in its own "
            f"process, and the notebook reaches into that: {', '.join(reached[:5])}. A "
            "teacher decides.",
            leaned,
        )
    return Mark(name, status, message, leaned)


def asked(session: Session, name: str, check: Callable) -> tuple[str, str]:
    """Find the function, hand its stand-in to the check, and take the verdict."""
    try:
        border = session.ready()
        session.clock.start_check()
        border.begin()
        kind, found = border.look(name)
        if kind == "missing":
            return "missing", missing(name, found, session.faults)
        session.relied_on = border.relied_on
        verdict = check(session.timed(found) if kind == "function" else found)
        if border.stopped:
            raise border.stopped
        session.relied_on = border.relied_on
        return verdict.status, verdict.message
    except Stopped as stop:
        return "failed", f"{SIGN['failed']} {name}: {said_of(stop)}"


def said_of(stop: Stopped) -> str:
    """Say why a turn ended."""
    said = str(stop)
    return f"{said}\n  {ENDLESS}" if said.startswith("took longer") else said


def missing(name: str, names: list[str], faults: dict[int, str]) -> str:
    """Say that there is no function of the exercise's name, and why that may be."""
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    said = f"○ {name}: no function of this name is there"
    if near:
        said += f"\n  hint: was it renamed? The nearest name is {near[0]}"
    for number, fault in list(faults.items())[:3]:
        said += f"\n  cell {number} stopped: {fault}"
    return said
