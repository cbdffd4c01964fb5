"""Reach: a mask drawn as a graph, and what one token hears of through its layers."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from torch import Tensor

from longctx_edu.plotting.style import COLOURS, GRID, describe, label_axes, on

STRONG, WEAK = COLOURS[1], "#9AA3AF"


def plot_reach(
    masks: Sequence[Bool[Tensor, "token token"]],
    *,
    query: int,
    unit: str = "token",
    ax: Axes | None = None,
    title: str = "",
) -> Axes:
    """Draw layers above each other, and every way that leads to one token at the top.

    A dot is a token in a layer. A line says that the upper token looks at the lower.

    Args:
        masks: One a layer, the lowest first; True where a token may look.
        query: Place of the token at the top, in tokens.
        unit: What a place holds: "block" for a layout of blocks.
        ax: Where to draw; a new figure by default.
        title: Above the layers.

    Raises:
        ValueError: If there is no layer, masks differ in size, or the token has no
            place in them.

    Example:
        >>> nobody_else = torch.eye(3, dtype=torch.bool)
        >>> plot_reach([nobody_else] * 2, query=1).figure.alt
        'token 1 hears of 1 of 3 tokens through 2 layers.'
    """
    shapes = {tuple(mask.shape) for mask in masks}
    if len(shapes) != 1 or query not in range(min(shapes)[0]):
        raise ValueError(
            f"need at least one mask, all of one size, and a query within, got "
            f"query={query} and shapes {sorted(shapes)}"
        )
    n, n_layers = len(masks[0]), len(masks)
    heard = _heard(masks, query)
    ax = on(ax, width=0.28 * n + 1.2, height=0.55 * n_layers + 1.1)
    for layer, mask in enumerate(masks):
        ways = mask & heard[layer + 1][:, None]
        _draw_lines(ax, layer, mask & ~ways, GRID, 0.6)
        _draw_lines(ax, layer, ways, STRONG, 1.2)
    for layer, row in enumerate(heard):
        colours = [STRONG if here else WEAK for here in row.tolist()]
        ax.scatter(range(n), [layer] * n, c=colours, s=22, zorder=3)
    ax.set_xticks(range(0, n, 1 if n <= 16 else max(1, n // 8)))
    ax.set_yticks(range(n_layers + 1), ["text", *map(str, range(1, n_layers + 1))])
    ax.spines[["top", "right", "left", "bottom"]].set_visible(False)
    label_axes(ax, f"place ({unit})", "layer")
    layers = f"{n_layers} layer{'s' * (n_layers > 1)}"
    said = f"{int(heard[0].sum())} of {n} {unit}s through {layers}."
    return describe(ax, title, f"{unit} {query} hears of {said}")


def _draw_lines(ax, layer, mask, colour, width):
    """Draw a line from each seen token up to the one that looks at it."""
    pairs = mask.nonzero().tolist()
    lines = [[(key, layer), (query, layer + 1)] for query, key in pairs]
    ax.add_collection(LineCollection(lines, colors=colour, linewidths=width))


def _heard(masks, query):
    """List for each layer, the text first, who is heard of at the top."""
    heard = [torch.zeros(len(masks[0]), dtype=torch.bool)]
    heard[0][query] = True
    for mask in reversed(masks):
        heard.insert(0, mask[heard[0]].any(dim=0))
    return heard
