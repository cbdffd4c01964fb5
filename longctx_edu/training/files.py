"""Files that are either whole or not there, and readers that refuse a broken one."""

import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from longctx_edu.errors import UserError
from longctx_edu.writing import write_whole


def cannot_write(path: Path, error: OSError | SafetensorError) -> UserError:
    """Turn a failed write into one line: the file, the reason, what to do.

    Args:
        path: The file that was to be written.
        error: What the system said.

    Example:
        >>> print(cannot_write(Path("a.json"), OSError(28, "No space left on device")))
        cannot write a.json: No space left on device; free some space or choose \
another folder with --out
    """
    reason = getattr(error, "strerror", None) or str(error)
    code = re.search(r"os error (\d+)", reason)  # safetensors hides the number
    if code:
        reason = os.strerror(int(code.group(1)))
    advice = "free some space or choose another folder with --out"
    return UserError(f"cannot write {path}: {reason}; {advice}")


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file whole or not at all, and name it where that fails.

    Args:
        path: The file; missing folders are made.
        write: Called with the path to write to.

    Raises:
        UserError: If it cannot be written; what was begun is removed.
    """
    try:
        write_whole(path, write)
    except (OSError, SafetensorError) as error:
        raise cannot_write(path, error) from error


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically, as UTF-8.

    Args:
        path: The file.
        text: All of it.
    """
    write_atomically(path, lambda place: place.write_text(text, encoding="utf-8"))


def write_tensors(
    path: Path, tensors: Mapping[str, Tensor], header: Mapping | None = None
) -> None:
    """Write a safetensors file atomically.

    Args:
        path: The file.
        tensors: On the CPU, contiguous, none a view of another.
        header: Anything that JSON holds, kept in the file's header.
    """
    metadata = {"format": "pt", "json": json.dumps(header or {})}
    write_atomically(path, lambda place: save_file(dict(tensors), place, metadata))


def remove(path: Path) -> None:
    """Remove a file, if it is there.

    Args:
        path: The file.

    Raises:
        UserError: If the system refuses.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from error


def read_header(path: Path) -> tuple[dict, dict[str, tuple[int, ...]]]:
    """Read what a safetensors file says of itself: its JSON, and names with shapes.

    Args:
        path: The file.

    Raises:
        UserError: If it is missing, truncated, or no safetensors file.
    """
    try:
        with safe_open(path, "pt") as file:
            names = file.keys()
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in names}
            return json.loads((file.metadata() or {}).get("json", "{}")), shapes
    except (OSError, SafetensorError, ValueError) as error:
        raise UserError(
            f"cannot read {path}: it is truncated or no safetensors file ({error})"
        ) from error


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read all tensors of a safetensors file to the CPU.

    Args:
        path: The file.

    Raises:
        UserError: If it is missing, truncated, or no safetensors file.
    """
    read_header(path)
    return load_file(path)
