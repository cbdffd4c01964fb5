"""Read files with a token a line, its tags in columns, a blank line after a sentence.

Anything that cannot be read with certainty is refused, with its file and line.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

from longctx_edu.data.columns import Layout, Sentence, sentences_of
from longctx_edu.data.documents import Document
from longctx_edu.data.files import existing, files_in
from longctx_edu.data.schemes import with_scheme
from longctx_edu.data.spans import outermost
from longctx_edu.data.tags import valid_iob2
from longctx_edu.errors import DataError, Report, refuse


@dataclass(frozen=True)
class Loaded:
    """What was read.

    Args:
        documents: The texts, in the order of the file.
        n_repaired: Tags that were changed so that the file could be read.
    """

    documents: list[Document]
    n_repaired: int = 0


def read_conll(
    path: str | Path, layout: Layout | None = None, *, repair: bool = False
) -> Loaded:
    r"""Read a file that holds one document, or several behind `-DOCSTART-` marks.

    Args:
        path: The file, in UTF-8.
        layout: How it is written; if None the token comes first, its tag last.
        repair: Read an `I-` that continues nothing as `B-`, and count it.

    Raises:
        UserError: If there is no such file.
        DataError: At the first line that cannot be read.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "note.conll")
        ...     _ = path.write_text("Ada B-PER\nsings O\n\nShe O\n")
        ...     read_conll(path).documents[0].sentence_starts
        (0, 2)

    Source: The format of Tjong Kim Sang and De Meulder 2003, section 2.
    """
    path = existing(path)
    layout = with_scheme(layout or Layout(), [path], repair=repair)
    groups = grouped(sentences_of(path, layout), layout)
    return documents_of(groups, path, layout, repair=repair)


def read_folder(
    path: str | Path, layout: Layout | None = None, *, repair: bool = False
) -> Loaded:
    """Read a folder with one document a file, in the order of the file names.

    Args:
        path: The folder; files that are no data by their name, as a README, stay out.
        layout: How the files are written; if None as for `read_conll`.
        repair: Read an `I-` that continues nothing as `B-`, and count it.

    Raises:
        UserError: If there is no such folder, or no data file in it.
        DataError: At the first line that cannot be read.
    """
    files = files_in(path)
    layout = with_scheme(layout or Layout(), files, repair=repair)
    return together(read_conll(file, layout, repair=repair) for file in files)


def together(parts: Iterable[Loaded]) -> Loaded:
    """Join what was read from several files.

    Args:
        parts: What each file held.
    """
    parts = list(parts)
    documents = [document for part in parts for document in part.documents]
    return Loaded(documents, sum(part.n_repaired for part in parts))


def grouped(sentences: Iterable[Sentence], layout: Layout) -> Iterator[list[Sentence]]:
    """Put the sentences of a file together that belong to one document.

    Args:
        sentences: What `sentences_of` yields.
        layout: How the file is written.
    """
    group: list[Sentence] = []
    for sentence in sentences:
        if group and (sentence.opens_document or layout.document_per_sentence):
            yield group
            group = []
        group.append(sentence)
    if group:
        yield group


def documents_of(
    groups: Iterable[list[Sentence]],
    path: Path,
    layout: Layout,
    *,
    repair: bool = False,
    report: Report = refuse,
) -> Loaded:
    """Make documents of the sentences of a file.

    Args:
        groups: The sentences of each document.
        path: The file, for its name.
        layout: How it is written; its scheme is known.
        repair: Read an `I-` that continues nothing as `B-`, and count it.
        report: What to do with a mistake in a tag, or with a file without tokens.
    """
    documents, n_repaired = [], 0
    for group in groups:
        tagged = []
        for sentence in group:
            tags, n = sentence_tags(
                sentence, path, layout, repair=repair, report=report
            )
            tagged.append((sentence, tags))
            n_repaired += n
        documents.append(join(path.name, tagged))
    if not documents:
        message = "need at least one token with its tag, got none"
        report(DataError(path, None, message, "empty"))
    if len(documents) > 1:
        documents = [
            replace(document, name=f"{path.name}#{number}")
            for number, document in enumerate(documents, start=1)
        ]
    return Loaded(documents, n_repaired)


def sentence_tags(
    sentence: Sentence,
    path: Path,
    layout: Layout,
    *,
    repair: bool,
    report: Report = refuse,
) -> tuple[list[str], int]:
    """Turn a sentence's layers of tags into one of valid IOB2; count the repaired."""
    columns, n_repaired = [["O"] * len(sentence.tags)], 0
    for tags in sentence.layers():
        if set(tags) == {"O"}:
            continue
        column, n = valid_iob2(
            tags,
            path=path,
            lines=sentence.lines,
            scheme=layout.scheme or "IOB2",
            types=layout.types,
            repair=repair,
            report=report,
        )
        columns.append(column)
        n_repaired += n
    return (outermost(columns) if layout.nested else columns[-1]), n_repaired


def join(name: str, sentences: list[tuple[Sentence, list[str]]]) -> Document:
    """Make one document of sentences and their tags."""
    lengths = [len(sentence.tokens) for sentence, _ in sentences]
    return Document(
        name,
        tokens=tuple(token for sentence, _ in sentences for token in sentence.tokens),
        tags=tuple(tag for _, tags in sentences for tag in tags),
        sentence_starts=tuple(accumulate(lengths[:-1], initial=0)),
    )
