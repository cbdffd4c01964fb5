"""How much of its document a sentence is read with."""

from collections.abc import Sequence
from itertools import pairwise

from longctx_edu.chunking import Chunk, pack

CONTEXTS = ("packed", "sentence", "document")
"""What is read at once. "packed": as many sentences as fit, all of them labelled.
"sentence": one sentence alone. "document": one sentence, which is labelled, with its
neighbours in the document, which are not."""


def sentence_chunks(n_tokens: int, *, starts: Sequence[int], size: int) -> list[Chunk]:
    """Part a document into its sentences, each one cut where it is longer than `size`.

    A document without sentence starts is one sentence. An empty sentence is none.

    Args:
        n_tokens: Length of the document, in tokens.
        starts: First token of each sentence, in any order; 0 may be left out.
        size: Most tokens in a chunk.

    Raises:
        ValueError: If the size is below 1, or a sentence starts outside the document.

    Example:
        >>> chunks = sentence_chunks(9, starts=[0, 2], size=4)
        >>> [(chunk.start, chunk.stop) for chunk in chunks]
        [(0, 2), (2, 6), (6, 9)]
    """
    if not all(0 <= start <= n_tokens for start in starts):
        raise ValueError(f"need starts within {n_tokens} tokens, got {list(starts)}")
    edges = sorted({0, *starts, n_tokens})
    return [
        Chunk(first + part.start, first + part.stop)
        for first, stop in pairwise(edges)
        for part in pack(stop - first, starts=(), size=size)
    ]


def widened(chunk: Chunk, *, n_tokens: int, size: int) -> Chunk:
    """Take in as many neighbours of a chunk as fit, half of them on each side.

    What one side cannot use, because the document ends, goes to the other. Of an odd
    number, the one more stands before the chunk.

    Args:
        chunk: A stretch of the document.
        n_tokens: Length of the document, in tokens.
        size: Most tokens in what is returned.

    Raises:
        ValueError: If the chunk is longer than the size, or ends outside the document.

    Example:
        >>> widened(Chunk(4, 6), n_tokens=10, size=7)  # 3 before, 2 after
        Chunk(start=1, stop=8)
        >>> widened(Chunk(8, 10), n_tokens=10, size=7)  # 5 before
        Chunk(start=3, stop=10)

    Source: Devlin et al. 2019, section 5.3 (the most context that the data offers);
    Schweter and Akbik 2020 (FLERT), section 2.
    """
    if len(chunk) > size or chunk.stop > n_tokens:
        raise ValueError(
            f"need a chunk of at most {size} tokens within {n_tokens}, "
            f"got {chunk.start} to {chunk.stop}"
        )
    before = (size - len(chunk) + 1) // 2
    start = max(0, min(chunk.start - before, n_tokens - size))
    return Chunk(start, min(start + size, n_tokens))
