"""Where a learner stands: what is done, what is open, the next step; a line for a page.

Nothing here may stop a learner: what cannot be noted is said in one line.
"""

import html
import re

from longctx_edu.course.outline import Exercise, Lesson, lessons
from longctx_edu.course.progress import change, now, recording
from longctx_edu.course.record import Progress, with_verdict

CHECKS = re.compile(r"longctx_edu\.checks\.\w+_(\d\d)")
LOOKS = "font-family: monospace; font-size: 90%; padding: 2px 10px; color: inherit"
BAR = "display: inline-block; width: 110px; height: 7px; background: #8A8F9840"
FILLED = "display: block; height: 7px; background: #009E73"


def status_of(exercise: Exercise, progress: Progress) -> str:
    """Say "done", "started" or "open".

    Args:
        exercise: Of the course.
        progress: What is noted.
    """
    tried = progress.exercises.get(exercise.key)
    return tried.status if tried else "open"


def count(lesson: Lesson, progress: Progress, status: str) -> int:
    """Count a lesson's exercises of one status.

    Args:
        lesson: Of the course.
        progress: What is noted.
        status: "done", "started" or "open".
    """
    return sum(status_of(each, progress) == status for each in lesson.exercises)


def first_open(lesson: Lesson, progress: Progress) -> Exercise | None:
    """Return the first exercise of a lesson that is not done.

    Args:
        lesson: Of the course.
        progress: What is noted.
    """
    left = (e for e in lesson.exercises if status_of(e, progress) != "done")
    return next(left, None)


def next_step(known: list[Lesson], progress: Progress) -> Exercise | None:
    """Return the exercise to do next: of the lesson at work, else the first open one.

    Args:
        known: All lessons.
        progress: What is noted.

    Returns:
        None once everything is done.
    """
    at_work = max(
        ((tried.last, key[:2]) for key, tried in progress.exercises.items()),
        default=("", ""),
    )[1]
    order = sorted(known, key=lambda lesson: (lesson.number != at_work, lesson.number))
    left = (first_open(lesson, progress) for lesson in order)
    return next((each for each in left if each), None)


def summary(number: str, known: list[Lesson], progress: Progress) -> str:
    """Say in a line how far a lesson is, and what comes next.

    Args:
        number: Of the lesson, "05".
        known: All lessons.
        progress: What is noted.

    Example:
        >>> lesson = Lesson("05", "05_topic", "", (Exercise("05", "a", "5.1"),))
        >>> summary("05", [lesson], Progress())
        'lesson 05: 0 of 1 done; next: 5.1 a'
    """
    lesson = next(each for each in known if each.number == number)
    done, all_of_it = count(lesson, progress, "done"), len(lesson.exercises)
    said = f"lesson {number}: {done} of {all_of_it} done"
    here = first_open(lesson, progress)
    if here:
        return f"{said}; next: {here}"
    there = next_step(known, progress)
    if there is None:
        return f"{said}; the whole course is done"
    notebook = next(each.notebook for each in known if each.number == there.lesson)
    return f"{said}; next: {there} in {notebook}"


def after_check(module: str, name: str, status: str) -> str:
    """Note a verdict, and draw the line that stands under it in a notebook.

    Args:
        module: Where the check was written, which tells its lesson.
        name: The exercise's function.
        status: "passed", "failed" or "not started".

    Returns:
        HTML; empty where nothing is noted.
    """
    found = CHECKS.fullmatch(module)
    if found is None or not recording():
        return ""
    number = found[1]

    def with_this(was: Progress) -> Progress:
        if status == "not started":
            return was
        passed = status == "passed"
        return with_verdict(was, f"{number}/{name}", passed=passed, at=now())

    try:
        progress, note = change(with_this)
        known = lessons()
        lesson = next(each for each in known if each.number == number)
        share = count(lesson, progress, "done") / max(1, len(lesson.exercises))
        return drawn(summary(number, known, progress), share, note)
    except Exception as error:
        return drawn(f"progress is not noted: {' '.join(str(error).split())}")


def drawn(line: str, share: float | None = None, note: str = "") -> str:
    """Draw a line with a bar in HTML that needs no script.

    Args:
        line: What it says.
        share: How full the bar is, from 0 to 1; no bar if None.
        note: What else a learner should know.
    """
    bar = ""
    if share is not None:
        filled = f'<span style="{FILLED}; width: {share:.0%}"></span>'
        bar = f'<span aria-hidden="true" style="{BAR}">{filled}</span> '
    more = f"<br>{html.escape(note)}" if note else ""
    return f'<div style="{LOOKS}">{bar}{html.escape(line)}{more}</div>'
