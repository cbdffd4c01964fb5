"""Print how fast our training is beside transformers' Trainer, and what each learnt."""

from typing import Any

from rich.console import Console
from rich.table import Table

from longctx_edu.recipes.show_scores import percent, plain

COLUMNS = ("padding", "tokens/s", "ours", "seconds")
SCORES = ("dev F1", "test F1")


def show_trainers(report: dict[str, Any], console: Console) -> None:
    """Print what `compare_trainers` returns: a row for each way to train.

    Args:
        report: The report.
        console: Where to print.
    """
    rows = report["rows"]
    data, model, how = report["data"], report["model"], report["training"]
    is_scored = all("test" in row for row in rows)
    plain(
        console,
        f"{data['name']}: {report['examples']:,} pieces of at most {model['size']} "
        f"tokens; {model['model']}, {model['weights']:,} weights",
        f"{how['epochs']} epochs, {how['batch_tokens']:,} tokens in a batch, learning "
        f"rate {how['learning_rate']:g}; loss at the start "
        f"{', '.join(format(row['loss_at_start'], '.4f') for row in rows)}",
    )
    table = Table(box=None, pad_edge=False)
    table.add_column("  trained by", no_wrap=True)
    for name in (*COLUMNS, *SCORES) if is_scored else COLUMNS[:-1]:
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(f"  {row['name']} ({row['precision']})", *_numbers(row))
    console.print()
    console.print(table)
    turns = len(rows[0]["speed"]["turns"])
    plain(
        console,
        "  steps of an epoch: "
        + ", ".join(f"{row['steps_an_epoch']:,}" for row in rows)
        + "; Trainer's batches are of so many examples: "
        + ", ".join(str(row["batch"]) for row in rows if row["batch"]),
        f"  tokens/s: without padding, median of {turns} turns on the same examples",
        "  ours: how many times as many tokens our training learns from in a second",
    )


def _numbers(row: dict[str, Any]) -> list[str]:
    """Write the numbers of a row, as many as there are."""
    speed, whole = row["speed"], row.get("training")
    said = [
        percent(speed["padding"] if whole is None else whole["padding"]),
        f"{speed['tokens_per_s']:,.0f}",
        f"{speed['ours_is_faster']:.2f} x",
    ]
    if whole is None:
        return said
    dev = percent(max(row["dev_f1"])) if row["dev_f1"] else "none"
    return [*said, f"{whole['seconds']:,.1f}", dev, percent(row["test"]["f1"])]
