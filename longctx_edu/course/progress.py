"""What a learner has done, in one JSON file of their own: noted, merged, never lost.

Two notebooks may write at the same time: each change is made under a lock, on what the
file then says. With LONGCTX_PROGRESS=off nothing is noted, as in tests and builds.
"""

import json
import os
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from longctx_edu.course.record import Progress, Quizzed, Tried, need_sound
from longctx_edu.errors import UserError
from longctx_edu.folders import user_folder
from longctx_edu.writing import write_whole

VERSION = 1
LOCK_S = 5.0  # until another notebook has written


class Newer(UserError):
    """A file that a later version has written: to be read by that one, and kept."""


def recording() -> bool:
    """Say whether verdicts are noted; LONGCTX_PROGRESS=off says no.

    Nor are those of a solution or a lesson that is opened in Jupyter, which tells the
    kernel its notebook: whoever runs the answers has not written them.
    """
    notebook = Path(os.environ.get("JPY_SESSION_NAME", ""))
    if notebook.parent.name in ("solutions", "notebooks"):
        return False
    return os.environ.get("LONGCTX_PROGRESS", "on").lower() not in ("off", "0", "no")


def progress_file() -> Path:
    """Return the file, which need not be there yet."""
    return user_folder() / "progress.json"


def now() -> str:
    """Return the time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def as_text(progress: Progress) -> str:
    """Write a record as JSON, the same bytes for the same record.

    Args:
        progress: What is noted.
    """
    whole = {"version": VERSION, **asdict(progress)}
    return json.dumps(whole, indent=2, sort_keys=True) + "\n"


def read_progress(path: Path) -> Progress:
    """Read a record; an absent file is an empty one.

    Args:
        path: The file.

    Raises:
        Newer: If a later version wrote it.
        UserError: If it is damaged, or no record of progress.
        OSError: If it cannot be read.
    """
    try:
        whole: Any = json.loads(path.read_text(encoding="utf-8"))
        version = whole["version"]
        if isinstance(version, int) and version > VERSION:
            raise Newer(
                f"need progress of version {VERSION} in {path}, got version {version}: "
                "update longctx"
            )
        exercises = {k: Tried(**v) for k, v in whole["exercises"].items()}
        tests = {k: Quizzed(**v) for k, v in whole["self_tests"].items()}
        for each in (*exercises.values(), *tests.values()):
            need_sound(each)
    except FileNotFoundError:
        return Progress()
    except Newer:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        what = f"{type(error).__name__}: {error}"[:120]
        raise UserError(
            f"need a record of progress in {path}, got a damaged one ({what})"
        ) from None
    return Progress(exercises, tests)


def change(update: Callable[[Progress], Progress]) -> tuple[Progress, str]:
    """Change the record on the disk under a lock.

    Args:
        update: Makes the new record of the one that is there.

    Returns:
        The new record, and what the learner should know: where a damaged file was put
        aside; mostly nothing.

    Raises:
        Newer: If a later version wrote the file; it stays as it is.
        OSError: If it cannot be read or written, or the lock is not free in time.
    """
    from filelock import FileLock

    path = progress_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{path}.lock", timeout=LOCK_S):
        note = ""
        try:
            was = read_progress(path)
        except Newer:
            raise
        except UserError:
            was, kept = Progress(), put_aside(path)
            note = f"the record of progress was damaged; it is kept as {kept}"
        new = update(was)
        if new != was:
            text = as_text(new)
            write_whole(path, lambda place: place.write_text(text, encoding="utf-8"))
    return new, note


def put_aside(path: Path) -> Path:
    """Move a damaged file to the first free name beside it.

    Args:
        path: The file.
    """
    for n in range(1, 10_000):
        kept = path.with_name(f"{path.stem}.damaged-{n}{path.suffix}")
        if not kept.exists():
            os.replace(path, kept)
            return kept
    raise OSError(f"too many damaged files beside {path}")
