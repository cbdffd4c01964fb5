"""Print what several seeds, and the comparison of two runs, say."""

import shlex
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from longctx_edu.recipes.show_scores import percent, plain

MOST = 3
"""Seeds that have a column of their own; of more, the mean is shown alone."""


def show_seeds(summary: dict[str, Any], console: Console) -> None:
    """Print what `train_seeds` returns: a row for each score, with mean and spread.

    Args:
        summary: What `seeds.json` holds.
        console: Where to print.
    """
    seeds = summary["seeds"]
    shown = seeds if len(seeds) <= MOST else []
    table = Table(box=None, pad_edge=False)
    table.add_column("  score", overflow="fold")
    for seed in shown:
        table.add_column(f"seed {seed}", justify="right", no_wrap=True)
    for title in ("mean", "spread", "95 % interval"):
        table.add_column(title, justify="right", no_wrap=True)
    parts = {"dev": "dev {}", "test": "test {}", "types": "test f1, {}"}
    for part, words in parts.items():
        for name, row in summary[part].items():
            told = name if part == "types" else name.replace("_", " ")
            said = Text("  " + words.format(told).replace("f1", "F1", 1))
            values = [*row["values"][: len(shown)], row["mean"], row["spread"]]
            between = f"{percent(row['low'])} to {percent(row['high'])}"
            table.add_row(said, *map(percent, values), between)
    console.print()
    console.print(table)
    plain(
        console,
        f"  spread: sample standard deviation over {len(seeds)} seeds",
        "  interval: of the mean, by Student's t; of other seeds, not of other texts",
    )


def show_comparison(done: dict[str, Any], console: Console) -> None:
    """Print what `compare_runs` returns, the p-value in plain words.

    Args:
        done: What the kept JSON holds.
        console: Where to print.
    """
    for name in ("a", "b"):
        runs = done[name]["f1_of_runs"]
        each = ", ".join(map(percent, runs))
        seeds = f", mean of {len(runs)} seeds: {each}" if len(runs) > 1 else ""
        folder = shlex.quote(done[name]["folder"])
        plain(console, f"  {name}  F1 {percent(done[f'f1_{name}'])}  {folder}{seeds}")
    plain(
        console,
        f"  b - a  {done['difference']:+.3f}, {100 * done['level']:g} % interval from "
        f"{done['low']:+.3f} to {done['high']:+.3f}",
        f"  p = {done['p_value']:.2g}: {_in_words(done)}",
        *_about(done),
    )


def _in_words(done: dict[str, Any]) -> str:
    """Say what the p-value means, and what follows."""
    times = 1000 * done["p_value"]
    often = f"{times:,.0f}" if times >= 10 else f"{times:.2g}"
    if done["p_value"] > 1 - done["level"]:
        follows = f"so this {done['split']} split does not tell a from b"
    else:
        better = "b" if done["difference"] > 0 else "a"
        follows = f"so {better} is better, as far as this {done['split']} split can say"
    return (
        f"of two equally good systems, {often} of 1,000 draws would differ by as much; "
        f"{follows}"
    )


def _about(done: dict[str, Any]) -> list[str]:
    """Say what was drawn, and what the test leaves open."""
    units = f"{done['units']:,} {done['unit']}"
    lines = [f"  paired bootstrap, {done['draws']:,} draws of {units}"]
    if done["unit"] == "sentences":
        lines.append(
            "  there is one document, so its sentences are drawn: they depend on one "
            "another, and p is too hopeful"
        )
    runs = [len(done[name]["f1_of_runs"]) for name in ("a", "b")]
    if max(runs) > 1:
        lines.append(
            "  each draw is the same for all seeds, and F1 is their mean: the interval "
            "speaks of other texts, the spread in seeds.json of other seeds"
        )
    if min(runs) == 1:
        lines.append(
            "  a single training says nothing of other seeds: longctx train ner "
            "--seeds 3 does"
        )
    return lines
