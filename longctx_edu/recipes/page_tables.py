"""The scores of a tagger as tables of a page."""

from collections.abc import Sequence
from typing import Any

from longctx_edu.recipes.page_words import clean
from longctx_edu.recipes.show_scores import (
    bucket_name,
    in_order,
    largest_confusions,
    percent,
)

MOST_ROWS = 200
"""Rows of a table; data with more types than that is no data of named entities."""


def tables_html(scores: dict[str, Any]) -> str:
    """Write all tables that the scores fill.

    Args:
        scores: What `score_documents` returns.
    """
    shares = ("precision", "recall", "F1", "entities")
    right = {"correct": scores["errors"]["correct"]}
    kinds = [(name, f"{n:,}") for name, n in (right | scores["mistakes"]).items()]
    tables = [
        table_html("By type", ("type", *shares), score_rows(scores["per_type"])),
        table_html("What became of the entities", ("kind", "entities"), kinds),
        lengths_html(scores["by_length"]),
    ]
    if "by_novelty" in scores:
        rows = score_rows(scores["by_novelty"])
        tables.append(table_html("By what training held", ("entity", *shares), rows))
    if "by_distance" in scores:
        tables.append(distances_html(scores))
    wrong = largest_confusions(scores["confusion"])
    rows = [(gold, said, f"{n:,}") for gold, said, n in wrong]
    title = "Tags most often taken for another"
    tables.append(table_html(title, ("gold", "predicted", "words"), rows))
    return "\n".join(tables)


def score_rows(scores: dict[str, dict[str, float]]) -> list[tuple[str, ...]]:
    """Write scores as rows: name, precision, recall, F1, entities.

    Args:
        scores: Scores by name.
    """
    return [
        (
            name,
            *(percent(scores[name][part]) for part in ("precision", "recall", "f1")),
            f"{scores[name]['support']:,.0f}",
        )
        for name in in_order(scores)
    ]


def lengths_html(by_length: Sequence[dict[str, Any]]) -> str:
    """Write the scores by the length of the document.

    Args:
        by_length: The buckets.
    """
    rows = [
        (bucket_name(row["low"], row["high"]), f"{row['documents']:,}", *f1(row))
        for row in by_length
        if row["documents"]
    ]
    names = ("words", "documents", "F1", "entities")
    return table_html("By length of the document", names, rows)


def distances_html(scores: dict[str, Any]) -> str:
    """Write the scores by the distance of the evidence.

    Args:
        scores: What `score_documents` returns where distances are known.
    """
    both = zip(scores["by_distance"], scores["by_distance_ambiguous"], strict=True)
    rows = [
        (bucket_name(row["low"], row["high"]), *f1(row), *f1(hard))
        for row, hard in both
        if row["support"]
    ]
    names = ("words", "F1", "entities", "F1, ambiguous", "entities")
    return table_html("By distance of the evidence", names, rows)


def f1(row: dict[str, Any]) -> tuple[str, str]:
    """Write F1 and the number of entities; no F1 where there is none.

    Args:
        row: One score.
    """
    return percent(row["f1"]) if row["support"] else "", f"{row['support']:,.0f}"


def table_html(title: str, names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table; nothing where it has no row.

    Args:
        title: What it shows.
        names: Of the columns.
        rows: The first cell of each names it.
    """
    if not rows:
        return ""
    head = "".join(f'<th scope="col">{clean(name)}</th>' for name in names)
    body = "\n".join(
        f'<tr><th scope="row"><bdi>{clean(first)}</bdi></th>'
        + "".join(f"<td>{clean(cell)}</td>" for cell in cells)
        + "</tr>"
        for first, *cells in rows[:MOST_ROWS]
    )
    return (
        f"<table><caption>{clean(title)}</caption>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{body}\n</tbody></table>"
    )
