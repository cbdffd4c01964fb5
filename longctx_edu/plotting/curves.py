"""Curves: F1 against distance, a training, a cost that grows with the length."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from longctx_edu.plotting.style import (
    COLOURS,
    INK,
    MARKERS,
    describe,
    label_axes,
    on,
    panels,
    plain_frame,
)

Number = int | float


def plot_f1_by_distance(
    results: Mapping[str, Sequence],
    *,
    ax: Axes | None = None,
    title: str = "",
    chance: float | None = None,
) -> Axes:
    """Draw entity F1 against the distance between a mention and its evidence.

    Args:
        results: For each model its buckets: `(low, high, f1)`, or objects with `low`,
            `high` and `score.f1`. Distances in tokens; `high` None has no end.
            Buckets without entities are left out.
        ax: Where to draw; a new figure by default.
        title: Above the curves.
        chance: F1 of a guess, drawn as a dashed line.

    Raises:
        ValueError: If there is no model, or models differ in their buckets.

    Example:
        >>> ax = plot_f1_by_distance({"chunks": [(0, 0, 0.9), (1, 127, 0.5)]})
        >>> [label.get_text() for label in ax.get_xticklabels()]
        ['0', '1-127']
    """
    points = {name: [as_point(b) for b in buckets] for name, buckets in results.items()}
    ranges = {tuple(point[:2] for point in found) for found in points.values()}
    if len(ranges) != 1:
        raise ValueError(
            f"need models with the same buckets, got {len(points)} models "
            f"with {len(ranges)} kinds of buckets"
        )
    ax = on(ax, width=5.2, height=3.2)
    for n, (name, found) in enumerate(points.items()):
        scored = [(x, f1) for x, (*_, f1) in enumerate(found) if f1 is not None]
        across, up = [x for x, _ in scored], [f1 for _, f1 in scored]
        ax.plot(across, up, label=name, **line_style(n))
    if chance is not None:
        ax.axhline(chance, color=INK, linewidth=1, linestyle="--", label="chance")
    ax.set_xticks(range(len(found)), [bucket_name(*point[:2]) for point in found])
    ax.set_ylim(-0.03, 1.03)
    label_axes(ax, "distance to the nearest evidence (tokens)", "entity F1")
    plain_frame(ax)
    ax.legend(fontsize=8, frameon=False)
    return describe(ax, title, f"entity F1 by distance for {', '.join(points)}.")


def plot_lines(
    lines: Mapping[str, tuple[Sequence[Number], Sequence[Number]]],
    *,
    x: str,
    y: str,
    ax: Axes | None = None,
    title: str = "",
    log: bool = False,
) -> Axes:
    """Draw named lines, each a pair of numbers across and numbers up.

    Args:
        lines: Name to `(across, up)`.
        x: What goes across, with its unit.
        y: What goes up, with its unit.
        ax: Where to draw; a new figure by default.
        title: Above the lines.
        log: Both axes in powers, so that `n` and `n * n` become slopes 1 and 2.

    Example:
        >>> ax = plot_lines({"full": ([1, 2], [1, 4])}, x="length (tokens)", y="scores")
        >>> ax.get_ylabel()
        'scores'
    """
    ax = on(ax)
    for n, (name, (across, up)) in enumerate(lines.items()):
        ax.plot(list(across), list(up), label=name, **line_style(n))
    if log:
        ax.set_xscale("log", base=2)
        ax.set_yscale("log", base=2)
    label_axes(ax, x, y)
    plain_frame(ax)
    if len(lines) > 1:
        ax.legend(fontsize=8, frameon=False)
    return describe(ax, title, f"{y} against {x} for {', '.join(lines)}.")


def plot_training(
    rows: Sequence[Mapping], *, score: str = "f1", title: str = ""
) -> list[Axes]:
    """Draw a training: the loss of each step, and the score of each epoch beside it.

    Args:
        rows: Lines of `metrics.jsonl`; those with `loss` are steps, those with the
            score are epochs.
        score: Which score to draw.
        title: Above the loss.

    Raises:
        ValueError: If no row holds a loss.

    Returns:
        One axes, or two where the rows hold the score.

    Example:
        >>> rows = [{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.0}]
        >>> len(plot_training(rows)), len(plot_training([*rows, {"epoch": 1, "f1": 1}]))
        (1, 2)
    """
    steps = [row for row in rows if "loss" in row]
    epochs = [row for row in rows if score in row and "loss" not in row]
    if not steps:
        raise ValueError(f"need rows with a loss, got {len(rows)} rows without one")
    axes = panels(2 if epochs else 1, width=3.6, height=2.6)
    axes[0].plot(
        [row["step"] for row in steps],
        [row["loss"] for row in steps],
        color=COLOURS[0],
        linewidth=1.2,
    )
    finish_training(axes[0], "step", "training loss (nats)")
    describe(axes[0], title, f"loss over {len(steps)} steps.")
    if epochs:
        across = [row["epoch"] for row in epochs]
        axes[1].plot(across, [row[score] for row in epochs], **line_style(1))
        axes[1].set_ylim(-0.03, 1.03)
        finish_training(axes[1], "epoch", f"held-out {score}")
        describe(axes[1], "", f"{score} over {len(epochs)} epochs.")
    return axes


def finish_training(ax: Axes, x: str, y: str) -> None:
    """Name the axes; steps and epochs are whole numbers."""
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    label_axes(ax, x, y)
    plain_frame(ax)


def line_style(n: int) -> dict:
    """Give the n-th line its colour and its marker."""
    look = {"color": COLOURS[n % len(COLOURS)], "marker": MARKERS[n % len(MARKERS)]}
    return {**look, "linewidth": 1.8, "markersize": 5}


def as_point(bucket) -> tuple[int, int | None, float | None]:
    """Read a bucket in either form; F1 is None where the bucket holds no entity."""
    if isinstance(bucket, Sequence):
        low, high, f1 = bucket
        return low, high, f1
    return bucket.low, bucket.high, bucket.score.f1 if bucket.score.support else None


def bucket_name(low: int, high: int | None) -> str:
    """Write a range of distances.

    Example:
        >>> bucket_name(0, 0), bucket_name(1, 127), bucket_name(1024, None)
        ('0', '1-127', '1024+')
    """
    if high is None:
        return f"{low}+"
    return str(low) if low == high else f"{low}-{high}"
