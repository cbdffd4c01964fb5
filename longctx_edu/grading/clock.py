"""Time limits that a busy machine does not change: what counts is computing, and sleep.

A process that wants to compute and gets no turn is not charged for it.
"""

import select
import socket
import time

from longctx_edu.grading.limits import Limits
from longctx_edu.grading.sandbox import Child
from longctx_edu.grading.stopped import TimeIsUp

__all__ = ["Clock"]

GLANCE_S = 0.2


class Clock:
    """Stops a learner's process that computes, or sleeps, for too long.

    Args:
        limits: How long it may.

    Attributes:
        used_s: Seconds that were charged in all.
    """

    def __init__(self, limits: Limits):
        self.limits = limits
        self.used_s = self.call_began = self.check_began = 0.0
        self.glanced = time.monotonic()

    def start_check(self) -> None:
        """Begin to count for a check, and for its first call."""
        self.check_began = self.call_began = self.used_s

    def start_call(self) -> None:
        """Begin to count for a call."""
        self.call_began = self.used_s

    def is_over(self) -> bool:
        """Tell whether the whole submission has had its time."""
        return self.used_s > self.limits.total_s

    def wait(self, end: socket.socket, child: Child) -> None:
        """Wait until there is something to read.

        Args:
            end: From where.
            child: The process that should send it.

        Raises:
            TimeIsUp: If its time is over before.
        """
        began = time.monotonic()
        while True:
            ready, _, _ = select.select([end], [], [], GLANCE_S)
            now = time.monotonic()
            if not ready or now - self.glanced > GLANCE_S:
                self.used_s += child.charged_s(now - max(began, self.glanced))
                self.glanced = now
                self.look()
            if ready:
                return

    def look(self) -> None:
        """Compare what was used with what there is."""
        limits = self.limits
        for began, most in (
            (self.call_began, limits.call_s),
            (self.check_began, limits.check_s),
            (0.0, limits.total_s),
        ):
            if self.used_s - began > most:
                raise TimeIsUp(f"took longer than {most:g} s, and was stopped")
