"""One submission in its sandbox; where a cell ends it, the others run once more."""

from collections.abc import Callable
from typing import Any

from longctx_edu.grading.border import Border
from longctx_edu.grading.clock import Clock
from longctx_edu.grading.limits import Limits
from longctx_edu.grading.notebook import Cell
from longctx_edu.grading.sandbox import Child, Sandbox
from longctx_edu.grading.stopped import Stopped
from longctx_edu.grading.wire import Ended

__all__ = ["Session"]


class Session:
    """A learner's process, replaced where it was ended.

    Args:
        sandbox: Makes processes.
        cells: What the learner wrote.
        limits: How much they may take.

    Attributes:
        faults: What stopped a cell, by its number.
        printed: What was printed, its first letters.
        n_printed: Letters printed in all.
        relied_on: What the last check counted in the learner's process.
    """

    def __init__(self, sandbox: Sandbox, cells: list[Cell], limits: Limits):
        self.sandbox, self.cells, self.limits = sandbox, cells, limits
        self.clock = Clock(limits)
        self.faults: dict[int, str] = {}
        self.ended: set[int] = set()
        self.printed, self.n_printed = "", 0
        self.relied_on: set[str] = set()
        self.child: Child | None = None
        self.border: Border | None = None

    def ready(self) -> Border:
        """Give the way to a process in which the cells have been run.

        Raises:
            Stopped: If the time is over.
            Ended: If the sandbox makes no process.
        """
        while self.border is None or self.border.stopped:
            self.close()
            self.child = self.sandbox.child(self.clock.wait)
            self.border = Border(self.child.wire, self.limits.n_pulls)
            self.clock.start_check()
            try:
                self.border.begin()
            except Stopped as stop:
                raise Ended(f"no process for a learner: {stop}") from None
            self.run_cells(self.border)
            if self.clock.is_over():
                most = self.limits.total_s
                raise Stopped(f"took longer than {most:g} s, and was stopped")
        return self.border

    def run_cells(self, border: Border) -> None:
        """Run the cells in their order, without those that ended a process before."""
        for cell in self.cells:
            if cell.number in self.ended:
                continue
            self.clock.start_check()
            code = {"number": cell.number, "source": cell.source}
            try:
                answer, _ = border.ask(["cell", {**code, "tags": list(cell.tags)}], [])
                with border.watched():
                    said, printed, count = answer[1]
                    self.printed, self.n_printed = str(printed)[:2000], int(count)
            except Stopped as stop:
                self.ended.add(cell.number)
                self.faults[cell.number] = str(stop)
                return
            if said is not None:
                self.faults[cell.number] = str(said)[:500]

    def timed(self, answer: Callable[..., Any]) -> Callable[..., Any]:
        """Count the time of each call of a function on its own."""

        def timed(*given: Any, **named: Any) -> Any:
            self.clock.start_call()
            return answer(*given, **named)

        return timed

    def close(self) -> None:
        """End the learner's process, if there is one."""
        if self.child is not None:
            self.child.close()
        self.child = self.border = None

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
