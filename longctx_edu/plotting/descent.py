"""Paths of optimisers over a landscape of two weights, seen from above."""

from collections.abc import Callable, Mapping, Sequence

import torch
from matplotlib.axes import Axes

from longctx_edu.plotting.style import (
    COLOURS,
    GRID,
    INK,
    describe,
    label_axes,
    on,
    plain_frame,
)

Number = int | float
RINGS = 14


def plot_descent(
    height: Callable,
    paths: Mapping[str, Sequence[tuple[Number, Number]]],
    *,
    across: tuple[Number, Number],
    up: tuple[Number, Number],
    ax: Axes | None = None,
    title: str = "",
) -> Axes:
    """Draw lines of equal loss over two weights, and ways down from the same start.

    Args:
        height: The loss; called with two tensors, all first and all second weights.
        paths: Name to the places after each step, the start first.
        across: Ends of the first weight's axis.
        up: Ends of the second weight's axis.
        ax: Where to draw; a new figure by default.
        title: Above the landscape.

    Raises:
        ValueError: If an axis does not end after it begins.

    Example:
        >>> ways = {"down": [(1.0, 1.0), (0.0, 0.0)]}
        >>> square = {"across": (-1, 1), "up": (-1, 1)}
        >>> ax = plot_descent(lambda a, b: a**2 + b**2, ways, **square)
        >>> ax.get_xlabel()
        'first weight'
    """
    for name, (low, high) in (("across", across), ("up", up)):
        if not low < high:
            raise ValueError(f"need {name} to rise, got {name}=({low}, {high})")
    ax = on(ax, width=5.6, height=3.4)
    first, second = torch.linspace(*across, 121), torch.linspace(*up, 121)
    rows, columns = torch.meshgrid(second, first, indexing="ij")
    loss = height(columns, rows)
    low, high = loss.min().sqrt().item(), loss.max().sqrt().item()
    levels = [(low + (high - low) * n / RINGS) ** 2 for n in range(1, RINGS)]
    ax.contour(first, second, loss, levels=levels, colors=GRID, linewidths=0.9)
    for n, (name, places) in enumerate(paths.items()):
        look = {"color": COLOURS[n % len(COLOURS)], "linewidth": 1.4, "markersize": 3}
        ax.plot(*zip(*places, strict=True), marker="o", label=name, **look)
    ax.plot(*next(iter(paths.values()))[0], marker="x", color=INK, markersize=8)
    ax.set_xlim(*across)
    ax.set_ylim(*up)
    label_axes(ax, "first weight", "second weight")
    plain_frame(ax)
    ax.grid(False)
    ax.legend(fontsize=8, frameon=False)
    return describe(
        ax, title, f"paths over the loss of two weights: {', '.join(paths)}."
    )
