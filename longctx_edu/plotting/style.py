"""One palette, one kind of figure, and how a figure reaches a notebook or a file.

In a notebook a figure shows itself at the end of its cell, with a text for readers who
cannot see it. Elsewhere nothing is shown and nothing is kept: save it or drop it.
"""

import io
import sys
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from longctx_edu.writing import write_whole

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Distinct for colour-blind readers as well (Okabe and Ito 2008)."""

MARKERS = ("o", "s", "^", "D", "v", "P")
"""A second sign beside the colour, for print in grey."""

DARK, LIGHT, INK, GRID = "#0072B2", "#F2F4F7", "#222222", "#D5DAE1"
DPI = 90


class LessonFigure(Figure):
    """A figure that carries its own alternative text, `alt`."""

    alt: str = ""

    def _ipython_display_(self) -> None:
        from IPython.display import publish_display_data

        publish_display_data(
            {"image/png": png_bytes(self), "text/plain": self.alt or "a figure"},
            {"image/png": {"alt": self.alt}},
        )


class QuietAxes(Axes):
    """Axes that print nothing when they end a cell: their figure shows itself."""

    def _ipython_display_(self) -> None:
        pass


def panels(
    n_columns: int = 1, *, n_rows: int = 1, width: float = 4.0, height: float = 3.0
) -> list[Axes]:
    """Open a figure with empty axes side by side, row by row.

    Args:
        n_columns: Axes beside each other.
        n_rows: Axes above each other.
        width: Of each axes, in inches.
        height: Of each axes, in inches.

    Raises:
        ValueError: If there is no row or no column.

    Example:
        >>> left, right = panels(2)
        >>> left.figure is right.figure
        True
    """
    if n_columns < 1 or n_rows < 1:
        raise ValueError(
            f"need at least one row and column, got n_rows={n_rows} "
            f"and n_columns={n_columns}"
        )
    figure = new_figure((width * n_columns, height * n_rows))
    count = n_rows * n_columns
    return [
        figure.add_subplot(n_rows, n_columns, n + 1, axes_class=QuietAxes)
        for n in range(count)
    ]


def new_figure(size: tuple[float, float]) -> LessonFigure:
    """Make a figure; in a notebook also tell Jupyter to show it at the cell's end."""
    how = {"figsize": size, "dpi": DPI, "layout": "constrained", "facecolor": "white"}
    if in_notebook():
        from matplotlib import pyplot

        return pyplot.figure(FigureClass=LessonFigure, **how)
    figure = LessonFigure(**how)
    FigureCanvasAgg(figure)
    return figure


def in_notebook() -> bool:
    """Tell whether a Jupyter kernel runs this."""
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    return type(get_ipython()).__name__ == "ZMQInteractiveShell"


def on(ax: Axes | None, width: float = 4.6, height: float = 3.0) -> Axes:
    """Take the axes that were given, or open a figure for one."""
    return panels(width=width, height=height)[0] if ax is None else ax


def describe(ax: Axes, title: str, alt: str) -> Axes:
    """Set the title, and add to the figure's alternative text."""
    if title:
        ax.set_title(title, fontsize=10, color=INK)
    said = f"{title}: {alt}" if title else alt
    if isinstance(ax.figure, LessonFigure):
        ax.figure.alt = f"{ax.figure.alt} {said}".strip()
    return ax


def label_axes(ax: Axes, x: str, y: str) -> None:
    """Name both axes, with their units."""
    ax.set_xlabel(x, fontsize=9)
    ax.set_ylabel(y, fontsize=9)
    ax.tick_params(labelsize=8)


def plain_frame(ax: Axes) -> None:
    """Keep the two lines that carry numbers, and a light grid behind the data."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(color=GRID, linewidth=0.6)
    ax.set_axisbelow(True)


def words_below(ax: Axes, names: Sequence[str]) -> None:
    """Write names under the columns; slanted where they would run into each other."""
    crowded = sum(map(len, names)) > 40
    turn = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if crowded else {}
    ax.set_xticks(range(len(names)), names, **turn)


def png_bytes(figure: Figure) -> bytes:
    """Draw a figure as PNG; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()


def as_png(figure: Figure | Axes) -> bytes:
    """Draw a figure as PNG and let go of it: a notebook will not show it once more.

    Args:
        figure: The figure, or any of its axes.

    Example:
        >>> as_png(panels()[0])[1:4]
        b'PNG'
    """
    figure = figure.figure if isinstance(figure, Axes) else figure
    drawn = png_bytes(figure)
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close(figure)
    return drawn


def save_figure(figure: Figure | Axes, path: str | Path) -> Path:
    """Write a figure as PNG, all of it or nothing.

    Args:
        figure: The figure, or any of its axes.
        path: The file; its folder is made where it is missing.

    Raises:
        ValueError: If the file's name does not end in .png.

    Example:
        >>> import tempfile
        >>> save_figure(panels()[0], tempfile.mkdtemp() + "/empty.png").name
        'empty.png'
    """
    path = Path(path)
    if path.suffix != ".png":
        raise ValueError(f"need a path that ends in .png, got path={str(path)!r}")
    drawn = png_bytes(figure.figure if isinstance(figure, Axes) else figure)
    write_whole(path, lambda place: place.write_bytes(drawn))
    return path
