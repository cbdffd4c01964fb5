"""A warm process for learners' code, and one confined copy of it for each of them."""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import psutil

from longctx_edu.errors import UserError
from longctx_edu.grading.limits import Limits
from longctx_edu.grading.wire import Ended, Wire

__all__ = ["Child", "Sandbox"]

STARTS_S, COPIES_S, ENDS_S = 120.0, 30.0, 10.0
ROOT = Path(__file__).resolve().parents[2]


class Child:
    """A learner's process, and the way to it.

    Args:
        number: Of the process.
        end: The socket to it.
        wait: Called before each read, with the socket and this child.
    """

    def __init__(
        self,
        number: int,
        end: socket.socket,
        wait: Callable[[socket.socket, "Child"], None],
    ):
        self.handle = os.pidfd_open(number) if hasattr(os, "pidfd_open") else None
        self.number, self.end = number, end
        self.wire = Wire(end, lambda reads: wait(reads, self))
        self.process, self.computed_s = psutil.Process(number), 0.0

    def charged_s(self, passed_s: float) -> float:
        """Return what to charge since the last look: computing, or else sleep.

        Args:
            passed_s: Seconds on the clock since then.
        """
        before = self.computed_s
        try:
            with self.process.oneshot():
                used, state = self.process.cpu_times(), self.process.status()
        except psutil.Error:
            return passed_s
        self.computed_s = used.user + used.system
        idle = 0.0 if state == psutil.STATUS_RUNNING else passed_s
        return max(self.computed_s - before, idle)

    def close(self) -> None:
        """End it, and wait until it is gone."""
        self.end.close()
        with contextlib.suppress(ProcessLookupError):
            if self.handle is None:
                os.kill(self.number, signal.SIGKILL)
            else:
                signal.pidfd_send_signal(self.handle, signal.SIGKILL)
        if self.handle is not None:
            select.select([self.handle], [], [], ENDS_S)
            os.close(self.handle)


class Sandbox:
    """A warm process that makes confined copies of itself.

    Args:
        limits: How much each copy may take.
        room: Whether to ask the system for namespaces.

    Attributes:
        walls: What the system did not allow, by name.
    """

    def __init__(self, limits: Limits, *, room: bool = True):
        if sys.platform == "win32":
            raise UserError("need Linux or macOS to grade: on Windows, use WSL")
        self.limits = limits
        self.folder = tempfile.TemporaryDirectory(prefix="longctx-grade-")
        os.chmod(self.folder.name, 0o711)  # a learner's process may not list it
        here, there = socket.socketpair()
        there.set_inheritable(True)
        self.control = here
        words = [sys.executable, "-s", "-P", "-m", "longctx_edu.grading.zygote"]
        self.process = subprocess.Popen(
            [*words, str(there.fileno())],
            pass_fds=[there.fileno()],
            cwd=self.folder.name,
            env=environment(self.folder.name),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        there.close()
        settings = {"limits": asdict(limits), "room": room}
        here.sendall(json.dumps(settings).encode())
        self.walls: dict[str, str] = json.loads(self.line(STARTS_S))

    def line(self, seconds: float) -> bytes:
        """Take what the warm process says next."""
        ready, _, _ = select.select([self.control], [], [], seconds)
        found = self.control.recv(2**16) if ready else b""
        if not found:
            raise Ended("the warm process gives no answer")
        return found

    def child(self, wait: Callable[[socket.socket, Child], None]) -> Child:
        """Make a copy for one learner.

        Args:
            wait: Called before each read from it.
        """
        here, there = socket.socketpair()
        socket.send_fds(self.control, [b"copy"], [there.fileno()])
        there.close()
        return Child(int(self.line(COPIES_S)), here, wait)

    def close(self) -> None:
        """End the warm process."""
        self.control.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=1)
        self.process.kill()
        self.process.wait()
        with contextlib.suppress(OSError):
            self.folder.cleanup()

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def environment(folder: str) -> dict[str, str]:
    """Give a learner's process a few harmless variables, and none of ours."""
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": folder,
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "MPLBACKEND": "Agg",
        "MPLCONFIGDIR": folder,
        "LONGCTX_PROGRESS": "off",
        "HF_HUB_OFFLINE": "1",
    }
