"""A warm process: torch is imported once, and each submission gets a copy of it.

Started as `python -m longctx_edu.grading.zygote NUMBER`, where the number is that of a
socket. For each file that comes over it, a copy of this process serves that file.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import warnings
from typing import Any

from longctx_edu.grading import landlock, system
from longctx_edu.grading.cells import Notebook
from longctx_edu.grading.confine import confine, keep_only
from longctx_edu.grading.guard import NoChecks, guard
from longctx_edu.grading.limits import Limits
from longctx_edu.grading.measuring import PRODUCTS, WATCH, counting
from longctx_edu.grading.rooms import WORK, build_room, fresh_work
from longctx_edu.grading.served import Served
from longctx_edu.grading.wire import Wire

__all__: list[str] = []

WARM = (
    "numpy", "torch.nn.functional", "torch.utils.flop_counter", "einops",
    "matplotlib.pyplot",
)  # fmt: skip
LIBRARY = (
    "attention", "chunking", "course", "data", "data.gazette", "losses", "masks",
    "memory", "metrics", "models", "optim", "plotting", "positions", "tasks",
)  # fmt: skip


def main(number: int) -> None:
    """Make copies until the other end closes.

    Args:
        number: Of the socket.
    """
    control = socket.socket(fileno=number)
    settings = json.loads(control.recv(2**16))
    limits = Limits(**settings["limits"])
    warm_up()
    walls = go_in() if settings["room"] else not_allowed("not asked for")
    control.sendall(json.dumps(walls).encode())
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        message, files, _, _ = socket.recv_fds(control, 16, 1)
        if not message:
            return
        if os.fork() == 0:
            try:
                copy(control, files[0], limits, room="namespaces" not in walls)
            finally:
                os._exit(0)
        os.close(files[0])


def warm_up() -> None:
    """Import what notebooks import, and run each kind of thing once."""
    import importlib

    import torch

    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    for name in (*WARM, *(f"longctx_edu.{part}" for part in LIBRARY)):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    x = torch.ones(2, 2, requires_grad=True)
    with counting([WATCH, PRODUCTS], x):
        (x @ x).softmax(dim=1).sum().backward()


def go_in() -> dict[str, str]:
    """Go into a room of one's own; what the system does not allow is told.

    Returns:
        What could not be done, by name, with the reason.
    """
    flags = system.NEWNS | system.NEWNET | system.NEWIPC | system.NEWUTS
    user, group = os.getuid(), os.getgid()
    try:
        if user != 0:
            system.unshare(system.NEWUSER | flags)
            for name, text in (
                ("setgroups", "deny"),
                ("uid_map", f"{user} {user} 1"),
                ("gid_map", f"{group} {group} 1"),
            ):
                with open(f"/proc/self/{name}", "w") as file:
                    file.write(text)
        else:
            system.unshare(flags)
        build_room()
    except (OSError, AttributeError, KeyError) as error:
        return not_allowed(str(error))
    return {}


def not_allowed(why: str) -> dict[str, str]:
    """Say what is open without namespaces.

    Args:
        why: What the system said.
    """
    walls = {"namespaces": why}
    version = landlock.version() if system.IS_LINUX else 0
    if version < 1:
        walls["files"] = "what this user may read, a submission may read"
    if version < 4:
        walls["network"] = "shut by a guard inside Python alone"
    return walls


def copy(control: socket.socket, number: int, limits: Limits, *, room: bool) -> None:
    """Be the parent of one learner's process, and clean up behind it.

    Args:
        control: Where to tell its number.
        number: The file that it serves.
        limits: How much it may take.
        room: Whether this process is in a room of its own.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    system.die_with_parent(signal.SIGKILL)
    system.adopt_orphans()
    work = None
    if room:
        system.unshare(system.NEWPID | system.NEWNS | system.NEWIPC)
    else:
        work = tempfile.mkdtemp(prefix="work-", dir=os.getcwd())
        os.chdir(work)
    child = os.fork()
    if child == 0:
        try:
            live(number, limits, room=room)
        finally:
            os._exit(0)
    control.sendall(f"{child}\n".encode())
    control.close()
    os.close(number)
    with contextlib.suppress(ChildProcessError):
        over = False
        while True:
            over = os.wait()[0] == child or over
            if over:
                end_rest()
    if work:
        shutil.rmtree(work, ignore_errors=True)


def end_rest() -> None:
    """Kill what a learner's process has left behind, where no namespace does it."""
    with contextlib.suppress(OSError):
        children = f"/proc/self/task/{os.getpid()}/children"
        with open(children) as file:
            for child in file.read().split():
                os.kill(int(child), signal.SIGKILL)


def live(number: int, limits: Limits, *, room: bool) -> None:
    """Serve a learner's notebook until the other end closes."""
    os.setsid()
    wire = socket.socket(fileno=number)
    if room:
        fresh_work(limits.file_bytes * 4)
        own = str(WORK / "work")  # the same for each, as is all that it can see
        os.environ.update(HOME=own, MPLCONFIGDIR=own)
    keep_only({number})
    confine(limits, room=room)
    notebook = Notebook()
    forget_checks()
    guard()
    notebook.open()
    served: Any = Served(Wire(wire), notebook.find, notebook.run)
    served.seed()
    served.serve()


def forget_checks() -> None:
    """Let cells import checks that say nothing."""
    for name in [n for n in sys.modules if n.startswith("longctx_edu.checks.")]:
        if not name.endswith((".largest", ".report")):
            del sys.modules[name]
    sys.meta_path.insert(0, NoChecks())


if __name__ == "__main__":
    main(int(sys.argv[1]))
