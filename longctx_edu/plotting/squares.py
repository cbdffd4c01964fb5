"""Squares of numbers: masks, weights, and which label was taken for which."""

from collections.abc import Sequence

from jaxtyping import Bool, Float, Int
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, ListedColormap
from torch import Tensor

from longctx_edu.plotting.style import (
    DARK,
    INK,
    LIGHT,
    describe,
    label_axes,
    on,
    words_below,
)

TWO = ListedColormap([LIGHT, DARK])
SHADES = LinearSegmentedColormap.from_list("shades", [LIGHT, "#7FB8D8", DARK])
COUNTABLE = 24  # more squares a side than this get no lines between them
WRITTEN = 12  # more squares a side than this get no numbers


def plot_mask(
    mask: Bool[Tensor, "query key"],
    *,
    ax: Axes | None = None,
    title: str = "",
    tokens: Sequence[str] | None = None,
) -> Axes:
    """Draw a mask: dark where the query may look at the key.

    Args:
        mask: True where the query may look.
        ax: Where to draw; a new figure by default.
        title: Above the square.
        tokens: Words to write at the rows and columns instead of numbers.

    Raises:
        ValueError: If there are words for another number of keys.

    Example:
        >>> import torch
        >>> ax = plot_mask(torch.eye(3, dtype=torch.bool), title="itself")
        >>> ax.get_xlabel(), ax.get_ylabel()
        ('key (token)', 'query (token)')
    """
    n_query, n_key = mask.shape
    ax = square(mask.int(), TWO, 1.0, ax)
    name_tokens(ax, n_query, n_key, tokens)
    seen = int(mask.sum())
    return describe(ax, title, f"mask, {seen} of {n_query * n_key} squares dark.")


def plot_weights(
    weights: Float[Tensor, "query key"],
    *,
    ax: Axes | None = None,
    title: str = "",
    tokens: Sequence[str] | None = None,
) -> Axes:
    """Draw attention weights: the darker, the more the query takes from the key.

    Small squares carry their number, with two decimals.

    Args:
        weights: From 0 to 1.
        ax: Where to draw; a new figure by default.
        title: Above the square.
        tokens: Words to write at the rows and columns instead of numbers.

    Raises:
        ValueError: If there are words for another number of keys.

    Example:
        >>> import torch
        >>> ax = plot_weights(torch.eye(2))
        >>> [text.get_text() for text in ax.texts]
        ['1.00', '0.00', '0.00', '1.00']
    """
    n_query, n_key = weights.shape
    weights = weights.detach()
    ax = square(weights, SHADES, 1.0, ax)
    name_tokens(ax, n_query, n_key, tokens)
    if max(n_query, n_key) <= WRITTEN:
        write_numbers(ax, weights, "{:.2f}", 1.0)
    return describe(ax, title, f"weights of {n_query} queries on {n_key} keys.")


def plot_confusion(
    labels: Sequence[str],
    counts: Int[Tensor, "label label"],
    *,
    ax: Axes | None = None,
    title: str = "",
) -> Axes:
    """Draw which label was predicted for which; each row is shaded by its own sum.

    Args:
        labels: Their names, in the order of rows and columns.
        counts: Tokens with the row's gold label and the column's predicted label.
        ax: Where to draw; a new figure by default.
        title: Above the square.

    Raises:
        ValueError: If the names and the counts differ in number.

    Example:
        >>> import torch
        >>> ax = plot_confusion(["O", "B-PER"], torch.tensor([[5, 0], [1, 2]]))
        >>> [text.get_text() for text in ax.texts]
        ['5', '0', '1', '2']
    """
    if len(labels) != len(counts):
        raise ValueError(
            f"need a name for each label, got {len(labels)} labels and "
            f"{len(counts)} rows of counts"
        )
    share = counts / counts.sum(dim=1, keepdim=True).clamp(min=1)
    ax = square(share, SHADES, 1.0, ax)
    words_below(ax, labels)
    ax.set_yticks(range(len(labels)), labels)
    label_axes(ax, "predicted label", "gold label")
    if len(labels) <= WRITTEN:
        write_numbers(ax, counts, "{:.0f}", counts.sum(dim=1, keepdim=True))
    right = int(counts.diagonal().sum())
    return describe(ax, title, f"{right} of {int(counts.sum())} tokens right.")


def square(values: Tensor, shades, top: float, ax: Axes | None) -> Axes:
    """Draw one square a number, with lines between while they can be counted."""
    n_row, n_column = values.shape
    cell = min(0.55, 4.4 / max(n_row, n_column, 1))  # inches
    wide, high = max(2.6, cell * n_column + 1.3), max(1.5, cell * n_row + 1.0)
    ax = on(ax, width=wide, height=high)
    ax.imshow(values.cpu().numpy(), cmap=shades, vmin=0, vmax=top)
    if max(n_row, n_column) <= COUNTABLE:
        ax.set_xticks([n - 0.5 for n in range(1, n_column)], minor=True)
        ax.set_yticks([n - 0.5 for n in range(1, n_row)], minor=True)
        ax.grid(which="minor", color="white", linewidth=1.5)
        ax.tick_params(which="minor", length=0)
    ax.spines[:].set_visible(False)
    return ax


def name_tokens(ax: Axes, n_query: int, n_key: int, tokens: Sequence[str] | None):
    """Write words or numbers at the rows and the columns; the queries come last."""
    if tokens is not None and len(tokens) != max(n_query, n_key):
        raise ValueError(
            f"need one word a token, got {len(tokens)} tokens for {n_query} queries "
            f"and {n_key} keys"
        )
    label_axes(ax, "key (token)", "query (token)")
    if tokens is not None:
        words_below(ax, tokens[-n_key:])
        ax.set_yticks(range(n_query), tokens[-n_query:])
        return
    for ticks, count in ((ax.set_xticks, n_key), (ax.set_yticks, n_query)):
        ticks(range(0, count, 1 if count <= 16 else max(1, count // 8)))


def write_numbers(ax: Axes, values: Tensor, form: str, top: float | Tensor) -> None:
    """Write each number on its square, white where the square is dark."""
    dark = (values > 0.6 * top).tolist()
    for y, row in enumerate(values.tolist()):
        for x, value in enumerate(row):
            colour = "white" if dark[y][x] else INK
            text = form.format(value)
            ax.text(x, y, text, ha="center", va="center", fontsize=7, color=colour)
