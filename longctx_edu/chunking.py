"""Cut a long document into chunks that a short model reads, and put it together again.

A token near a chunk's edge sees few neighbours. Chunks therefore overlap, and each
token's result comes from the chunk in which it has the most context.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Int, Shaped
from torch import Tensor


@dataclass(frozen=True)
class Chunk:
    """A piece of a document that the model reads on its own.

    Args:
        start: First token, counted from 0 in the document.
        stop: The token after the last one.
    """

    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


def split(n_tokens: int, *, size: int, overlap: int = 0) -> list[Chunk]:
    """Cover a document with chunks of `size` tokens, neighbours sharing `overlap`.

    The last chunk is moved back until it is full, so it may share more. A document
    no longer than `size` is one chunk.

    Args:
        n_tokens: Length of the document, in tokens.
        size: Length of a chunk, in tokens.
        overlap: Tokens that neighbours share; the step is `size - overlap`.

    Raises:
        ValueError: If the document is empty or the overlap leaves no step forward.

    Example:
        >>> [(chunk.start, chunk.stop) for chunk in split(9, size=4, overlap=1)]
        [(0, 4), (3, 7), (5, 9)]

    Source: The sliding window over long questions' contexts, Devlin et al. 2019, the
    code released with section 4.2. Built in lesson 04.
    """
    if n_tokens < 1:
        raise ValueError(f"need n_tokens >= 1, got n_tokens={n_tokens}")
    if not 0 <= overlap < size:
        raise ValueError(
            f"need 0 <= overlap < size, got overlap={overlap} and size={size}"
        )
    last = max(0, n_tokens - size)
    starts = [*range(0, last, size - overlap), last]
    return [Chunk(start, min(start + size, n_tokens)) for start in starts]


def pack(n_tokens: int, *, starts: Sequence[int], size: int) -> list[Chunk]:
    """Cover a document with chunks of whole sentences, as many as fit into `size`.

    A sentence longer than `size` is cut where it is full. Chunks share no token.

    Args:
        n_tokens: Length of the document, in tokens.
        starts: First token of each sentence, ascending; 0 may be left out.
        size: Most tokens in a chunk.

    Raises:
        ValueError: If the document is empty, the size is below 1, or a sentence
            starts outside the document or before the one in front of it.

    Example:
        >>> chunks = pack(9, starts=[0, 3, 5], size=6)
        >>> [(chunk.start, chunk.stop) for chunk in chunks]
        [(0, 5), (5, 9)]

    Source: Full sentences packed up to the window: RoBERTa (Liu et al. 2019),
    section 4.2. Built in lesson 04.
    """
    if n_tokens < 1 or size < 1:
        raise ValueError(
            f"need n_tokens >= 1 and size >= 1, got n_tokens={n_tokens} and size={size}"
        )
    edges = [0, *(start for start in starts if start != 0), n_tokens]
    if any(start > stop for start, stop in pairwise(edges)):
        raise ValueError(
            f"need ascending starts within {n_tokens} tokens, got {list(starts)}"
        )
    chunks, start = [], 0
    for sentence, stop in pairwise(edges):
        if stop - start > size and sentence > start:
            chunks.append(Chunk(start, sentence))
            start = sentence
        while stop - start > size:
            chunks.append(Chunk(start, start + size))
            start += size
    return [*chunks, Chunk(start, n_tokens)]


def owner(chunks: Sequence[Chunk]) -> Int[Tensor, " token"]:
    """Say for each token which chunk gives it the most context on its poorer side.

    The distance to the nearer edge of the chunk decides; a tie goes to the earlier
    chunk. The document's own two ends are no edges: nothing is cut off there.

    Args:
        chunks: Pieces that together cover the document from token 0.

    Raises:
        ValueError: If a token lies in no chunk.

    Example:
        >>> owner([Chunk(0, 4), Chunk(2, 6)]).tolist()
        [0, 0, 0, 1, 1, 1]

    Source: The maximum-context rule of the question answering code of Devlin et al.
    2019. There the document's ends count as edges, which decides nothing unless one
    chunk lies within another. Built in lesson 04.
    """
    n_tokens = max((chunk.stop for chunk in chunks), default=0)
    most = torch.full((n_tokens,), -1)
    owners = torch.zeros(n_tokens, dtype=torch.long)
    for number, chunk in enumerate(chunks):
        position = torch.arange(chunk.start, chunk.stop)
        no_edge = torch.full_like(position, n_tokens)
        before = position - chunk.start if chunk.start > 0 else no_edge
        after = chunk.stop - 1 - position if chunk.stop < n_tokens else no_edge
        context = torch.minimum(before, after)
        better = position[context > most[position]]
        most[better] = context[better - chunk.start]
        owners[better] = number
    if n_tokens == 0 or (most < 0).any():
        token = 0 if n_tokens == 0 else int((most < 0).nonzero()[0])
        raise ValueError(f"need chunks that cover every token, got none for {token}")
    return owners


def stitch(
    pieces: Sequence[Shaped[Tensor, " _ *rest"]], chunks: Sequence[Chunk]
) -> Shaped[Tensor, " token *rest"]:
    """Join the chunks' results: each token's row comes from the chunk that owns it.

    Args:
        pieces: One tensor a chunk, one row a token, padding already cut off.
        chunks: Where the pieces stand in the document.

    Raises:
        ValueError: If pieces and chunks differ in number or in length.

    Example:
        >>> chunks = [Chunk(0, 4), Chunk(2, 6)]
        >>> first, second = torch.tensor([0, 1, 2, -3]), torch.tensor([-2, 3, 4, 5])
        >>> stitch([first, second], chunks).tolist()
        [0, 1, 2, 3, 4, 5]

    Source: Devlin et al. 2019, as `owner`. Built in lesson 04.
    """
    if len(pieces) != len(chunks):
        raise ValueError(
            f"need one piece a chunk, got {len(pieces)} pieces and {len(chunks)} chunks"
        )
    for number, (piece, chunk) in enumerate(zip(pieces, chunks, strict=True)):
        if len(piece) != len(chunk):
            raise ValueError(
                f"need one row a token of the chunk, got {len(piece)} rows in piece "
                f"{number} and {len(chunk)} tokens in its chunk"
            )
    owners = owner(chunks)
    lengths = torch.tensor([len(chunk) for chunk in chunks])
    starts = torch.tensor([chunk.start for chunk in chunks])
    first_row = lengths.cumsum(0) - lengths  # of each chunk among all rows
    rows = torch.arange(len(owners)) - starts[owners] + first_row[owners]
    joined = torch.cat(list(pieces))
    return joined[rows.to(joined.device)]


def align_labels(
    word_ids: Sequence[int | None],
    labels: Sequence[int],
    *,
    ignore_index: int = -100,
    every_piece: bool = False,
) -> list[int]:
    """Give the pieces of a word its label: the first piece alone, or every one.

    Pieces without a word, such as [CLS] and padding, get `ignore_index`, which the
    loss leaves out.

    Args:
        word_ids: For each piece the number of its word; None where it has none.
        labels: One label a word.
        ignore_index: The label that the loss leaves out.
        every_piece: Label the later pieces of a word as well.

    Raises:
        ValueError: If a piece belongs to a word that has no label.

    Example:
        >>> align_labels([None, 0, 1, 1, None], [7, 3])
        [-100, 7, 3, -100, -100]

    Source: Devlin et al. 2019, section 5.3: the first piece of a word stands for it.
    Built in lesson 09.
    """
    aligned, previous = [], None
    for word in word_ids:
        if word is not None and not 0 <= word < len(labels):
            raise ValueError(
                f"need a label for every word, got word {word} and {len(labels)} labels"
            )
        counts = word is not None and (every_piece or word != previous)
        aligned.append(labels[word] if counts else ignore_index)
        previous = word
    return aligned
