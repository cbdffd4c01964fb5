"""A data set in its three parts, and how to cut one that comes in one piece."""

import hashlib
from dataclasses import dataclass, replace
from itertools import pairwise

from longctx_edu.data.conll import Loaded, together
from longctx_edu.data.documents import Document
from longctx_edu.errors import UserError

SPLITS = ("train", "dev", "test")


@dataclass(frozen=True)
class Splits:
    """A data set in its three parts.

    Args:
        name: Where it comes from.
        train: What a model learns from.
        dev: What decides when to stop, and between settings.
        test: What is looked at once, at the end.
        types: The entity types, in alphabetical order.
        n_repaired: Tags that were changed so that the files could be read.
        note: How the three parts were found.
    """

    name: str
    train: list[Document]
    dev: list[Document]
    test: list[Document]
    types: tuple[str, ...]
    n_repaired: int = 0
    note: str = ""


def splits_of(name: str, parts: dict[str, Loaded], note: str) -> Splits:
    """Put the three parts together and collect the entity types.

    Args:
        name: Where they come from.
        parts: What was read for train, dev and test.
        note: How they were found.
    """
    whole = together(parts.values())
    tags = {tag for document in whole.documents for tag in document.tags}
    return Splits(
        name,
        **{split: parts[split].documents for split in SPLITS},
        types=tuple(sorted({tag[2:] for tag in tags} - {""})),
        n_repaired=whole.n_repaired,
        note=note,
    )


def cut(name: str, loaded: Loaded, *, by_name: bool = False) -> Splits:
    """Cut documents 80/10/10, the same way every time; at least one in each part.

    Documents of a file stay in their order, so that neighbours stay together; a file
    with one document is cut between its sentences. Files of a folder are ordered by
    a hash of their names first, as their names often follow their topic.

    Args:
        name: Where they come from.
        loaded: The documents.
        by_name: Order the documents by a hash of their names.

    Raises:
        UserError: If there are fewer than three documents, or sentences in the one.
    """
    documents, unit = loaded.documents, "documents"
    if len(documents) == 1:
        documents, unit = sentence_documents(documents[0]), "sentences"
    n = len(documents)
    if n < 3:
        raise UserError(
            f"need 3 {unit} at least to cut {name} into train, dev and test, got {n}; "
            "hand in a folder with a file for each"
        )
    if by_name and unit == "documents":
        documents = sorted(documents, key=lambda document: stable_hash(document.name))
    tenth = max(1, round(n / 10))
    bounds = pairwise((0, n - 2 * tenth, n - tenth, n))
    parts = {}
    for split, (start, stop) in zip(SPLITS, bounds, strict=True):
        part = documents[start:stop]
        if unit == "sentences":
            part = [merged(part, f"{name}#{split}")]
        parts[split] = Loaded(part)
    order = "ordered by a hash of their names" if by_name else "in their order"
    note = f"{n} {unit} cut 80/10/10 {order}"
    return replace(splits_of(name, parts, note), n_repaired=loaded.n_repaired)


def sentence_documents(document: Document) -> list[Document]:
    """Part a document into its sentences."""
    bounds = [*document.sentence_starts, len(document)]
    return [
        replace(
            document,
            tokens=document.tokens[start:stop],
            tags=document.tags[start:stop],
            sentence_starts=(0,),
        )
        for start, stop in pairwise(bounds)
    ]


def merged(documents: list[Document], name: str) -> Document:
    """Join documents of one sentence each into one document."""
    tokens, tags, starts = [], [], []
    for document in documents:
        starts.append(len(tokens))
        tokens.extend(document.tokens)
        tags.extend(document.tags)
    return Document(name, tuple(tokens), tuple(tags), tuple(starts))


def stable_hash(name: str) -> str:
    """Return the same letters for the same name in every process."""
    return hashlib.sha256(name.encode()).hexdigest()
