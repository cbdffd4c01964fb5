"""Files put into a folder that belongs to somebody: what is theirs stays as it is.

A record beside the files tells what was put there, so that a later time replaces that
and nothing else.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from longctx_edu.errors import UserError
from longctx_edu.writing import write_whole

RECORD = "longctx_export.json"
VERSION = 1


def put_files(
    folder: Path, files: Mapping[str, str], *, overwrite: bool = False
) -> list[Path]:
    """Write files into a folder: a new one whole or not at all, else file by file.

    Args:
        folder: Where; missing folders are made.
        files: The text of each, by its path within the folder.
        overwrite: Go on where the folder holds something.

    Returns:
        What was kept: files in the way that were changed since they were put there, or
        never put there.

    Raises:
        UserError: If the folder is none, holds something, or its record is damaged.
        OSError: If a file cannot be read or written.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> put_files(folder, {"a.txt": "first", "b.txt": "first"})
        []
        >>> n_letters = (folder / "b.txt").write_text("mine")
        >>> kept = put_files(folder, {"a.txt": "2", "b.txt": "2"}, overwrite=True)
        >>> [path.name for path in kept], (folder / "a.txt").read_text()
        (['b.txt'], '2')
    """
    folder = folder.resolve()
    if not folder.exists():
        _put_new(folder, files)
        return []
    if not folder.is_dir():
        raise UserError(f"need a folder, got {folder}: it is a file")
    n = sum(1 for _ in folder.iterdir())
    if n and not overwrite:
        raise UserError(
            f"need a new or an empty folder, got {folder} with {n} entries: choose "
            "another, or say --overwrite to replace what an earlier export wrote"
        )
    return _put_among(folder, files)


def _put_new(folder: Path, files: Mapping[str, str]) -> None:
    """Fill a folder beside its place, and move it there."""
    begun = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(begun, ignore_errors=True)
    try:
        _put_among(begun, files)
        os.replace(begun, folder)
    finally:
        shutil.rmtree(begun, ignore_errors=True)


def _put_among(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Write what is missing or was put there before; the record comes last."""
    known, kept = _recorded(folder / RECORD), []
    for name, text in files.items():
        path = folder / name
        new = text.encode("utf-8")
        old = path.read_bytes() if path.exists() else new
        if old != new and _digest(old) != known.get(name):
            kept.append(path)
            continue
        known[name] = _digest(new)
        write_whole(path, lambda place, new=new: place.write_bytes(new))
    record = {"version": VERSION, "files": known}
    said = json.dumps(record, indent=2, sort_keys=True) + "\n"
    write_whole(folder / RECORD, lambda place: place.write_text(said, encoding="utf-8"))
    return kept


def _recorded(path: Path) -> dict[str, str]:
    """Read what was put here before, each file with its digest."""
    try:
        files = json.loads(path.read_text(encoding="utf-8"))["files"]
        return {str(name): str(digest) for name, digest in files.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(
            f"need the record of an earlier export in {path}, got a damaged one: "
            "remove it, and what differs from the new export will be kept"
        ) from None


def _digest(content: bytes) -> str:
    """Give the SHA-256 of a file's content."""
    return hashlib.sha256(content).hexdigest()
