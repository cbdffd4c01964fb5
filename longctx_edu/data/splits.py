"""Find train, dev and test in a folder or a file, whichever way it is arranged."""

import re
from collections.abc import Sequence
from pathlib import Path

from longctx_edu.data.columns import Layout
from longctx_edu.data.conll import read_conll, read_folder, together
from longctx_edu.data.cut import SPLITS, Splits, cut, splits_of
from longctx_edu.data.files import decoded, existing, is_data_file
from longctx_edu.errors import DataError, UserError

WORDS = {"train": "train", "test": "test", "testb": "test"} | dict.fromkeys(
    ("dev", "devel", "val", "valid", "validation", "testa"), "dev"
)
"""The words in the name of a file or a folder that say which split it holds."""


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
    if path.is_file():
        return cut(path.name, read_conll(path, layout, repair=repair))
    if files:
        found = {s: existing(path / f) for s, f in zip(SPLITS, files, strict=True)}
    elif (path / "splits").is_dir():
        return read_listed(path, layout, repair=repair)
    else:
        found = named_by_split(path)
    if found:
        parts = {}
        for split in SPLITS:
            read = read_folder if found[split].is_dir() else read_conll
            parts[split] = read(found[split], layout, repair=repair)
        note = ", ".join(f"{split}: {found[split].name}" for split in SPLITS)
        return splits_of(path.name, parts, note)
    loaded = read_folder(path, layout, repair=repair)
    return cut(path.name, loaded, by_name=True)


def named_by_split(folder: Path) -> dict[str, Path]:
    """Find the file or folder of each split by its name.

    Args:
        folder: Where to look.

    Raises:
        UserError: If two stand for one split, or only some splits are there and
            nothing else.

    Returns:
        All three, or nothing where the names speak of no splits.
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
        raise UserError(
            f"need files or folders named train, dev and test in {folder}, got "
            f"{there}; add {' and '.join(missing)}"
        )
    for split, paths in found.items():
        if len(paths) > 1:
            both = " and ".join(path.name for path in paths)
            raise UserError(f"need one {split} file in {folder}, got {both}; keep one")
    return {split: paths[0] for split, paths in found.items()}


def read_listed(folder: Path, layout: Layout | None, *, repair: bool) -> Splits:
    """Read the files of `entities/` as the lists in `splits/` divide them."""
    names = {file.name for file in existing(folder / "entities").iterdir()}
    parts = {}
    for split in SPLITS:
        ids, loaded = folder / "splits" / f"{split}.ids", []
        for line, text in enumerate(decoded(ids).split("\n"), start=1):
            name = text.strip()
            if name and name not in names:
                raise DataError(
                    ids, line, f"need the name of a file in entities/, got {name!r}"
                )
            if name:
                file = folder / "entities" / name
                loaded.append(read_conll(file, layout, repair=repair))
        parts[split] = together(loaded)
    return splits_of(folder.name, parts, "as listed in splits/")
