"""Find and read files, and say in one line what is wrong where that fails."""

import difflib
from pathlib import Path

from longctx_edu.errors import DataError, Report, UserError, refuse

SUFFIXES = (
    *(".conll", ".txt", ".tsv", ".iob", ".iob2", ".bio", ".annotated"),
    *(".train", ".dev", ".test", ".testa", ".testb"),  # as in eng.train
)
"""How the names of files with a token a line end."""

CONVERT = "save it as UTF-8 (iconv -f LATIN1 -t UTF-8 converts the usual case)"


def existing(path: str | Path) -> Path:
    """Return the path, or say that it does not exist and which names come nearest.

    Args:
        path: A file or a folder.

    Raises:
        UserError: If there is nothing at this path.
    """
    path = Path(path).expanduser()
    if path.exists():
        return path
    folder = path.parent
    names = sorted(each.name for each in folder.iterdir()) if folder.is_dir() else []
    near = difflib.get_close_matches(path.name, names, n=2, cutoff=0.5)
    to_do = f"did you mean {' or '.join(near)}?" if near else "check the path"
    if not folder.is_dir():
        to_do = f"its folder {folder} does not exist either"
    raise UserError(f"need a file or folder that exists, got {path}; {to_do}")


def decoded(path: str | Path, *, report: Report = refuse) -> str:
    """Read a text file in UTF-8, without its byte order mark.

    Args:
        path: The file.
        report: What to do with a mistake in it: if not to stop at the first, what
            cannot be read becomes U+FFFD.

    Raises:
        UserError: If there is no such file, it is a folder or cannot be read.
        DataError: If it is empty, or at the line that is not UTF-8.
    """
    path = existing(path)
    if path.is_dir():
        raise UserError(f"need a file, got the folder {path}; name a file in it")
    try:
        content = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    if not content.strip():
        report(DataError(path, None, "need some text, got an empty file", "empty"))
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        lines = content.split(b"\n")  # no letter of UTF-8 holds this byte
    for line, letters in enumerate(lines, start=1):
        byte = first_wrong_byte(letters)
        if byte is not None:
            message = f"need UTF-8, got the byte 0x{byte:02x}; {CONVERT}"
            report(DataError(path, line, message, "encoding"))
    return content.decode("utf-8", errors="replace")


def first_wrong_byte(letters: bytes) -> int | None:
    """Find the first byte that is not UTF-8; None if all are."""
    try:
        letters.decode("utf-8")
    except UnicodeDecodeError as error:
        return letters[error.start]
    return None


def is_data_file(path: Path) -> bool:
    """Tell by its name whether a file is one of data; a README is not.

    Args:
        path: The file.
    """
    return path.is_file() and path.name[0] != "." and path.suffix.lower() in SUFFIXES


def files_in(path: str | Path) -> list[Path]:
    """List the data files of a folder by name.

    Args:
        path: The folder.

    Raises:
        UserError: If there is no such folder, it is a file, or it holds no data file.
    """
    path = existing(path)
    if not path.is_dir():
        raise UserError(f"need a folder, got the file {path}")
    files = sorted(file for file in path.iterdir() if is_data_file(file))
    if not files:
        wanted = ", ".join(SUFFIXES)
        raise UserError(f"need files whose names end in {wanted}, got none in {path}")
    return files
