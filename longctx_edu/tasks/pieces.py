"""From documents to pieces that a model reads, and from pieces to batches."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from longctx_edu.chunking import Chunk, align_labels, owner, pack, split
from longctx_edu.data.documents import Document
from longctx_edu.tasks.context import CONTEXTS, sentence_chunks, widened
from longctx_edu.tasks.readers import Reader, Reading

IGNORE = -100
"""The label that the loss leaves out, as torch's cross-entropy does by default."""


@dataclass(frozen=True)
class Cut:
    """How documents are cut, and which tokens are global.

    Args:
        size: Most tokens in a piece, special tokens included; None: never cut.
        overlap: Tokens that neighbouring pieces share. At 0, pieces end where
            sentences end, as far as sentences are known and fit.
        n_global: How many first tokens are global where the document has no lead.
        context: What is read at once, one of `CONTEXTS`. "packed": as many sentences
            as fit. "sentence": one. "document": one, with its neighbours on both sides
            up to the size; these carry no label. A sentence that is longer than the
            size, as a document without sentence starts may be, is cut where it is
            full.

    Raises:
        ValueError: If the size is below 1, the overlap is not smaller, or the context
            is unknown, or has no size, or an overlap.
    """

    size: int | None = None
    overlap: int = 0
    n_global: int = 1
    context: str = "packed"

    def __post_init__(self):
        if self.size is not None and not 0 <= self.overlap < self.size:
            raise ValueError(
                f"need 0 <= overlap < size, got overlap={self.overlap} "
                f"and size={self.size}"
            )
        if self.n_global < 0:
            raise ValueError(f"need n_global >= 0, got {self.n_global}")
        if self.context not in CONTEXTS:
            raise ValueError(
                f"need context in {', '.join(CONTEXTS)}, got {self.context!r}"
            )
        if self.context != "packed" and (self.size is None or self.overlap):
            raise ValueError(
                f"need a size and overlap=0 with context={self.context!r}, "
                f"got size={self.size} and overlap={self.overlap}"
            )


@dataclass(frozen=True)
class Piece:
    """What a model reads at once.

    Args:
        inputs: Model inputs, special tokens included.
        labels: One label a word, at its first token; elsewhere `IGNORE`.
        global_tokens: True for a token that sees all and is seen by all.
        words: The word whose answer this token gives; -1 where it gives none.
        document: Number of the document that it comes from.
    """

    inputs: Int[Tensor, " token *feature"]
    labels: Int[Tensor, " token"]
    global_tokens: Bool[Tensor, " token"]
    words: Int[Tensor, " token"]
    document: int

    def __len__(self) -> int:
        return len(self.inputs)


def pieces_of(
    documents: Sequence[Document], reader: Reader, tags: Sequence[str], cut: Cut
) -> list[Piece]:
    """Cut documents into pieces.

    A word that stands in several pieces gets its answer from the one in which it
    stands farthest from an edge, the maximum-context rule; all of them train it. With
    a context, only the piece of its own sentence does both.

    Args:
        documents: Words with tags.
        reader: How words become inputs.
        tags: The tag that each label number stands for.
        cut: Where to cut.

    Raises:
        ValueError: If a document has a tag that is not among `tags`.
    """
    number = {tag: label for label, tag in enumerate(tags)}
    pieces = []
    for index, document in enumerate(documents):
        reading = reader.read(document.tokens)
        try:
            labels = [number[tag] for tag in document.tags]
        except KeyError as error:
            raise ValueError(
                f"need tags among {', '.join(tags)}, got {error.args[0]!r} "
                f"in {document.name}"
            ) from None
        aligned = align_labels(reading.words.tolist(), labels, ignore_index=IGNORE)
        chunks, owners = _chunks(document, reading, reader, cut)
        is_global = _global_tokens(document, reading, cut)
        for at, chunk in enumerate(chunks):
            here = slice(chunk.start, chunk.stop)
            mine, own = owners[here] == at, torch.tensor(aligned[here])
            if cut.context != "packed":
                own = own.masked_fill(~mine, IGNORE)
            first = own != IGNORE
            if not first.any():  # the middle of a word longer than the size
                continue
            words = reading.words[here].masked_fill(~(first & mine), -1)
            piece = Piece(reading.inputs[here], own, is_global[here], words, index)
            pieces.append(_framed(piece, reader))
    return pieces


def collate(pieces: Sequence[Piece], *, pad: int) -> dict[str, Tensor]:
    """Put pieces side by side, the shorter ones filled up.

    Args:
        pieces: Any pieces.
        pad: The input that fills up a row.
    """

    def rows(name: str, fill: int | bool) -> Tensor:
        columns = [getattr(piece, name) for piece in pieces]
        return pad_sequence(columns, batch_first=True, padding_value=fill)

    lengths = torch.tensor([len(piece) for piece in pieces])
    return {
        "inputs": rows("inputs", pad),
        "keep": torch.arange(int(lengths.max())) < lengths[:, None],
        "global_tokens": rows("global_tokens", False),
        "labels": rows("labels", IGNORE),
    }


def reading_cost(
    pieces: Sequence[Piece], documents: Sequence[Document]
) -> dict[str, int | float]:
    """Say what it costs to read documents once: context is read again and again.

    Args:
        pieces: What `pieces_of` returns.
        documents: What they were cut from.

    Returns:
        Pieces, their tokens, special ones included, and tokens for each word.
    """
    tokens = sum(len(piece) for piece in pieces)
    words = sum(len(document) for document in documents)
    per_word = tokens / words if words else 0.0
    return {"pieces": len(pieces), "tokens": tokens, "per_word": per_word}


def _chunks(
    document: Document, reading: Reading, reader: Reader, cut: Cut
) -> tuple[list[Chunk], Int[Tensor, " token"]]:
    """Say where a document is cut, in tokens of the reader, and who owns each token."""
    n_tokens = len(reading.inputs)
    if n_tokens == 0:
        return [], torch.empty(0, dtype=torch.long)
    if cut.size is None:
        return [Chunk(0, n_tokens)], torch.zeros(n_tokens, dtype=torch.long)
    size = cut.size - len(reader.before) - len(reader.after)
    sentences = torch.tensor(document.sentence_starts, dtype=torch.long)
    starts = torch.searchsorted(reading.words, sentences).tolist()
    if cut.context != "packed":
        chunks = sentence_chunks(n_tokens, starts=starts, size=size)
        owners = owner(chunks)
        if cut.context == "document":
            chunks = [widened(each, n_tokens=n_tokens, size=size) for each in chunks]
        return chunks, owners
    if cut.overlap:
        chunks = split(n_tokens, size=size, overlap=cut.overlap)
    else:
        chunks = pack(n_tokens, starts=starts, size=size)
    return chunks, owner(chunks)


def _global_tokens(
    document: Document, reading: Reading, cut: Cut
) -> Bool[Tensor, " token"]:
    """Choose the lead, or the first tokens of a document without one."""
    if document.lead:
        return reading.words < document.lead
    return torch.arange(len(reading.words)) < cut.n_global


def _framed(piece: Piece, reader: Reader) -> Piece:
    """Put the special tokens around a piece; they are global where there are some."""
    before, after = len(reader.before), len(reader.after)
    if before + after == 0:
        return piece

    def around(x: Tensor, first: int | bool, last: int | bool) -> Tensor:
        return torch.cat([x.new_full((before,), first), x, x.new_full((after,), last)])

    return Piece(
        torch.cat([reader.before, piece.inputs, reader.after]),
        around(piece.labels, IGNORE, IGNORE),
        around(piece.global_tokens, True, False),
        around(piece.words, -1, -1),
        piece.document,
    )
