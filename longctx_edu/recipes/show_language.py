"""Print the report of a language model: its text, its sizes, its bits."""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from longctx_edu.recipes.show import sparkline
from longctx_edu.recipes.show_scores import plain


def show_language(report: dict[str, Any], console: Console, *, folder: Path) -> None:
    """Print what `train_language_run` reports.

    Args:
        report: What `report.json` holds.
        console: Where to print.
        folder: Where the model is kept.
    """
    data, model, history = report["data"], report["model"], report["history"]
    sizes, how = data["sizes"], model["transformer"]
    seen = "all" if model["left"] is None else f"the {model['left']}"
    plain(
        console,
        f"{data['name']}: {sizes['train']['tokens']:,} tokens to learn from, "
        f"{sizes['test']['tokens']:,} held out, {data['vocab_size']:,} kinds of tokens",
        f"layers {how['n_layers']}, heads {how['n_heads']}, width {how['d_model']}, "
        f"positions {how['positions']}, {model['weights']:,} weights; windows of "
        f"{model['n_tokens']} tokens, each sees {seen} before it",
        f"loss {sparkline([loss for _, loss in history['losses']])}",
        f"{history['seconds']:.1f} s, {history['tokens']:,} tokens, "
        f"{history['tokens_per_s']:,.0f} tokens a second",
    )
    _show_bits(report["test"], console)
    plain(
        console,
        f"kept in {folder}: model.safetensors, config.json, tokenizer.json, "
        "report.json, metrics.jsonl",
        f'use it: longctx generate {folder} --prompt "How a text begins"',
    )


def _show_bits(scores: dict[str, dict[str, float]], console: Console) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    table.add_column("on held-out text", no_wrap=True)
    for title in ("bits a token", "bits a byte"):
        table.add_column(title, justify="right", no_wrap=True)
    for name, bits in scores.items():
        numbers = (f"{bits[unit]:.3f}" for unit in ("bits_per_token", "bits_per_byte"))
        table.add_row("this model" if name == "model" else name, *numbers)
    console.print(table)
