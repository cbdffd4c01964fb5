"""Print what the demo found: quality by distance, and cost."""

from typing import Any

from rich.console import Console
from rich.table import Table

from longctx_edu.recipes.show_scores import percent, plain


def show_demo(report: dict[str, Any], console: Console) -> None:
    """Print the report of the demo.

    Args:
        report: What `run_demo` returns.
        console: Where to print.
    """
    models, tokens = report["models"], report["sizes"]["test_tokens"]
    _show(_quality(models), f"entities, articles of {tokens:,} tokens", models, console)
    title = "F1 of ambiguous names by distance of the evidence (tokens)"
    _show(_distances(models.values()), title, models, console)
    four_times = [found["four_times"] for found in models.values()]
    rows = {"F1, all entities": [percent(found["f1"]) for found in four_times]}
    title = f"the same at four times the length, {4 * tokens:,} tokens"
    _show(rows | _distances(four_times), title, models, console)
    _show(_cost(models), "cost", models, console)
    shown = ", ".join(
        f"{n.replace('_', ' + ')} {percent(m['f1_far'])}" for n, m in models.items()
    )
    plain(console, f"\n  far ({report['far_tokens']} tokens and more): F1 {shown}")


def _show(
    rows: dict[str, list[str]], title: str, models: dict[str, Any], console: Console
) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    table.add_column("", no_wrap=True, min_width=26)
    for name in models:
        table.add_column(name.replace("_", " + "), justify="right", no_wrap=True)
    for name, cells in rows.items():
        table.add_row(f"  {name}", *cells)
    console.print(f"\n{title}", style="bold", markup=False, highlight=False)
    console.print(table)


def _quality(models: dict[str, Any]) -> dict[str, list[str]]:
    rows, names = {}, {"precision": "precision", "recall": "recall", "f1": "F1"}
    for part, name in names.items():
        for when in ("before", "after"):
            found = (
                one if when == "after" else one["before"] for one in models.values()
            )
            rows[f"{name} {when} training"] = [percent(each[part]) for each in found]
    return rows


def _distances(found: Any) -> dict[str, list[str]]:
    rows: dict[str, list[str]] = {}
    for scores in found:
        for bucket in scores["by_distance_ambiguous"]:
            low, high = bucket["low"], bucket["high"]
            end = f" to {high:,}" if high else " and more"
            name = f"{low:,}{'' if low == high else end}"
            cell = percent(bucket["f1"]) if bucket["support"] else "-"
            rows.setdefault(name, []).append(cell)
    return {name: cells for name, cells in rows.items() if set(cells) != {"-"}}


def _cost(models: dict[str, Any]) -> dict[str, list[str]]:
    found = models.values()
    return {
        "training (s)": [f"{one['seconds']:.1f}" for one in found],
        "training (tokens/s)": [f"{one['tokens_per_s']:,.0f}" for one in found],
        "reading (tokens/s)": [f"{one['reading_tokens_per_s']:,.0f}" for one in found],
        "peak of a step (MB)": [f"{one['peak_bytes'] / 1e6:,.0f}" for one in found],
    }
