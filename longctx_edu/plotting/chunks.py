"""Chunks: which tokens each of them reads, and for which of them it answers."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Int
from matplotlib.axes import Axes
from torch import Tensor

from longctx_edu.plotting.squares import SHADES, square
from longctx_edu.plotting.style import describe, label_axes


@runtime_checkable
class Piece(Protocol):
    """A piece of a document: its first token, and the token after its last."""

    start: int
    stop: int


def plot_chunks(
    chunks: Sequence[Piece],
    *,
    owners: Int[Tensor, " token"] | None = None,
    ax: Axes | None = None,
    title: str = "",
) -> Axes:
    """Draw a row for each chunk: dark where it answers, pale blue where it only reads.

    Args:
        chunks: Pieces of one document.
        owners: The chunk that answers for each token; without them every token that
            is read is dark.
        ax: Where to draw; a new figure by default.
        title: Above the rows.

    Raises:
        ValueError: If there is no chunk, or not one owner a token.

    Example:
        >>> from longctx_edu.chunking import owner, split
        >>> chunks = split(6, size=4, overlap=2)
        >>> plot_chunks(chunks, owners=owner(chunks)).figure.alt
        '2 chunks over 6 tokens, which are read 8 times.'
    """
    n_tokens = max((chunk.stop for chunk in chunks), default=0)
    if n_tokens == 0 or (owners is not None and len(owners) != n_tokens):
        came = "none" if owners is None else len(owners)
        raise ValueError(
            f"need chunks and an owner for each of their {n_tokens} tokens, got "
            f"{len(chunks)} chunks and owners for {came}"
        )
    shades = torch.zeros(len(chunks), n_tokens)
    for row, chunk in zip(shades, chunks, strict=True):
        row[chunk.start : chunk.stop] = 1.0 if owners is None else 0.5
    if owners is not None:
        shades[owners, torch.arange(n_tokens)] = 1.0
    ax = square(shades, SHADES, 1.0, ax)
    ax.set_xticks(range(0, n_tokens, 1 if n_tokens <= 16 else max(1, n_tokens // 8)))
    ax.set_yticks(range(len(chunks)))
    label_axes(ax, "place in the document (token)", "chunk")
    read = sum(chunk.stop - chunk.start for chunk in chunks)
    said = f"{len(chunks)} chunks over {n_tokens} tokens, which are read {read} times."
    return describe(ax, title, said)
