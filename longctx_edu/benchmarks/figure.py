"""The figure of a benchmark: time and memory over the length."""

from pathlib import Path
from typing import Any

from longctx_edu.benchmarks.names import OURS
from longctx_edu.benchmarks.record import Row
from longctx_edu.benchmarks.show import heading, rows_of

KINDS = (("seconds", "time (s)", 1.0), ("peak_bytes", "peak memory (MB)", 1e-6))


def draw_benchmark(report: Row) -> Any:
    """Draw a row of panels for each mode: time, and memory beside it.

    Only the first number format is drawn.

    Args:
        report: What `run_benchmark` returns.

    Returns:
        The axes; None where nothing was measured.
    """
    from longctx_edu.plotting import panels, plot_growth

    dtype, drawn = report["settings"]["dtypes"][0], []
    for mode in report["settings"]["modes"]:
        for key, unit, scale in KINDS:
            lines = lines_of(report, dtype, mode, key, scale)
            if any(lengths for lengths, _ in lines.values()):
                drawn.append((mode, unit, lines))
    if not drawn:
        return None
    rows = -(-len(drawn) // 2)
    axes = panels(min(len(drawn), 2), n_rows=rows, width=6.0, height=3.8)
    for ax, (mode, unit, lines) in zip(axes, drawn, strict=False):
        plot_growth(
            lines,
            x="length (tokens)",
            y=unit,
            strong=[each.name for each in OURS],
            ax=ax,
            title=heading(dtype, mode),
        )
    return axes[0]


def lines_of(
    report: Row, dtype: str, mode: str, key: str, scale: float
) -> dict[str, tuple[list[int], list[float]]]:
    """Collect a line for each contender; what is 0 or not known has no point.

    Args:
        report: Contenders, and the rows of all.
        dtype: Number format, by name.
        mode: With or without backward.
        key: What goes up.
        scale: Factor on it.

    Example:
        >>> row = {"impl": "a", "dtype": "float32", "mode": "forward", "length": 8}
        >>> found = {"implementations": "ab", "rows": [{**row, "seconds": 2.0}]}
        >>> lines_of(found, "float32", "forward", "seconds", 1.0)
        {'a': ([8], [2.0]), 'b': ([], [])}
    """
    lines = {name: ([], []) for name in report["implementations"]}
    for row in rows_of(report["rows"], dtype, mode):
        if row[key]:
            across, up = lines[row["impl"]]
            across.append(row["length"])
            up.append(row[key] * scale)
    return lines


def check_figure(path: Path) -> None:
    """Refuse a figure that could not be written, before anything is measured.

    Args:
        path: Where the figure is to go.

    Raises:
        ValueError: If its name does not end in .png.
    """
    if path.suffix != ".png":
        raise ValueError(f"need a figure that ends in .png, got {path}")
