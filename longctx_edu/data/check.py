"""Check data for named entities, and say what is wrong with them by file and line.

The readers are those that training uses: they tell each mistake and go on, where
training stops at the first.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from longctx_edu.data.catalogue import path_of
from longctx_edu.data.columns import DOCUMENT_MARK, Layout, sentences_of
from longctx_edu.data.conll import Loaded, documents_of, grouped, together
from longctx_edu.data.cut import SPLITS, cut, splits_of
from longctx_edu.data.documents import Document
from longctx_edu.data.files import decoded
from longctx_edu.data.findings import Findings
from longctx_edu.data.hub import is_saved, open_saved
from longctx_edu.data.rows import read_rows
from longctx_edu.data.schemes import scheme_of, tag_evidence, with_scheme
from longctx_edu.data.sets import recognise
from longctx_edu.data.splits import WHOLE, Arrangement, arranged
from longctx_edu.data.split_check import Places, SplitSummary, check_splits, summary
from longctx_edu.errors import UserError

LONG_SENTENCE = 1000  # words; where a sentence has more, its ends are not marked


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
    places: Places = {}
    if path.is_dir() and is_saved(path):
        parts, note = saved_parts(path, layout, findings, repair=repair)
    else:
        found = arrangement(path, files, findings)
        asked = layout
        layout = with_scheme(layout, every_file(found), repair=repair)
        check_schemes(found, asked, layout, findings, repair=repair)
        parts = {
            split: together(
                read_file(file, layout, findings, places, repair, long_sentence)
                for file in part
            )
            for split, part in found.files.items()
        }
        point_at_whole_files(found, parts, layout, findings)
        parts, note = cut_where_whole(path, parts, found.note, findings)
    documents = {split: part.documents for split, part in parts.items()}
    check_splits(documents, layout.types, places, findings)
    return Checked(
        path=path,
        layout=layout,
        files=files,
        repair=repair,
        note=note,
        n_repaired=sum(part.n_repaired for part in parts.values()),
        types=splits_of("", {s: parts.get(s, Loaded([])) for s in SPLITS}, "").types,
        splits={split: summary(documents[split]) for split in documents},
        findings=findings,
    )
