"""Mistakes of a user, each told in one line."""

import difflib
from typing import Any

from longctx_edu.errors import UserError


def in_one_line(error: Exception) -> str | None:
    """Say what was wrong in one line; None for a fault of the program itself.

    A `ValueError` that says what it needs comes from a check of this library, of a
    number that was handed in; any other is a fault of the program.

    Args:
        error: What was raised.

    Example:
        >>> in_one_line(OSError(28, "No space left on device", "a.json"))
        'cannot use a.json: No space left on device'
        >>> in_one_line(ValueError("need epochs >= 1, got epochs=0"))
        'need epochs >= 1, got epochs=0'
        >>> in_one_line(ValueError("not enough values to unpack")) is None
        True
    """
    is_check = isinstance(error, ValueError) and str(error).startswith("need ")
    if is_check or isinstance(error, UserError):
        said = str(error)
    elif hasattr(error, "option_name") and hasattr(error, "possibilities"):
        said = _no_such_option(error)
    elif hasattr(error, "format_message"):
        said = _wrong_use(error)
    elif isinstance(error, OSError) and error.strerror:
        place = f"cannot use {error.filename}: " if error.filename else ""
        said = place + error.strerror
    else:
        return None
    return " ".join(said.split())


def _wrong_use(error: Any) -> str:
    """Say what the parser says, and which value came."""
    said = error.format_message().rstrip(".")
    if hasattr(error.__cause__, "errors"):  # what checked the value's type
        came = error.__cause__.errors()[0]["input"]
        said = f"{said.partition(', ')[0]}, got {came!r}"
    said = said[:1].lower() + said[1:]
    if getattr(error, "ctx", None) is None:
        return said
    return f"{said}; {error.ctx.command_path} --help shows what it takes"


def _no_such_option(error: Any) -> str:
    """Name the options that come nearest; the parser alone looks at too few."""
    command = error.ctx.command
    known = [name for p in command.params for name in (*p.opts, *p.secondary_opts)]
    bare = {name.lstrip("-"): name for name in [*known, "--help"] if name[0] == "-"}
    wrong = error.option_name.lstrip("-")
    near = [bare[name] for name in difflib.get_close_matches(wrong, bare, n=2)]
    to_do = f"{error.ctx.command_path} --help lists them"
    if near:
        to_do = f"did you mean {' or '.join(near)}?"
    return f"no such option: {error.option_name}; {to_do}"
