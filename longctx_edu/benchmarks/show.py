"""Print what a benchmark found: a table for each format and mode, and the gaps."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from longctx_edu.benchmarks.record import Row

COLUMNS = ("seconds", "x window", "x at 2n", "peak MB", "of GEMM", "max error")
"""Behind length and name; the third is by what time grows at twice the length."""


def show_benchmark(report: Row, console: Console) -> None:
    """Print the report as tables.

    Args:
        report: What `run_benchmark` returns.
        console: Where to print.
    """
    settings, machine = report["settings"], report["machine"]
    rates = ", ".join(
        f"{name} {rate:,.0f}" for name, rate in report["gemm_gflops_by_dtype"].items()
    )
    say(
        console,
        f"{machine.get('gpu', machine['processor'])}, {machine['threads']} threads; "
        f"products of matrices (10^9 operations/s): {rates}",
        f"{settings['n_heads']} heads of {settings['d_head']}, batch "
        f"{settings['batch']}; window {settings['left']} + {settings['right']}, "
        f"{settings['n_global']} global; median of {settings['repeats']}",
    )
    for dtype in settings["dtypes"]:
        for mode in settings["modes"]:
            rows = rows_of(report["rows"], dtype, mode)
            show_rows(rows, heading(dtype, mode), console)
            rows = rows_of(report["variants"], dtype, mode)
            show_variants(rows, f"window, {heading(dtype, mode)}", console)
    show_skipped(report["skipped"], console)


def heading(dtype: str, mode: str) -> str:
    """Name a table.

    Example:
        >>> heading("float32", "forward_backward")
        'float32, forward + backward'
    """
    return f"{dtype}, {mode.replace('_', ' + ')}"


def rows_of(rows: Sequence[Row], dtype: str, mode: str) -> list[Row]:
    """Take the rows of one table.

    Args:
        rows: All of them.
        dtype: Number format, by name.
        mode: With or without backward.
    """
    return [row for row in rows if (row["dtype"], row["mode"]) == (dtype, mode)]


def show_rows(rows: Sequence[Row], title: str, console: Console) -> None:
    """Print what the contenders took, length by length.

    Args:
        rows: Of one format and mode.
        title: Above the table.
        console: Where to print.
    """
    table = new_table("length", "implementation", *COLUMNS)
    window = {r["length"]: r["seconds"] for r in rows if r["impl"] == "window"}
    growth = growth_by_row(rows)
    last = None
    for row, grown in zip(rows, growth, strict=True):
        length = row["length"]
        times = row["seconds"] / window[length] if length in window else None
        table.add_row(
            "" if length == last else f"{length:,}",
            row["impl"],
            f"{row['seconds']:.4f}",
            shown(times, ".1f"),
            shown(grown, ".2f"),
            shown(in_mb(row["peak_bytes"]), ",.0f"),
            shown(row["share_of_peak"], ".0%"),
            shown(row["max_error"], ".1e"),
        )
        last = length
    print_table(table, title, console)


def show_variants(rows: Sequence[Row], title: str, console: Console) -> None:
    """Print what the window's variants took, beside the plain one.

    Args:
        rows: Of one format and mode.
        title: Above the table.
        console: Where to print.
    """
    table = new_table("length", "variant", "seconds", "x plain", "peak MB", "max error")
    for row in rows:
        table.add_row(
            f"{row['length']:,}" if row["variant"] == "plain" else "",
            row["variant"].replace("_", " "),
            f"{row['seconds']:.4f}",
            f"{row['ratio_to_plain']:.2f}",
            shown(in_mb(row["peak_bytes"]), ",.0f"),
            shown(row["max_error"], ".1e"),
        )
    print_table(table, title, console)


def show_skipped(skipped: Sequence[Row], console: Console) -> None:
    """Print what could not be measured, once for each reason.

    Args:
        skipped: Each with who, where and why.
        console: Where to print.
    """
    places: Mapping[tuple[str, str], list[str]] = defaultdict(list)
    for row in skipped:
        place = f"{row['length']:,} {heading(row['dtype'], row['mode'])}"
        places[row["impl"], row["reason"]].append(place)
    if places:
        console.print("\nnot measured", style="bold", markup=False, highlight=False)
    for (name, reason), where in places.items():
        more = f" and {len(where) - 1} more" if len(where) > 1 else ""
        say(console, f"  {name}: {reason} ({where[0]}{more})")


def growth_by_row(rows: Sequence[Row]) -> list[float | None]:
    """Say by what a row's time grows when the text is twice as long.

    Args:
        rows: Of one format and mode, shorter texts first; the first row of each
            contender has nothing to compare with.

    Example:
        >>> took = [(2, 1), (8, 16)]
        >>> growth_by_row([{"impl": "a", "length": n, "seconds": s} for n, s in took])
        [None, 4.0]
    """
    before: dict[str, Row] = {}
    growth = []
    for row in rows:
        last = before.get(row["impl"])
        before[row["impl"]] = row
        if last is None:
            growth.append(None)
            continue
        doublings = math.log2(row["length"] / last["length"])
        growth.append((row["seconds"] / last["seconds"]) ** (1 / doublings))
    return growth


def in_mb(n_bytes: int | None) -> float | None:
    """Turn bytes into 10^6 bytes, and nothing into nothing."""
    return None if n_bytes is None else n_bytes / 1e6


def shown(value: float | None, how: str) -> str:
    """Write a number, or a dash where there is none.

    Example:
        >>> shown(0.417, ".0%"), shown(None, ".0%")
        ('42%', '-')
    """
    return "-" if value is None else format(value, how)


def new_table(*names: str) -> Table:
    """Open a table: the second column holds names, all others numbers."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for place, name in enumerate(names):
        justify = "left" if place == 1 else "right"
        table.add_column(name, justify=justify, no_wrap=True)
    return table


def print_table(table: Table, title: str, console: Console) -> None:
    """Print a table that has rows under its title."""
    if table.row_count:
        console.print(f"\n{title}", style="bold", markup=False, highlight=False)
        console.print(table)


def say(console: Console, *lines: str) -> None:
    """Print lines as they are, neither coloured nor read as markup."""
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
