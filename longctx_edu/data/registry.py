"""The data sets that a user has named: one small file for each, in a user folder.

The folder is the first that LONGCTX_DATA names, else the user's own. Names are looked
for in all of them. A file a set: two that are added at the same time do not overwrite
each other.
"""

import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from longctx_edu.data.columns import Layout
from longctx_edu.data.sets import CATALOGUE, DataSet
from longctx_edu.errors import UserError, unknown_name
from longctx_edu.folders import user_folder
from longctx_edu.writing import write_whole

FOLDER = "longctx-data-sets"


@dataclass(frozen=True)
class Registered:
    """A user's own data set.

    Args:
        name: What the user calls it.
        path: Its file or folder.
        layout: How its files are written, with the types that may occur.
        files: Its train, dev and test file; empty where their names tell.
        repair: Whether an `I-` that continues nothing is read as `B-`.
        types: The entity types that were found in it.
        noted_in: The file that says all this.
    """

    name: str
    path: Path
    layout: Layout
    files: tuple[str, ...] = ()
    repair: bool = False
    types: tuple[str, ...] = ()
    noted_in: Path | None = None

    @property
    def known(self) -> DataSet:
        """What is known of it, as an entry of the catalogue says it."""
        return DataSet(
            name=self.name,
            description="your own data",
            licence="your own",
            types=self.types,
            layout=self.layout,
            files=self.files,
        )


def data_folders() -> list[Path]:
    """List the folders that LONGCTX_DATA names."""
    parts = os.environ.get("LONGCTX_DATA", "").split(os.pathsep)
    return [Path(part).expanduser() for part in parts if part]


def places() -> list[Path]:
    """List the folders with the notes on named sets; the first takes new ones."""
    return [folder / FOLDER for folder in [*data_folders(), user_folder()]]


def register(entry: Registered) -> Path:
    """Note a data set, so that its name is enough from now on.

    Args:
        entry: The data set; what was noted under its name is replaced.

    Returns:
        The file that says so.

    Raises:
        UserError: If the name cannot be one.
        OSError: If the file cannot be written.
    """
    need_free_name(entry.name)
    before = registered(entry.name)
    place = before.noted_in if before else places()[0] / f"{entry.name}.json"
    note = {
        "path": str(entry.path.absolute()),
        "layout": asdict(entry.layout),
        "files": entry.files,
        "repair": entry.repair,
        "types": entry.types,
    }
    text = json.dumps(note, indent=2, ensure_ascii=False) + "\n"
    write_whole(place, lambda path: path.write_text(text, encoding="utf-8"))
    return place


def registered(name: str) -> Registered | None:
    """Look up a name; None where no set of this name was added.

    Args:
        name: What the user calls the set.

    Raises:
        UserError: If the note on it cannot be read.
    """
    if not is_name(name):
        return None
    files = (folder / f"{name}.json" for folder in places())
    return next((read_note(file) for file in files if file.is_file()), None)


def all_registered() -> list[Registered]:
    """List the sets that were added, by name; broken notes stay out."""
    found: dict[str, Registered] = {}
    for folder in places():
        for file in sorted(folder.glob("*.json")):
            if file.stem in found or not is_name(file.stem):
                continue
            try:
                found[file.stem] = read_note(file)
            except UserError:  # asking for the set by its name says what is wrong
                continue
    return [found[name] for name in sorted(found)]


def unregister(name: str) -> Path:
    """Forget a name; the data stay where they are.

    Args:
        name: What the user calls the set.

    Returns:
        The file that was removed.

    Raises:
        UserError: If no set of this name was added.
    """
    files = [folder / f"{name}.json" for folder in places()] if is_name(name) else []
    noted = [file for file in files if file.is_file()]
    if not noted:
        if name in CATALOGUE:
            raise UserError(f"need a set that was added, got {name}: it is built in")
        known = [entry.name for entry in all_registered()]
        if not known:
            raise UserError(f"need a set that was added, got {name!r}; there is none")
        raise unknown_name("added data set", name, known)
    noted[0].unlink()
    return noted[0]


def read_note(file: Path) -> Registered:
    """Read the note on a set, or say what to do where it is broken."""
    try:
        note: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        layout = note["layout"]
        return Registered(
            name=file.stem,
            path=Path(note["path"]),
            layout=Layout(**{**layout, "types": tuple(layout["types"])}),
            files=tuple(note["files"]),
            repair=bool(note["repair"]),
            types=tuple(note["types"]),
            noted_in=file,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise UserError(
            f"need a note on a data set in {file}, got a broken one; remove it with: "
            f"longctx data remove {file.stem}"
        ) from None


def is_name(name: str) -> bool:
    """Tell whether a text may name a set, and is no path.

    Args:
        name: What the user would call it.

    Example:
        >>> is_name("lener-br_2"), is_name("data/lener"), is_name("lener.conll")
        (True, False, False)
    """
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", name) is not None


def need_free_name(name: str) -> None:
    """Make sure that a name can be given to a set of the user.

    Args:
        name: What the user would call it.

    Raises:
        UserError: If it is no name, or one of the catalogue.
    """
    if not is_name(name):
        raise UserError(
            f"need a name of letters, digits, - and _, 64 at most, got {name!r}"
        )
    if name in CATALOGUE:
        raise UserError(f"need another name than {name}: a built-in data set has it")
