"""Pictures: tensors in, axes out.

Every function draws on the axes that it is given, or on a figure of its own. In all
squares rows are queries and columns are keys.
"""

from longctx_edu.plotting.chunks import plot_chunks
from longctx_edu.plotting.curves import plot_f1_by_distance, plot_lines, plot_training
from longctx_edu.plotting.descent import plot_descent
from longctx_edu.plotting.growth import plot_growth
from longctx_edu.plotting.heard import plot_heard
from longctx_edu.plotting.lengths import plot_cliffs, plot_lengths
from longctx_edu.plotting.reach import plot_reach
from longctx_edu.plotting.shares import plot_shares
from longctx_edu.plotting.squares import plot_confusion, plot_mask, plot_weights
from longctx_edu.plotting.style import COLOURS, MARKERS, as_png, panels, save_figure

__all__ = [
    "COLOURS",
    "MARKERS",
    "as_png",
    "panels",
    "plot_chunks",
    "plot_cliffs",
    "plot_confusion",
    "plot_descent",
    "plot_f1_by_distance",
    "plot_growth",
    "plot_heard",
    "plot_lengths",
    "plot_lines",
    "plot_mask",
    "plot_reach",
    "plot_shares",
    "plot_training",
    "plot_weights",
    "save_figure",
]
