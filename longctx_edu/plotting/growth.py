"""How a cost grows with the length: time and memory of many ways, in powers of two."""

from collections.abc import Collection, Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullLocator

from longctx_edu.plotting.style import (
    COLOURS,
    INK,
    MARKERS,
    describe,
    label_axes,
    on,
    plain_frame,
)

Number = int | float


def plot_growth(
    lines: Mapping[str, tuple[Sequence[Number], Sequence[Number]]],
    *,
    x: str,
    y: str,
    strong: Collection[str] = (),
    ax: Axes | None = None,
    title: str = "",
) -> Axes:
    """Draw costs over lengths, both in powers, beside the slopes 1 and 2.

    Args:
        lines: Name to lengths and costs. A name without any is left out, but keeps
            its colour, so that panels with other gaps agree.
        x: What goes across, with its unit.
        y: What goes up, with its unit.
        strong: Names whose lines are drawn thick; all others are dashed.
        ax: Where to draw; a new figure by default.
        title: Above the lines.

    Raises:
        ValueError: If there is no line, or a number is not above 0.

    Example:
        >>> ax = plot_growth({"full": ([1, 2], [1, 4])}, x="tokens", y="scores")
        >>> ax.get_xscale(), [text.get_text() for text in ax.texts]
        ('log', ['slope 1', 'slope 2'])
    """
    values = [value for pair in lines.values() for side in pair for value in side]
    if not values or min(values) <= 0:
        least = min(values, default="none")
        raise ValueError(f"need lines with numbers above 0, got {least}")
    ax = on(ax, width=6.4, height=4.2)
    ax.set_xscale("log", base=2)
    ax.set_yscale("log")
    for n, (name, (across, up)) in enumerate(lines.items()):
        if across:
            style = look(n, strong=name in strong)
            ax.plot(list(across), list(up), label=name, **style)
    draw_slopes(ax, lines)
    across = sorted({length for lengths, _ in lines.values() for length in lengths})
    ax.set_xticks(across)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.xaxis.set_minor_locator(NullLocator())
    label_axes(ax, x, y)
    plain_frame(ax)
    ax.legend(fontsize=7, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    drawn = ", ".join(name for name, (across, _) in lines.items() if across)
    return describe(ax, title, f"{y} against {x}, in powers, for {drawn}.")


def look(n: int, *, strong: bool) -> dict:
    """Give the n-th line a colour and a marker that no other line shares.

    Example:
        >>> looks = [look(n, strong=False) for n in range(30)]
        >>> len({(each["color"], each["marker"]) for each in looks})
        30
    """
    turn = n // len(COLOURS)
    return {
        "color": COLOURS[n % len(COLOURS)],
        "marker": MARKERS[(n + turn) % len(MARKERS)],
        "linestyle": "-" if strong else "--",
        "linewidth": 2.4 if strong else 1.2,
        "markersize": 6 if strong else 4.5,
    }


def draw_slopes(
    ax: Axes, lines: Mapping[str, tuple[Sequence[Number], Sequence[Number]]]
) -> None:
    """Draw where costs would go that grow with the length, and with its square."""
    across = [length for lengths, _ in lines.values() for length in lengths]
    first, last = min(across), max(across)
    if first == last:
        return
    start = min(cost for _, costs in lines.values() for cost in costs)
    ceiling = max(cost for _, costs in lines.values() for cost in costs)
    for slope in (1, 2):
        end = min(last, first * (ceiling / start) ** (1 / slope))
        costs = [start, start * (end / first) ** slope]
        ax.plot([first, end], costs, color=INK, linewidth=0.8, linestyle=":")
        place = {"xytext": (-2, 2), "textcoords": "offset points", "ha": "right"}
        ax.annotate(f"slope {slope}", (end, costs[1]), fontsize=7, color=INK, **place)
