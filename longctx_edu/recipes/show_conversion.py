"""Print the conversion ladder: bits by length, rung by rung, and what comes after."""

from typing import Any

from rich.console import Console
from rich.table import Table

from longctx_edu.recipes.conversion import CONTROL, TRAINED
from longctx_edu.recipes.show_scores import percent, plain


def show_conversion(report: dict[str, Any], console: Console) -> None:
    """Print what `longctx bench conversion` keeps.

    Args:
        report: "settings", "rungs", and "ner" where taggers were trained.
        console: Where to print.
    """
    rungs = report["rungs"]
    if not rungs:
        return
    titles = [f"{int(length):,}" for length in rungs[0]["bits"]]
    table = _table("bits a hidden token, read at once:", *titles, "trained on", "s")
    for rung in rungs:
        bits = ("cannot" if x is None else f"{x:.3f}" for x in rung["bits"].values())
        tokens = f"{rung['trained_tokens']:,}" if rung["trained_tokens"] else "-"
        table.add_row(rung["name"], *bits, tokens, f"{rung['seconds']:,.0f}")
    console.print(table)
    if report.get("ner"):
        ner = report["ner"]
        table = _table(f"{ner['data']}, fine-tuned from", "test F1")
        for name, f1 in ner["f1"].items():
            table.add_row(name, percent(f1))
        console.print()
        console.print(table)
    plain(console, *_remarks(rungs))


def _remarks(rungs: list[dict[str, Any]]) -> list[str]:
    """Say which rungs have to be compared, where they are there."""
    bits = {rung["name"]: rung["bits"] for rung in rungs}
    if TRAINED not in bits:
        return []
    longest = max(bits[TRAINED], key=int)
    control, trained = bits[CONTROL][longest], bits[TRAINED][longest]
    word = "fewer" if trained < control else "more"
    apart = f"{abs(control - trained):.3f} bits {word}"
    return ["", f"at {int(longest):,} tokens, {apart} than trained on in chunks"]


def _table(first: str, *titles: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    table.add_column(first, no_wrap=True)
    for title in titles:
        table.add_column(title, justify="right", no_wrap=True)
    return table
