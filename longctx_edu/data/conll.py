"""Read files with a token a line, its tags in columns, a blank line after a sentence.

Anything that cannot be read with certainty is refused, with its file and line.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from longctx_edu.data.columns import Layout, Sentence, sentences_of
from longctx_edu.data.documents import Document
from longctx_edu.data.files import existing, files_in
from longctx_edu.data.tags import outermost, valid_iob2
from longctx_edu.errors import DataError


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
        layout: How it is written; if None the token comes first, its IOB2 tag last.
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
    path, layout = existing(path), layout or Layout()
    groups: list[list[tuple[Sentence, list[str]]]] = []
    n_repaired = 0
    for sentence in sentences_of(path, layout):
        tags, n = sentence_tags(sentence, path, layout, repair=repair)
        n_repaired += n
        if not groups or sentence.opens_document or layout.document_per_sentence:
            groups.append([])
        groups[-1].append((sentence, tags))
    if not groups:
        raise DataError(path, None, "need at least one token with its tag, got none")
    names = [path.name]
    if len(groups) > 1:
        names = [f"{path.name}#{number}" for number in range(1, len(groups) + 1)]
    documents = [join(name, group) for name, group in zip(names, groups, strict=True)]
    return Loaded(documents, n_repaired)


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
    return together(read_conll(f, layout, repair=repair) for f in files_in(path))


def together(parts: Iterable[Loaded]) -> Loaded:
    """Join what was read from several files.

    Args:
        parts: What each file held.
    """
    parts = list(parts)
    documents = [document for part in parts for document in part.documents]
    return Loaded(documents, sum(part.n_repaired for part in parts))


def sentence_tags(
    sentence: Sentence, path: Path, layout: Layout, *, repair: bool
) -> tuple[list[str], int]:
    """Turn a sentence's layers of tags into one of valid IOB2; count the repaired.

    A line with fewer layers than its neighbours is outside all entities of the others.
    """
    depth = max(len(layers) for layers in sentence.tags)
    columns, n_repaired = [["O"] * len(sentence.tags)], 0
    for layer in range(depth):
        tags = [tags[layer] if layer < len(tags) else "O" for tags in sentence.tags]
        if set(tags) == {"O"}:
            continue
        column, n = valid_iob2(
            tags,
            path=path,
            lines=sentence.lines,
            scheme=layout.scheme,
            types=layout.types,
            repair=repair,
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
