"""Print the scores of a tagger: entities, tokens, confusions, distances."""

from collections.abc import Iterable
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
    if "by_length" in scores:
        _show_lengths(scores["by_length"], console)
    if "by_novelty" in scores:
        _show_table(scores["by_novelty"], "in training", "entities", console)
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


def bucket_name(low: int, high: int | None) -> str:
    """Name a range of whole numbers.

    Args:
        low: The smallest.
        high: The largest; None where there is no end.

    Example:
        >>> bucket_name(0, 0), bucket_name(128, 511), bucket_name(1024, None)
        ('0', '128 to 511', '1,024 and more')
    """
    if low == high:
        return f"{low:,}"
    return f"{low:,} and more" if high is None else f"{low:,} to {high:,}"


def in_order(names: Iterable[str]) -> list[str]:
    """Put means, and names of more than one word, behind the others.

    Args:
        names: Types or tags, and means over them.

    Example:
        >>> in_order(["micro", "LOC", "micro without O"])
        ['LOC', 'micro', 'micro without O']
    """
    return sorted(names, key=lambda name: name in MEANS or " " in name)


def largest_confusions(
    confusion: dict[str, Any], most: int = MOST
) -> list[tuple[str, str, int]]:
    """List the cells beside the diagonal that hold the most tokens: tag, guess, count.

    Args:
        confusion: The labels, and the counts of tokens by gold and predicted label.
        most: Cells.

    Example:
        >>> largest_confusions({"labels": ["O", "B-A"], "counts": [[9, 1], [0, 5]]})
        [('O', 'B-A', 1)]
    """
    labels, counts = confusion["labels"], confusion["counts"]
    cells = [
        (labels[gold], labels[guess], count)
        for gold, row in enumerate(counts)
        for guess, count in enumerate(row)
        if gold != guess and count
    ]
    return sorted(cells, key=lambda cell: -cell[2])[:most]


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
    for key in in_order(rows):
        row = rows[key]
        shares = (percent(row[part]) for part in ("precision", "recall", "f1"))
        table.add_row(f"  {key}", *shares, f"{row['support']:,.0f}")
    console.print()
    console.print(table)


def _show_confusions(confusion: dict[str, Any], console: Console) -> None:
    """Name the cells beside the diagonal that hold the most tokens."""
    cells = largest_confusions(confusion)
    said = ", ".join(f"{gold} as {guess} {count:,}" for gold, guess, count in cells)
    plain(console, f"  taken for another: {said or 'no token'}")


def _show_lengths(rows: list[dict[str, Any]], console: Console) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    table.add_column("  document, words", no_wrap=True)
    for title in ("documents", "F1", "entities"):
        table.add_column(title, justify="right", no_wrap=True)
    for row in rows:
        if row["documents"]:
            f1 = percent(row["f1"]) if row["support"] else ""
            cells = (f"{row['documents']:,}", f1, f"{row['support']:,.0f}")
            table.add_row(f"  {bucket_name(row['low'], row['high'])}", *cells)
    console.print()
    console.print(table)


def _show_distances(scores: dict[str, Any], console: Console) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    table.add_column("  evidence, tokens away", no_wrap=True)
    for title in ("F1", "entities", "F1, ambiguous", "entities"):
        table.add_column(title, justify="right", no_wrap=True)
    both = zip(scores["by_distance"], scores["by_distance_ambiguous"], strict=True)
    for row, hard in both:
        if not row["support"]:
            continue
        cells = [f"  {bucket_name(row['low'], row['high'])}"]
        for one in (row, hard):
            shown = percent(one["f1"]) if one["support"] else ""
            cells += [shown, f"{one['support']:,.0f}"]
        table.add_row(*cells)
    console.print()
    console.print(table)
