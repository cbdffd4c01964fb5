"""Calls of Linux that Python has no function for."""

import ctypes
import os
import sys
from pathlib import Path

__all__ = ["bind", "drop_powers", "mount", "pivot", "unshare"]

IS_LINUX = sys.platform == "linux"
NEWNS, NEWIPC, NEWUTS = 0x20000, 0x8000000, 0x4000000
NEWUSER, NEWPID, NEWNET = 0x10000000, 0x20000000, 0x40000000
RDONLY, NOSUID, NODEV, NOEXEC, REMOUNT, BIND, REC, PRIVATE = (
    1, 2, 4, 8, 32, 4096, 16384, 1 << 18,
)  # fmt: skip
DETACH = 2
SET_DEATH, SET_SUBREAPER, SET_NO_NEW_POWERS, DROP_BOUND = 1, 36, 38, 24
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
CAPABILITIES_3 = 0x20080522


def libc() -> ctypes.CDLL:
    """Load the library of the system; nothing of it is kept between calls."""
    return ctypes.CDLL(None, use_errno=True)


def done(result: int, what: str) -> None:
    """Raise what the system says went wrong."""
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """Leave namespaces.

    Args:
        flags: Which.

    Raises:
        OSError: If the system does not allow it.
    """
    done(libc().unshare(flags), "unshare")


def mount(
    source: str, target: Path, kind: str | None, flags: int, data: str = ""
) -> None:
    """Mount a file system.

    Args:
        source: What.
        target: Where.
        kind: Of which kind.
        flags: In which way.
        data: With which settings.
    """
    words = (source.encode(), str(target).encode(), kind.encode() if kind else None)
    done(libc().mount(*words, ctypes.c_ulong(flags), data.encode()), f"mount {target}")


def bind(source: Path, target: Path) -> None:
    """Show a file or folder at a second place, to be read alone."""
    mount(str(source), target, None, BIND | REC)
    kept = os.statvfs(target).f_flag & (NOSUID | NODEV | NOEXEC | 1024 | 2048 | 4096)
    locked = (kept & (NOSUID | NODEV | NOEXEC)) | (kept & 1024) | (kept & 2048)
    mount(str(source), target, None, BIND | REMOUNT | RDONLY | NOSUID | locked)


def pivot(root: Path) -> None:
    """Make a folder the root, and let go of the old one."""
    (root / ".old").mkdir()
    number = PIVOT_ROOT[os.uname().machine]
    old = str(root / ".old").encode()
    done(libc().syscall(number, str(root).encode(), old), "pivot_root")
    os.chdir("/")
    done(libc().umount2(b"/.old", DETACH), "umount")
    os.rmdir("/.old")


def drop_powers() -> None:
    """Give up every power over the system, for good."""
    number = 0
    while libc().prctl(DROP_BOUND, number, 0, 0, 0) == 0:
        number += 1
    head = (ctypes.c_uint32 * 2)(CAPABILITIES_3, 0)
    done(libc().capset(head, (ctypes.c_uint32 * 6)()), "capset")


def gain_nothing() -> None:
    """Let no program that is started give new powers."""
    done(libc().prctl(SET_NO_NEW_POWERS, 1, 0, 0, 0), "prctl")


def die_with_parent(signal: int) -> None:
    """Ask for a signal when the parent ends."""
    if IS_LINUX:
        libc().prctl(SET_DEATH, signal, 0, 0, 0)


def adopt_orphans() -> None:
    """Become the parent of what descendants leave behind."""
    if IS_LINUX:
        libc().prctl(SET_SUBREAPER, 1, 0, 0, 0)
