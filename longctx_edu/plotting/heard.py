"""Hearing by depth: whom one token hears of, after no layer, one, two and so on."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from longctx_edu.plotting.squares import TWO
from longctx_edu.plotting.style import describe, label_axes, on


def plot_heard(
    heard: Sequence[Bool[Tensor, " token"]], *, ax: Axes | None = None, title: str = ""
) -> Axes:
    """Draw a row for each depth, the text at the bottom: dark where one is heard of.

    `plot_reach` shows each way through the layers; this one still reads at 256 tokens.

    Args:
        heard: For 0, 1, 2 ... layers, True at the tokens that are heard of.
        ax: Where to draw; a new figure by default.
        title: Above the rows.

    Raises:
        ValueError: If there is no row, or rows differ in length.

    Example:
        >>> rows = [torch.tensor([False, True]), torch.tensor([True, True])]
        >>> plot_heard(rows).figure.alt
        'tokens heard of after 0 to 1 layers: 1, 2.'
    """
    lengths = sorted({len(row) for row in heard})
    if len(lengths) != 1:
        raise ValueError(f"need rows of one length, got lengths {lengths}")
    ax = on(ax, width=4.0, height=0.3 * len(heard) + 1.2)
    rows = torch.stack(list(heard)).int().cpu().numpy()
    ax.imshow(
        rows,
        cmap=TWO,
        vmin=0,
        vmax=1,
        aspect="auto",
        origin="lower",
        interpolation="nearest",
    )
    for height in range(1, len(heard)):
        ax.axhline(height - 0.5, color="white", linewidth=1.5)
    ax.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    ax.spines[:].set_visible(False)
    label_axes(ax, "place (token)", "depth (layers)")
    counts = ", ".join(str(int(row.sum())) for row in heard)
    told = f"tokens heard of after 0 to {len(heard) - 1} layers: {counts}."
    return describe(ax, title, told)
