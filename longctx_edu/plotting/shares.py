"""Shares of words: what a model may say next, and how likely each word is."""

from collections.abc import Sequence

from jaxtyping import Float
from matplotlib.axes import Axes
from torch import Tensor

from longctx_edu.plotting.style import DARK, describe, label_axes, on, plain_frame


def plot_shares(
    words: Sequence[str],
    shares: Float[Tensor, " token"],
    *,
    ax: Axes | None = None,
    title: str = "",
) -> Axes:
    """Draw a bar for each word, the first on top.

    Args:
        words: What stands beside the bars.
        shares: From 0 to 1.
        ax: Where to draw; a new figure by default.
        title: Above the bars.

    Raises:
        ValueError: If words and shares differ in number.

    Example:
        >>> import torch
        >>> ax = plot_shares(["sea", "sky"], torch.tensor([0.75, 0.25]))
        >>> [float(bar.get_width()) for bar in ax.patches]
        [0.75, 0.25]
    """
    if len(words) != len(shares):
        raise ValueError(
            f"need a word for each share, got {len(words)} words and {len(shares)} "
            "shares"
        )
    ax = on(ax, width=3.4, height=2.6)
    values = shares.detach().cpu().tolist()
    ax.barh(range(len(words)), values, color=DARK)
    ax.set_yticks(range(len(words)), words, fontfamily="monospace")
    ax.invert_yaxis()
    ax.set_xlim(0, 1)
    label_axes(ax, "probability", "next token")
    plain_frame(ax)
    told = ", ".join(f"{w} {x:.2f}" for w, x in zip(words[:3], values[:3], strict=True))
    return describe(ax, title, f"probability of {len(words)} tokens, first {told}.")
