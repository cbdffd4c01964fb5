"""What a learner's process can see: Python, its packages, the library, and no more."""

import contextlib
import os
import sys
from pathlib import Path

from longctx_edu.grading import system

__all__ = ["LIBRARY", "WORK", "build_room", "fresh_work", "readable"]

LIBRARY = Path(__file__).resolve().parents[1]
HIDDEN = ("checks", "grading", "cli", "course")
SYSTEM = ("/usr", "/lib", "/lib64", "/lib32", "/etc/ld.so.cache")
DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")
WORK = Path("/desk")  # not /tmp, where the course itself may stand


def readable() -> list[Path]:
    """List what a learner's process may read; the solutions are not among it."""
    own = [
        part
        for part in sorted(LIBRARY.iterdir())
        if part.name not in (*HIDDEN, "__pycache__")
    ]
    found = [*map(Path, (*SYSTEM, sys.base_prefix, sys.prefix)), *own]
    whole = [path for path in found if path.exists()]
    return [
        path
        for n, path in enumerate(whole)
        if not any(path.is_relative_to(p) and path != p for p in whole)
        and path not in whole[:n]
    ]


def build_room() -> None:
    """Make a root that holds only what may be read, here, and go in.

    Raises:
        OSError: If the system does not allow it.
    """
    system.mount("none", Path("/"), None, system.REC | system.PRIVATE)
    root = Path(os.getcwd(), "room")
    root.mkdir()
    system.mount("none", root, "tmpfs", system.NOSUID | system.NODEV, "mode=755")
    for path in [*readable(), *map(Path, DEVICES)]:
        target = root / path.relative_to("/")
        if path.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(os.readlink(path))
            continue
        make_place(path, target)
        system.bind(path, target)
    hide_installed(root)
    for name in ("proc", "tmp", WORK.name):
        (root / name).mkdir(exist_ok=True)
    system.pivot(root)
    with contextlib.suppress(OSError):
        system.mount("none", Path("/"), None, 32 | system.RDONLY)


def make_place(path: Path, target: Path) -> None:
    """Make an empty file or folder to show another at."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        target.mkdir(exist_ok=True)
    else:
        target.touch()


def hide_installed(root: Path) -> None:
    """Cover the checks where the library is installed among the packages."""
    for name in HIDDEN:
        place = root / (LIBRARY / name).relative_to("/")
        if place.is_dir():
            system.mount("none", place, "tmpfs", system.RDONLY, "size=4k")


def fresh_work(size: int) -> None:
    """Cover the working folder by an empty one, and show this process's own /proc.

    Args:
        size: Bytes that it may hold.
    """
    flags = system.NOSUID | system.NODEV
    system.mount("none", WORK, "tmpfs", flags, f"size={size},mode=1777")
    with contextlib.suppress(OSError):
        system.mount("proc", Path("/proc"), "proc", flags | system.NOEXEC)
