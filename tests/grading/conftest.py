"""What the tests of grading share: a border within one process, a real sandbox."""

import contextlib
import os
import socket
import threading
import time

import psutil
import pytest

from longctx_edu.course.outline import lessons
from longctx_edu.grading.border import Border
from longctx_edu.grading.grader import ALONE
from longctx_edu.grading.judge import judged
from longctx_edu.grading.limits import Limits
from longctx_edu.grading.notebook import cells_of
from longctx_edu.grading.sandbox import Sandbox
from longctx_edu.grading.served import Served
from longctx_edu.grading.session import Session
from longctx_edu.grading.variables import variables
from longctx_edu.grading.wire import Ended, Wire

SHORT = Limits(call_s=2.0, check_s=4.0, total_s=30.0)


@contextlib.contextmanager
def border_to(names: dict):
    """Open a border behind which these functions stand."""
    here, there = socket.socketpair()
    served = Served(Wire(there), lambda name: (names.get(name), names))

    def run():
        with contextlib.suppress(Ended):
            served.serve()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield Border(Wire(here))
    finally:
        here.close()
        thread.join(timeout=10)
        there.close()


@pytest.fixture
def open_border():
    return border_to


class Judged:
    """What came of one exercise of a submission."""

    def __init__(self, mark, session):
        self.mark, self.faults = mark, dict(session.faults)
        self.printed, self.n_printed = session.printed, session.n_printed
        self.said = "\n".join([mark.message, *self.faults.values()])


def judge(sandbox, source, exercise="01/causal_mask", limits=SHORT):
    """Judge one exercise of a percent script."""
    known = {e.key: e for lesson in lessons() for e in lesson.exercises}
    cells = cells_of(source, notebook=False)
    with Session(sandbox, cells, limits) as session, variables(**ALONE):
        mark = judged(session, known[exercise])
        return Judged(mark, session)


@pytest.fixture(scope="session")
def sandbox():
    """One warm process for all tests; a variable stands for a teacher's secret."""
    os.environ["TEACHERS_SECRET"] = "swordfish-1"
    with Sandbox(SHORT) as made:
        yield made
    del os.environ["TEACHERS_SECRET"]


@pytest.fixture
def judge_in(sandbox):
    def judged_there(source, exercise="01/causal_mask", limits=SHORT):
        return judge(sandbox, source, exercise, limits)

    yield judged_there
    assert left_behind(sandbox) == []


def left_behind(sandbox, patience_s=20.0):
    """List the processes that a sandbox has left, once they had time to end."""
    ends = time.monotonic() + patience_s
    while True:
        children = psutil.Process(sandbox.process.pid).children(recursive=True)
        alive = [c for c in children if c.is_running() and c.status() != "zombie"]
        if not alive or time.monotonic() > ends:
            return alive
        time.sleep(0.1)


@pytest.fixture
def judge_alone():
    """Judge in a sandbox of one's own; it must be left empty."""

    def judged_there(sandbox, source):
        came = judge(sandbox, source)
        assert left_behind(sandbox) == []
        return came

    return judged_there
