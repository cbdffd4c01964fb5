"""Where the package keeps what belongs to a user: named data sets, progress."""

import os
import sys
from pathlib import Path


def user_folder() -> Path:
    """Return the folder for a user's own files; it need not be there yet.

    It is the one that LONGCTX_HOME names, else the platform's own for the data of
    programs.
    """
    home, chosen = Path.home(), os.environ.get("LONGCTX_HOME")
    if chosen:
        return Path(chosen).expanduser()
    given = os.environ.get("XDG_DATA_HOME")
    if given:
        base = Path(given)
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        base = home / ".local" / "share"
    return base / "longctx"
