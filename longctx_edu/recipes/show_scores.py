"""Print the scores of a tagger: entities, tokens, confusions, distances."""

from typing import Any

from rich.console import Console
from rich.table import Table

MEANS = ("micro", "macro")
MOST = 8
"""Confusions that are printed; the figure shows all."""


def show_scores(scores: dict[str, Any], console: Console) -> None:
    """Print what `score_documents` returns.

    Args:
        scores: The scores.
        console: Where to print.
    """
    _show_table(scores["per_type"], "strict entities", "entities", console)
    _show_table(scores["per_tag"], "tokens", "tokens", console)
    plain(console, f"  token accuracy {percent(scores['token_accuracy'])}")
    _show_confusions(scores["confusion"], console)
    kinds = ", ".join(f"{name} {n:,}" for name, n in scores["errors"].items())
    plain(console, f"  entities by kind of error: {kinds}")
    if "by_distance" in scores:
        _show_distances(scores, console)


def percent(share: float) -> str:
    """Write a share with three decimals.

    Args:
        share: From 0 to 1.

    Example:
        >>> percent(0.98765)
        '0.988'
    """
    return f"{share:.3f}"


def plain(console: Console, *lines: str) -> None:
    """Print lines as they are, neither coloured nor read as markup.

    Args:
        console: Where to print.
        lines: The lines.
    """
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _show_table(
    rows: dict[str, dict[str, float]], name: str, unit: str, console: Console
) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    table.add_column(f"  {name}", no_wrap=True)
    for title in ("precision", "recall", "F1", unit):
        table.add_column(title, justify="right", no_wrap=True)
    last = [key for key in rows if key in MEANS or " " in key]
    for key in [*(key for key in rows if key not in last), *last]:
        row = rows[key]
        shares = (percent(row[part]) for part in ("precision", "recall", "f1"))
        table.add_row(f"  {key}", *shares, f"{row['support']:,.0f}")
    console.print()
    console.print(table)


def _show_confusions(confusion: dict[str, Any], console: Console) -> None:
    """Name the cells beside the diagonal that hold the most tokens."""
    labels, counts = confusion["labels"], confusion["counts"]
    cells = [
        (count, labels[gold], labels[guess])
        for gold, row in enumerate(counts)
        for guess, count in enumerate(row)
        if gold != guess and count
    ]
    largest = sorted(cells, key=lambda cell: -cell[0])[:MOST]
    said = ", ".join(f"{gold} as {guess} {count:,}" for count, gold, guess in largest)
    plain(console, f"  taken for another: {said or 'no token'}")


def _show_distances(scores: dict[str, Any], console: Console) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    table.add_column("  evidence, tokens away", no_wrap=True)
    for title in ("F1", "entities", "F1, ambiguous", "entities"):
        table.add_column(title, justify="right", no_wrap=True)
    both = zip(scores["by_distance"], scores["by_distance_ambiguous"], strict=True)
    for row, hard in both:
        if not row["support"]:
            continue
        low, high = row["low"], row["high"]
        end = f" to {high:,}" if high else " and more"
        cells = [f"  {low:,}{'' if low == high else end}"]
        for one in (row, hard):
            shown = percent(one["f1"]) if one["support"] else ""
            cells += [shown, f"{one['support']:,.0f}"]
        table.add_row(*cells)
    console.print()
    console.print(table)
