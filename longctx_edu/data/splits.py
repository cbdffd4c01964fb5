"""Find train, dev and test in a folder or a file, whichever way it is arranged."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from longctx_edu.data.columns import Layout
from longctx_edu.data.conll import read_conll, together
from longctx_edu.data.cut import SPLITS, Splits, cut, splits_of
from longctx_edu.data.files import decoded, existing, files_in, is_data_file
from longctx_edu.data.schemes import with_scheme
from longctx_edu.errors import DataError, Report, UserError, refuse

WORDS = {"train": "train", "test": "test", "testb": "test"} | dict.fromkeys(
    ("dev", "devel", "val", "valid", "validation", "testa"), "dev"
)
"""The words in the name of a file or a folder that say which split it holds."""

WHOLE = ""
"""Stands for the split of files that are to be cut."""


@dataclass(frozen=True)
class Arrangement:
    """Which files make which split.

    Args:
        files: The files of train, dev and test; all under WHOLE where they are to be
            cut.
        note: How they were found.
    """

    files: dict[str, list[Path]]
    note: str = ""


def read_splits(
    path: str | Path,
    layout: Layout | None = None,
    *,
    files: Sequence[str] = (),
    repair: bool = False,
) -> Splits:
    """Read train, dev and test from a folder, or cut them from one file.

    A folder is understood in four arrangements: lists of file names in
    `splits/train.ids`, `dev.ids` and `test.ids` beside the files in `entities/`;
    folders `train/`, `dev/` and `test/` with one document a file; three files with
    train, dev (or valid, testa) and test (or testb) in their names; else one document
    a file, cut 80/10/10. A single file is cut 80/10/10 as well.

    Args:
        path: The folder or the file.
        layout: How the files are written; if None as for `read_conll`.
        files: The names of the train, dev and test file, where they are known.
        repair: Read an `I-` that continues nothing as `B-`, and count it.

    Raises:
        UserError: If something is missing; the message says what.
        DataError: At the first line that cannot be read.
    """
    path = existing(path)
    found = arranged(path, files)
    every = [file for part in found.files.values() for file in part]
    layout = with_scheme(layout or Layout(), every, repair=repair)
    parts = {
        split: together(read_conll(file, layout, repair=repair) for file in part)
        for split, part in found.files.items()
    }
    if WHOLE in parts:
        splits = cut(path.name, parts[WHOLE], by_name=path.is_dir())
    else:
        splits = splits_of(path.name, parts, found.note)
    if layout.scheme == "IOB2":
        return splits
    return replace(splits, note=f"{splits.note}; tags in {layout.scheme}")


def arranged(
    path: Path, files: Sequence[str] = (), *, report: Report = refuse
) -> Arrangement:
    """Find out which files of a folder make which split.

    Args:
        path: The folder, or one file.
        files: The names of the train, dev and test file, where they are known.
        report: What to do where something is missing: if not to stop, it stays out.
    """
    if path.is_file():
        return Arrangement({WHOLE: [path]})
    if files:
        found = {s: existing(path / f) for s, f in zip(SPLITS, files, strict=True)}
    elif (path / "splits").is_dir():
        return Arrangement(listed(path, report=report), "as listed in splits/")
    else:
        found = named_by_split(path, report=report)
    if not found:
        return Arrangement({WHOLE: files_in(path)})
    parts = {}
    for split, place in found.items():
        try:
            parts[split] = files_in(place) if place.is_dir() else [place]
        except UserError as error:
            report(error)
    note = ", ".join(f"{split}: {place.name}" for split, place in found.items())
    return Arrangement(parts, note)


def named_by_split(folder: Path, *, report: Report = refuse) -> dict[str, Path]:
    """Find the file or folder of each split by its name.

    Args:
        folder: Where to look.
        report: What to do where a split is missing, or stands there twice.

    Raises:
        UserError: If two stand for one split, or only some splits are there and
            nothing else.

    Returns:
        Those that are there, or nothing where the names speak of no splits.
    """
    inside = sorted(p for p in folder.iterdir() if p.is_dir() or is_data_file(p))
    found: dict[str, list[Path]] = {split: [] for split in SPLITS}
    for path in inside:
        words = re.split(r"[^a-z]+", path.name.lower())
        for split in {WORDS[word] for word in words if word in WORDS}:
            found[split].append(path)
    missing = [split for split in SPLITS if not found[split]]
    n_named = sum(map(len, found.values()))
    if missing and n_named < len(inside):
        return {}
    if missing:
        there = ", ".join(path.name for path in inside) or "nothing"
        message = (
            f"need files or folders named train, dev and test in {folder}, got "
            f"{there}; add {' and '.join(missing)}"
        )
        report(UserError(message))
    for split, paths in found.items():
        if len(paths) > 1:
            both = " and ".join(path.name for path in paths)
            message = f"need one {split} file in {folder}, got {both}; keep one"
            report(UserError(message))
    return {split: paths[0] for split, paths in found.items() if paths}


def listed(folder: Path, *, report: Report = refuse) -> dict[str, list[Path]]:
    """Find the files of `entities/` that the lists in `splits/` name for each split."""
    names = {file.name for file in existing(folder / "entities").iterdir()}
    parts = {}
    for split in SPLITS:
        ids, parts[split] = folder / "splits" / f"{split}.ids", []
        try:
            lines = decoded(ids, report=report).split("\n")
        except UserError as error:
            report(error)
            continue
        for line, text in enumerate(lines, start=1):
            name = text.strip()
            if name and name not in names:
                message = f"need the name of a file in entities/, got {name!r}"
                report(DataError(ids, line, message, "splits"))
            elif name:
                parts[split].append(folder / "entities" / name)
    return parts
