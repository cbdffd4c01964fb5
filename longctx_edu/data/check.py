"""Check data for named entities, and say what is wrong with them by file and line.

The readers are those that training uses: they tell each mistake and go on, where
training stops at the first.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from longctx_edu.data.catalogue import path_of
from longctx_edu.data.columns import Layout
from longctx_edu.data.conll import Loaded, together
from longctx_edu.data.cut import SPLITS, cut, splits_of
from longctx_edu.data.file_check import LONG_SENTENCE, FileCheck
from longctx_edu.data.findings import Findings
from longctx_edu.data.hub import is_saved, open_saved
from longctx_edu.data.rows import read_rows
from longctx_edu.data.sets import recognise
from longctx_edu.data.split_check import SplitSummary, check_splits, summary
from longctx_edu.data.splits import WHOLE, arranged
from longctx_edu.errors import UserError


@dataclass(frozen=True)
class Checked:
    """What a check has found out.

    Args:
        path: The file or folder.
        layout: How its files are written, with the scheme of their tags.
        files: Its train, dev and test file, where they are known by their names.
        repair: Whether an `I-` that continues nothing was read as `B-`.
        note: How train, dev and test were found.
        n_repaired: Tags that were changed so that the files could be read.
        types: The entity types that stand in it.
        splits: What is in each split.
        findings: What is wrong.
    """

    path: Path
    layout: Layout
    files: tuple[str, ...]
    repair: bool
    note: str
    n_repaired: int
    types: tuple[str, ...]
    splits: dict[str, SplitSummary]
    findings: Findings

    @property
    def is_usable(self) -> bool:
        """Whether nothing forbids to train on it."""
        return self.findings.count("error") == 0


def check(
    path: str | Path,
    layout: Layout | None = None,
    *,
    repair: bool = False,
    long_sentence: int = LONG_SENTENCE,
    limit: int = 50,
) -> Checked:
    """Read a data set to its end, and note all that is wrong.

    Args:
        path: A file or folder, arranged in any way that `read_splits` knows.
        layout: How the files are written, with the types that may occur; if None as
            for `load`.
        repair: Read an `I-` that continues nothing as `B-`, and count it.
        long_sentence: Words above which a sentence is pointed at.
        limit: How many findings of each level to keep; the rest are counted.

    Raises:
        UserError: If there is nothing at this path.
    """
    if long_sentence < 1:
        raise UserError(f"need long_sentence >= 1, got {long_sentence}")
    path = path_of(str(Path(path).expanduser().absolute()))
    known, findings = recognise(path), Findings(limit)
    layout = layout or (known.layout if known else Layout())
    files = known.files if known and path.is_dir() else ()
    files_check = FileCheck(layout, repair, long_sentence, findings)
    if path.is_dir() and is_saved(path):
        parts, note = saved_parts(path, files_check)
    else:
        parts, note = read_parts(path, files, files_check)
    parts = {split: parts.get(split, Loaded([])) for split in SPLITS}
    documents = {split: part.documents for split, part in parts.items()}
    check_splits(documents, layout.types, files_check.places, findings)
    return Checked(
        path=path,
        layout=files_check.layout,
        files=files,
        repair=repair,
        note=note,
        n_repaired=sum(part.n_repaired for part in parts.values()),
        types=splits_of("", parts, "").types,
        splits={split: summary(documents[split]) for split in SPLITS},
        findings=findings,
    )


def read_parts(
    path: Path, files: tuple[str, ...], check: FileCheck
) -> tuple[dict[str, Loaded], str]:
    """Read all files, and put together what belongs to each split.

    Args:
        path: The file or folder.
        files: The names of the train, dev and test file, where they are known.
        check: How to read a file, and where to note what is wrong.

    Returns:
        What was read for each split that is there, and how the splits were found.
    """
    findings = check.findings
    try:
        found = arranged(path, files, report=findings.report)
    except UserError as error:
        findings.report(error)
        return {}, "nothing was found"
    check.find_scheme([file for part in found.files.values() for file in part])
    parts = {
        split: together(map(check.read, part)) for split, part in found.files.items()
    }
    for split, part in found.files.items():
        if len(part) == 1:
            check.point_at_one_document(part[0], parts[split].documents)
    if WHOLE not in parts:
        return parts, found.note
    try:
        splits = cut(path.name, parts[WHOLE], by_name=path.is_dir())
    except UserError as error:
        if parts[WHOLE].documents:
            findings.report(error)
        return {"train": parts[WHOLE]}, "not cut"
    message = (
        "no files or folders named train, dev and test: what is there is cut by "
        f"itself, the same way every time ({splits.note})"
    )
    findings.add("note", "splits", message, path)
    cuts = {split: Loaded(getattr(splits, split)) for split in SPLITS}
    cuts["train"] = replace(cuts["train"], n_repaired=splits.n_repaired)
    return cuts, splits.note


def saved_parts(path: Path, check: FileCheck) -> tuple[dict[str, Loaded], str]:
    """Read what `datasets` saved, up to its first mistake.

    Args:
        path: The folder.
        check: What to do with tags, and where to note what is wrong.
    """
    types = check.layout.types
    try:
        splits = read_rows(
            open_saved(path), path.name, types=types, repair=check.repair
        )
    except UserError as error:
        check.findings.report(error)
        return {}, "saved by datasets; read up to the first mistake"
    parts = {split: Loaded(getattr(splits, split)) for split in SPLITS}
    parts["train"] = replace(parts["train"], n_repaired=splits.n_repaired)
    return parts, splits.note
