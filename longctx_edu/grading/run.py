"""Grades a folder of submissions on several cores, and goes on where it was stopped."""

import hashlib
import multiprocessing
import os
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.util import Finalize
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from longctx_edu.grading.grader import Grader, Rules
from longctx_edu.grading.outputs import read_sheets, write_all
from longctx_edu.grading.sheet import Sheet
from longctx_edu.grading.submissions import Found, find_submissions
from longctx_edu.grading.variables import variables

__all__ = ["Graded", "grade_folder"]

Heard = Callable[[int, int, Sheet], None]
"""Called with the files that are done, all files, and the sheet of the last."""

BETWEEN = 20  # sheets between two writings
NOT_READ = "-"


class Task(NamedTuple):
    """A file to grade.

    Args:
        place: Its path within the folder of submissions.
        found: The file.
        digest: Of its bytes and the rules.
    """

    place: str
    found: Found
    digest: str


Done = tuple[str, Sheet, dict[str, str]]
"""A file's place, its sheet, and what the system did not allow the sandbox."""


@dataclass(frozen=True)
class Graded:
    """What came of a folder.

    Args:
        sheets: One for each file, in the order of learners.
        n_new: How many of them were graded now.
        walls: What the system did not allow the sandbox.
    """

    sheets: tuple[Sheet, ...]
    n_new: int
    walls: dict[str, str]


def grade_folder(
    folder: Path,
    out: Path,
    rules: Rules,
    *,
    jobs: int = 2,
    again: bool = False,
    heard: Heard = lambda done, total, sheet: None,
) -> Graded:
    """Grade all submissions of a folder, and write grades and feedback.

    Args:
        folder: With a file, or a folder, for each learner.
        out: Where grades.csv, grades.json and feedback/ go.
        rules: What a grade depends on.
        jobs: Processes at once.
        again: Grade also what was graded before.
        heard: Called after each file.

    Raises:
        UserError: If there is nothing to grade.
    """
    found = find_submissions(folder)
    rule = rules.digest()
    before, walls = ({}, {}) if again else read_sheets(out / "grades.json")
    sheets: dict[str, Sheet] = {}
    todo: list[Task] = []
    for each in found:
        place = place_of(each.path, folder)
        digest = digest_of(each.path, rule)
        old = before.get(place)
        if old and old.digest == digest != NOT_READ and old.learner == each.learner:
            sheets[place] = old
        else:
            todo.append(Task(place, each, digest))
    try:
        for place, sheet, now in graded(todo, rules, jobs):
            walls = now or walls
            sheets[place] = replace(sheet, file=place)
            heard(len(sheets), len(found), sheets[place])
            if len(sheets) % BETWEEN == 0:
                write_all(out, ordered(sheets), walls)
    finally:
        if sheets:
            write_all(out, without_twice(ordered(sheets)), walls)
    return Graded(tuple(without_twice(ordered(sheets))), len(todo), walls)


def graded(todo: list[Task], rules: Rules, jobs: int) -> Iterator[Done]:
    """Give a sheet for each file, as they come.

    Where a process of ours ends, what it was at is tried once more, each alone.
    """
    suspects: list[Task] = []
    waiting = todo
    while waiting:
        finished = set()
        try:
            for done in by_pool(waiting, rules, jobs):
                finished.add(done[0])
                yield done
            waiting = []
        except BrokenProcessPool:
            left = [task for task in waiting if task.place not in finished]
            suspects, waiting = suspects + left[: 2 * jobs], left[2 * jobs :]
    for task in suspects:
        try:
            yield from by_pool([task], rules, 1)
        except BrokenProcessPool:
            yield task.place, refused(task, "the process that judges it ended"), {}


def by_pool(todo: list[Task], rules: Rules, jobs: int) -> Iterator[Done]:
    """Give sheets from processes that live as long as there is something to do."""
    context = multiprocessing.get_context("spawn")
    waiting = deque(todo)
    running: dict[Future, Task] = {}
    with (
        surroundings(),
        ProcessPoolExecutor(min(jobs, len(todo)), context, start, (rules,)) as pool,
    ):
        try:
            while waiting or running:
                while waiting and len(running) < 2 * jobs:
                    task = waiting.popleft()
                    running[pool.submit(grade_one, task)] = task
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in sorted(done, key=lambda each: running[each].place):
                    yield outcome(future, running.pop(future))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def surroundings() -> Iterator[None]:
    """Let the processes of the pool show sets in one order, and leave no files.

    Their folders stand in one that goes with them, also where one is killed.
    """
    with TemporaryDirectory(prefix="longctx-grade-", ignore_cleanup_errors=True) as own:
        os.chmod(own, 0o711)  # a learner's process may pass, and not list it
        with variables(PYTHONHASHSEED="0", TMPDIR=own):
            yield


def outcome(future: Future, task: Task) -> Done:
    """Take a sheet, or say that the grader itself has failed."""
    try:
        return task.place, *future.result()
    except BrokenProcessPool:
        raise
    except Exception as error:
        why = f"the grader failed on it: {type(error).__name__}: {error}"
        return task.place, refused(task, why), {}


def refused(task: Task, why: str) -> Sheet:
    """Write a sheet for what could not be graded, and will be tried again."""
    return Sheet(task.found.learner, "", task.place, NOT_READ, refused=why)


GRADERS: list[Grader] = []


def start(rules: Rules) -> None:
    """Begin a process of the pool."""
    import torch

    torch.set_num_threads(1)
    GRADERS.append(Grader(rules))
    Finalize(None, GRADERS[0].close, exitpriority=10)


def grade_one(task: Task) -> tuple[Sheet, dict[str, str]]:
    """Grade a file in a process of the pool."""
    sheet = GRADERS[0].grade(task.found, task.digest)
    sandbox = GRADERS[0].sandbox
    return sheet, sandbox.walls if sandbox else {}


def place_of(path: Path, folder: Path) -> str:
    """Name a file by its path within the folder."""
    return path.relative_to(folder).as_posix() if folder.is_dir() else path.name


def digest_of(path: Path, rule: str) -> str:
    """Give a number of a file's bytes and of the rules."""
    if path.is_symlink() or not path.is_file():
        return NOT_READ
    whole = hashlib.sha256(rule.encode())
    try:
        with path.open("rb") as file:
            for part in iter(lambda: file.read(2**20), b""):
                whole.update(part)
    except OSError:
        return NOT_READ
    return whole.hexdigest()


def ordered(sheets: dict[str, Sheet]) -> list[Sheet]:
    """Sort by learner, lesson and file."""
    return sorted(sheets.values(), key=lambda s: (s.learner, s.lesson, s.file))


def without_twice(sheets: list[Sheet]) -> list[Sheet]:
    """Refuse several files of a learner for one lesson: nobody knows which counts."""
    counts = Counter((s.learner.casefold(), s.lesson) for s in sheets if s.marks)
    kept = []
    for sheet in sheets:
        key = (sheet.learner.casefold(), sheet.lesson)
        if sheet.marks and counts[key] > 1:
            others = [s.file for s in sheets if (s.learner.casefold(), s.lesson) == key]
            why = f"need one file for lesson {sheet.lesson}, got {', '.join(others)}"
            sheet = replace(sheet, marks=(), refused=why, digest=NOT_READ)
        kept.append(sheet)
    return kept
