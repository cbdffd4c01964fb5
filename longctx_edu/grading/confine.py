"""What a learner's process gives up before it runs a learner's code, step by step.

A step that fails ends the process: no code runs with more than it should have.
"""

import contextlib
import os
import resource
import signal
from pathlib import Path

from longctx_edu.grading import system
from longctx_edu.grading.landlock import forbid_other_files
from longctx_edu.grading.limits import Limits
from longctx_edu.grading.rooms import LIBRARY, WORK, readable

__all__ = ["confine", "keep_only"]

NOBODY = 65534
LONGEST_CPU_S = 3600
DEVICES = [Path("/dev/null"), Path("/dev/urandom"), Path("/proc/self")]


def confine(limits: Limits, *, room: bool) -> None:
    """Give up rights, and set limits, in this process and whatever it starts.

    Args:
        limits: How much it may take.
        room: Whether it stands in a room of its own, where `WORK` is empty and its own.

    Raises:
        OSError: If the system refuses a step.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    work = WORK / "work" if room else Path(os.getcwd())
    work.mkdir(exist_ok=True)
    is_root = os.geteuid() == 0
    if is_root:
        os.chown(work, NOBODY, NOBODY)
    os.chdir(work)
    if system.IS_LINUX:
        system.gain_nothing()
        forbid_other_files([*readable(), *DEVICES], [work], [LIBRARY])
    if is_root:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    if system.IS_LINUX:
        with contextlib.suppress(OSError):  # in one of its own, processes count anew
            system.unshare(system.NEWUSER)
        system.die_with_parent(signal.SIGKILL)
        system.drop_powers()
    set_limits(limits)


def set_limits(limits: Limits) -> None:
    """Limit memory, processes, files and time."""
    has = memory_bytes()
    for name, most in (
        ("RLIMIT_AS", has + limits.extra_bytes if has else None),
        ("RLIMIT_NPROC", limits.n_processes),
        ("RLIMIT_FSIZE", limits.file_bytes),
        ("RLIMIT_NOFILE", limits.n_files),
        ("RLIMIT_CPU", LONGEST_CPU_S),
        ("RLIMIT_CORE", 0),
    ):
        if most is not None and hasattr(resource, name):
            resource.setrlimit(getattr(resource, name), (most, most))


def memory_bytes() -> int:
    """Return the address space that this process has, 0 where nobody knows."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        return 0
    return pages * resource.getpagesize()


def keep_only(kept: set[int]) -> None:
    """Close all files but a few; the standard ones lead nowhere.

    Args:
        kept: Numbers of files.
    """
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    low = 3
    for number in sorted(kept):
        os.closerange(low, number)
        low = number + 1
    os.closerange(low, 4096)
