"""Load a data set by its name or its path, wherever it is found."""

import os
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from longctx_edu.data.columns import Layout
from longctx_edu.data.conll import Loaded
from longctx_edu.data.cut import SPLITS, Splits, splits_of
from longctx_edu.data.files import existing
from longctx_edu.data.hub import fetch, is_saved, open_saved
from longctx_edu.data.registry import all_registered, data_folders, registered
from longctx_edu.data.rows import read_rows
from longctx_edu.data.sets import CATALOGUE, DataSet, known_set, recognise
from longctx_edu.data.splits import read_splits
from longctx_edu.errors import UserError, unknown_name

GAZETTE_ARTICLES = (400, 50, 50)
"""Articles of the Gazette for train, dev and test, where nothing else is asked for."""


def find(name: str, *, data: str | Path | None = None) -> Path | None:
    """Find the files of a known set on this machine; None where there are none.

    Looks at `data`, then into the folders that the variable LONGCTX_DATA names. Both
    may be the set's own folder or one that holds it under its name.

    Args:
        name: A name of the catalogue.
        data: A file or folder.

    Raises:
        UserError: If the name is unknown, or `data` does not exist.
    """
    known = known_set(name)
    if data is not None:
        path = existing(data)
        return path / name if (path / name).is_dir() else path
    for base in data_folders():
        if (base / name).is_dir():
            return base / name
        if recognise(base) is known:
            return base
    return None


def load(
    name_or_path: str | Path,
    *,
    data: str | Path | None = None,
    layout: Layout | None = None,
    repair: bool = False,
    **dials: Any,
) -> Splits:
    """Load train, dev and test of a known set, or of any file or folder.

    A known set is looked for as `find` says, then in the hub's cache, then on the hub.
    A set that the user has added is read from where it lies.

    Args:
        name_or_path: A name of the catalogue, or of a set that was added, a file or a
            folder.
        data: Where the known set lies.
        layout: How the files are written, where they differ from what is known.
        repair: Read an `I-` that continues nothing as `B-`, and count it.
        dials: For the Gazette alone: `counts` of articles for train, dev and test,
            and what `GazetteConfig` takes: `n_tokens`, `seed`, ...

    Raises:
        UserError: If the name is unknown or nothing is found; the message lists ways.
        DataError: At the first line that cannot be read.
    """
    known, path, own_repair = resolve(str(name_or_path))
    if path is not None and data is not None:
        raise UserError(f"need a path or a name with data, got {path} and {data}")
    if known is not None and known.kind == "gazette":
        if data is not None:
            raise UserError(f"the gazette is made, not read: leave out data={data}")
        return load_gazette(**dials)
    if dials:
        raise UserError(f"only the gazette has dials: leave out {', '.join(dials)}")
    path = path or find(known.name, data=data)
    if path is None:
        return load_from_hub(known, repair=repair)
    return read(path, known, layout, repair=repair or own_repair)


def resolve(name: str) -> tuple[DataSet | None, Path | None, bool]:
    """Find out what a name or a path means.

    Args:
        name: A name of the catalogue, or of a set that was added, or a path.

    Returns:
        What is known of the set, its path, and whether its tags are to be repaired;
        no path for a name of the catalogue.

    Raises:
        UserError: If it is none of these, or an added set is no longer there.
    """
    if name in CATALOGUE:
        return CATALOGUE[name], None, False
    entry = registered(name)
    if entry is None:
        path = path_of(name)
        return recognise(path), path, False
    if not entry.path.exists():
        raise UserError(
            f"need {name} at {entry.path}, where it was added, got nothing there; add "
            f"it again with its new --path, or: longctx data remove {name}"
        )
    return entry.known, entry.path, entry.repair


def read(
    path: Path, known: DataSet | None, layout: Layout | None, *, repair: bool
) -> Splits:
    """Read a file or folder, with what is known of it."""
    name = path.name if known is None else known.name
    if path.is_dir() and is_saved(path):
        types = known.layout.types if known else ()
        splits = read_rows(open_saved(path), name, types=types, repair=repair)
    else:
        layout = layout or (known.layout if known else None)
        files = known.files if known else ()
        splits = read_splits(path, layout, files=files, repair=repair)
    if not splits.types:
        raise UserError(
            f"need an entity in {path}, got the tag O alone; are the tags in another "
            "column (tag_column), or nested in several (nested)?"
        )
    return replace(splits, name=name)


def load_from_hub(known: DataSet, *, repair: bool = False) -> Splits:
    """Load a known set from the hub or its cache, or list the ways to get it.

    Args:
        known: The set.
        repair: Read an `I-` that continues nothing as `B-`, and count it.

    Raises:
        UserError: If it is not to be had.
    """
    reason = "it is not on the hub"
    if known.hub_id is not None:
        try:
            data = fetch(known.hub_id, known.revision)
            return read_rows(data, known.name, types=known.types, repair=repair)
        except UserError:
            raise
        except (OSError, RuntimeError, ValueError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    folders = ", ".join(map(str, data_folders())) or "not set"
    ways = f"hand in --data PATH, or let LONGCTX_DATA (now {folders}) name its folder"
    if known.hub_id is not None:
        ways += f", or connect once so that {known.hub_id} is fetched from the hub"
    raise UserError(f"no data for {known.name}: {reason}; {ways}")


def load_gazette(
    *, counts: tuple[int, int, int] = GAZETTE_ARTICLES, **dials: Any
) -> Splits:
    """Make articles of the Gazette for train, dev and test.

    Args:
        counts: How many articles for each.
        dials: What `GazetteConfig` takes, but for the split.

    Raises:
        UserError: If a dial is unknown.
        ValueError: If a dial is outside its range.
    """
    from longctx_edu.data.gazette import GazetteConfig, articles

    names = {each.name for each in fields(GazetteConfig)} - {"split"}
    for dial in dials:
        if dial not in names:
            raise unknown_name("dial of the gazette", dial, {*names, "counts"})
    parts = {
        split: Loaded(list(articles(GazetteConfig(split=split, **dials), count)))
        for split, count in zip(SPLITS, counts, strict=True)
    }
    return splits_of("gazette", parts, "articles that share no name and few patterns")


def path_of(name: str) -> Path:
    """Read a text that is no known name as a path; refuse it where nothing is there."""
    path = Path(name).expanduser()
    looks_like_path = os.sep in name or path.suffix or name.startswith(("~", "."))
    if not looks_like_path and not path.exists():
        added = (entry.name for entry in all_registered())
        raise unknown_name("data set", name, {*CATALOGUE, *added})
    path = existing(path).resolve()
    # Of a folder with lists of its splits beside, the lists count.
    listed = path.name == "entities" and (path.parent / "splits").is_dir()
    return path.parent if listed else path
