"""What is noted of a learner: tries, times, the best self-test; added to and merged."""

from dataclasses import dataclass, field, replace
from typing import Literal


@dataclass(frozen=True)
class Tried:
    """What is noted of an exercise.

    Args:
        status: "done" once a check has passed, and from then on.
        tries: Checks that passed or failed; a blank is no try.
        first: When it was tried first, in UTC.
        last: When it was tried last.
        done_at: When its check first passed.
    """

    status: Literal["started", "done"]
    tries: int
    first: str
    last: str
    done_at: str | None = None


@dataclass(frozen=True)
class Quizzed:
    """What is noted of a lesson's self-test.

    Args:
        right: Questions answered right, in the best try.
        questions: Questions of that try.
        tries: Tests taken to the end.
        first: When, first, in UTC.
        last: When, last.
    """

    right: int
    questions: int
    tries: int
    first: str
    last: str


@dataclass(frozen=True)
class Progress:
    """All that is noted.

    Args:
        exercises: By lesson and name, "05/band_pairs".
        self_tests: By lesson, "05".
    """

    exercises: dict[str, Tried] = field(default_factory=dict)
    self_tests: dict[str, Quizzed] = field(default_factory=dict)


def with_verdict(was: Progress, key: str, *, passed: bool, at: str) -> Progress:
    """Add one try at an exercise.

    Args:
        was: What is noted so far.
        key: The exercise, "05/band_pairs".
        passed: Whether its check passed.
        at: When.

    Example:
        >>> with_verdict(Progress(), "05/a", passed=False, at="1").exercises["05/a"]
        Tried(status='started', tries=1, first='1', last='1', done_at=None)
    """
    before = was.exercises.get(key, Tried("started", 0, at, at))
    tried = replace(before, tries=before.tries + 1, last=at)
    if passed:
        tried = replace(tried, status="done", done_at=before.done_at or at)
    return replace(was, exercises={**was.exercises, key: tried})


def with_test(
    was: Progress, lesson: str, right: int, questions: int, at: str
) -> Progress:
    """Add one self-test; the best of all is kept.

    Args:
        was: What is noted so far.
        lesson: Its number, "05".
        right: Questions answered right.
        questions: Questions asked.
        at: When.

    Example:
        >>> with_test(Progress(), "05", 4, 5, "1").self_tests["05"].right
        4
    """
    one = Quizzed(right, questions, 1, at, at)
    before = was.self_tests.get(lesson)
    if before:
        one = replace(_joined(before, one), tries=before.tries + 1)
    return replace(was, self_tests={**was.self_tests, lesson: one})


def without_lesson(was: Progress, lesson: str) -> Progress:
    """Forget one lesson.

    Args:
        was: What is noted so far.
        lesson: Its number, "05".
    """
    exercises = {k: v for k, v in was.exercises.items() if k[:2] != lesson}
    tests = {k: v for k, v in was.self_tests.items() if k != lesson}
    return Progress(exercises, tests)


def merged(one: Progress, other: Progress) -> Progress:
    """Join two records; done wins, and merging twice changes nothing.

    Args:
        one: A record.
        other: Another, of another machine for example.
    """
    exercises, tests = dict(one.exercises), dict(one.self_tests)
    for key, tried in other.exercises.items():
        here = exercises.get(key, tried)
        times = [t.done_at for t in (here, tried) if t.done_at]
        exercises[key] = Tried(
            status="done" if "done" in (here.status, tried.status) else "started",
            tries=max(here.tries, tried.tries),
            first=min(here.first, tried.first),
            last=max(here.last, tried.last),
            done_at=min(times, default=None),
        )
    for key, tested in other.self_tests.items():
        tests[key] = _joined(tests.get(key, tested), tested)
    return Progress(exercises, tests)


def _joined(one: Quizzed, other: Quizzed) -> Quizzed:
    """Keep the better of two tests, with the times of both."""
    best = max(one, other, key=lambda t: (t.right / t.questions, t.questions))
    return replace(
        best,
        tries=max(one.tries, other.tries),
        first=min(one.first, other.first),
        last=max(one.last, other.last),
    )


def need_sound(noted: Tried | Quizzed) -> None:
    """Refuse values that merging and counting could not work with.

    Args:
        noted: As it was read from a file.

    Raises:
        ValueError: If a number or a time is none.
    """
    numbers = [noted.tries]
    times = [noted.first, noted.last]
    if isinstance(noted, Quizzed):
        numbers += [noted.right, noted.questions - 1]
    elif noted.status not in ("started", "done"):
        raise ValueError(f"status {noted.status!r}")
    elif noted.done_at is not None or noted.status == "done":
        times.append(noted.done_at)
    if not all(isinstance(n, int) and n >= 0 for n in numbers):
        raise ValueError("a number is none, or below its least")
    if not all(isinstance(time, str) for time in times):
        raise ValueError("a time is no text")
