"""Write a file whole or not at all, whatever stops the process."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file beside its place and move it there once it is on the disk.

    A reader sees the old file or the new one, never a part. What a killed process has
    begun, `.name.tmp`, the next one writes over; one process writes a file at a time.

    Args:
        path: The file; missing folders are made.
        write: Called with the path to write to.

    Raises:
        OSError: If it cannot be written. What was begun is removed, as after any other
            error of `write`.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), "a.txt")
        >>> write_whole(path, lambda place: place.write_text("all of it"))
        >>> path.read_text(), os.listdir(path.parent)
        ('all of it', ['a.txt'])
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(temporary)
        with open(temporary, "rb+") as handle:
            os.fsync(handle.fileno())
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
