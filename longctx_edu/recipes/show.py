"""Print the report of a run: the five steps, from the data to the use."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from rich.console import Console

from longctx_edu.recipes.decoding import CRF
from longctx_edu.recipes.show_scores import percent, plain, show_scores

BARS = "▁▂▃▄▅▆▇█"
ATTENTIONS = {
    "chunks": "pieces of {size} tokens, {overlap} shared, full attention in each",
    "full": "each document whole, full attention",
    "window": "each document whole, {left} tokens before, {right} after, and globals",
}
CONTEXTS = {
    "sentence": "each sentence alone, up to {size} tokens",
    "document": "each sentence with its neighbours, up to {size} tokens",
}

ROWS = {
    "constrained": "the best row that IOB2 allows",
    CRF: "the best row, steps between tags counted",
}
"""How tags are read off where not each word by itself."""

SETTINGS = (
    ("epochs", "learning_rate", "batch_tokens", "warmup", "schedule"),
    ("head_learning_rate", "layer_decay", "weight_decay", "max_norm"),
    ("patience", "precision", "seed"),
)
"""The settings of a training that are shown, line by line."""


def show_report(
    report: dict[str, Any],
    console: Console,
    *,
    folder: Path,
    figures: Sequence[Path] = (),
) -> None:
    """Print what `train_ner` reports, as the five steps of fine-tuning.

    Args:
        report: What `report.json` holds.
        console: Where to print.
        folder: Where the model is kept.
        figures: Files with figures.
    """
    _heading(console, 1, "model and data")
    _show_data(report["data"], console)
    _show_model(report["model"], console)
    _show_reading(report["reading"], console)
    _heading(console, 2, "task layer")
    _show_task(report["data"]["types"], report["model"], console)
    _heading(console, 3, "hyperparameters")
    _show_settings(report["training"], console)
    _heading(console, 4, "training")
    _show_history(report["history"], console)
    _heading(console, 5, "test and use")
    before, after = report["before"]["test"], report["test"]
    plain(console, f"  entity F1 {percent(before['f1'])} -> {percent(after['f1'])}")
    show_scores(after, console)
    _show_use(folder, figures, console)


def sparkline(values: Sequence[float], most: int = 48) -> str:
    """Draw numbers as a line of bars, the lowest as the lowest bar.

    Args:
        values: The numbers.
        most: Bars; more numbers than that are averaged in groups.

    Example:
        >>> sparkline([0.0, 1.0, 2.0])
        '▁▄█'
    """
    if len(values) > most:
        edges = [round(n * len(values) / most) for n in range(most + 1)]
        groups = [values[a:b] for a, b in pairwise(edges)]
        values = [sum(group) / len(group) for group in groups]
    low, high = min(values, default=0), max(values, default=0)
    scale = (len(BARS) - 1) / (high - low) if high > low else 0
    return "".join(BARS[int((value - low) * scale)] for value in values)


def _heading(console: Console, number: int, title: str) -> None:
    console.print(f"\n{number}  {title}", style="bold", markup=False, highlight=False)


def _show_data(data: dict[str, Any], console: Console) -> None:
    sizes = ", ".join(
        f"{name} {size['documents']:,} documents, {size['words']:,} words"
        for name, size in data["sizes"].items()
    )
    plain(console, f"  {data['name']}: {sizes}")
    if data["repaired_tags"]:
        plain(console, f"  {data['repaired_tags']:,} tags I- read as B-")


def _show_model(model: dict[str, Any], console: Console) -> None:
    how = ATTENTIONS[model["attention"]]
    if model["context"] in CONTEXTS:
        how = f"{CONTEXTS[model['context']]}; {model['attention']} attention"
    how = how.format(**model)
    plain(console, f"  {model['model']}, {model['weights']:,} weights; {how}")


def _show_reading(reading: dict[str, Any], console: Console) -> None:
    plain(
        console,
        f"  {reading['pieces']:,} pieces to train on, "
        f"{reading['per_word']:.1f} tokens read for each word",
    )


def _show_task(types: Sequence[str], model: dict[str, Any], console: Console) -> None:
    """Say what the task layer is, what training lowers, and how tags are read off."""
    decoding, weight = model.get("decoding"), model.get("outside_weight", 1)
    layer, lowered = "one linear layer", "cross-entropy over words"
    if weight != 1:
        lowered += f", one outside entities counts {weight:g} times"
    if decoding == CRF:
        layer += " and what each step between tags is worth"
        lowered = "minus log-probability of whole rows of tags, per word"
    tags = f"{2 * len(types) + 1} tags: O, and B- and I- of {', '.join(types)}"
    plain(
        console,
        f"  {layer}, {tags}",
        f"  the first token of a word answers for it; {lowered}",
    )
    if decoding in ROWS:
        plain(console, f"  tags are read off as {ROWS[decoding]}")


def _show_settings(training: dict[str, Any], console: Console) -> None:
    for part in SETTINGS:
        known = [name for name in part if training.get(name) is not None]
        texts = (f"{name.replace('_', ' ')} {training[name]}" for name in known)
        plain(console, f"  {', '.join(texts)}")


def _show_history(history: dict[str, Any], console: Console) -> None:
    for row in history["epochs"]:
        loss, f1 = row["training_loss"], row.get("f1")
        score = f", dev F1 {percent(f1)}" if f1 is not None else ""
        best = "  <- kept" if row["epoch"] == history["best_epoch"] else ""
        plain(console, f"  epoch {row['epoch']}: loss {loss:.3f}{score}{best}")
    plain(console, f"  loss {sparkline([loss for _, loss in history['losses']])}")
    if history["stopped_early"]:
        plain(console, "  stopped early: the score did not rise any more")
    plain(
        console,
        f"  {history['seconds']:.1f} s, {history['tokens']:,} tokens, "
        f"{history['tokens_per_s']:,.0f} tokens a second",
    )


def _show_use(folder: Path, figures: Sequence[Path], console: Console) -> None:
    names = ", ".join(path.name for path in figures)
    plain(
        console,
        f"\n  kept in {folder}: model.safetensors, config.json, report.json, "
        f"report.html{', ' + names if names else ''}",
        f'  use it: longctx predict {folder} "A text of any length."',
    )
