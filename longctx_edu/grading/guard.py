"""A second line of defence inside a learner's process: clear words for what is shut.

Python asks before it opens a socket or starts a process. A determined learner can get
round this, and then meets the system's own walls; what it adds is a message.
"""

import importlib.abc
import importlib.machinery
import sys
import types
from typing import Any

__all__ = ["NoChecks", "guard"]

SHUT = {
    "socket.connect": "use the network",
    "socket.bind": "use the network",
    "socket.sendto": "use the network",
    "socket.getaddrinfo": "use the network",
    "subprocess.Popen": "start a process",
    "os.system": "start a process",
    "os.exec": "start a process",
    "os.fork": "start a process",
    "os.forkpty": "start a process",
    "os.posix_spawn": "start a process",
    "os.kill": "send a signal",
    "os.killpg": "send a signal",
}


def guard() -> None:
    """Refuse, from now on, what a submission has no use for."""
    shut = dict(SHUT)

    def ask(event: str, given: tuple[Any, ...]) -> None:
        if event in shut:
            raise PermissionError(f"a graded notebook may not {shut[event]} ({event})")

    sys.addaudithook(ask)


class NoChecks(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives an empty module for the checks: the verdict is reached elsewhere."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Answer for the modules of checks."""
        if name.startswith("longctx_edu.checks."):
            return importlib.machinery.ModuleSpec(name, self)
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        """Fill a module with checks that say nothing."""

        def named(name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            return says_nothing

        module.__getattr__ = named


def says_nothing(*given: object, **named: object) -> None:
    """Stand in a cell where a notebook has its check."""
