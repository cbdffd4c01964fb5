"""`longctx compare`: is one trained model better than another, or only luckier?"""

import json
from pathlib import Path
from typing import Annotated

import typer

from longctx_edu.cli.data_options import DataOptions, load_splits
from longctx_edu.cli.options import takes_options
from longctx_edu.errors import UserError, unknown_name

FIRST = Annotated[
    Path, typer.Argument(help="The folder of a run, or of `train ner --seeds`.")
]
SECOND = Annotated[Path, typer.Argument(help="The one that it is compared with.")]


@takes_options
def compare(
    run_a: FIRST,
    run_b: SECOND,
    data: DataOptions,
    split: Annotated[str, typer.Option(help="train, dev or test.")] = "test",
    draws: Annotated[
        int, typer.Option(min=1, help="How often documents are drawn.")
    ] = 10_000,
    seed: Annotated[int, typer.Option(help="Decides the draws.")] = 0,
) -> None:
    """Compare two trained models on the same documents, by a paired bootstrap test.

    Documents are drawn with replacement and both models scored on each draw; of a
    single document, sentences. A folder of seeds stands for the mean of its F1s. The
    result is kept in the first folder. Where the two were trained on other data, as
    far as their settings say, it says so: that may be why they differ.
    """
    from rich.console import Console

    from longctx_edu.data.cut import SPLITS
    from longctx_edu.recipes.comparison import compare_runs
    from longctx_edu.recipes.show_seeds import show_comparison
    from longctx_edu.training.files import write_text

    if split not in SPLITS:
        raise unknown_name("split", split, SPLITS)
    splits = load_splits(data)
    done = compare_runs(run_a, run_b, splits, split=split, draws=draws, seed=seed)
    done["trained_on_other"] = other_data(run_a, run_b)
    b = run_b.resolve()  # a seed's folder is named after the run that it belongs to
    other = f"{b.parent.name}-{b.name}" if b.name.startswith("seed-") else b.name
    path = run_a / f"comparison_{other}_{splits.name}_{split}.json"
    write_text(path, json.dumps(done, indent=2, ensure_ascii=False) + "\n")
    console = Console()
    console.print(
        f"{splits.name}, {split}: {done['documents']:,} documents",
        style="bold",
        markup=False,
    )
    show_comparison(done, console)
    for line in done["trained_on_other"]:
        said = f"note: trained on other data: {line}"
        console.print(said, markup=False, highlight=False, soft_wrap=True)
    console.print(f"kept in {path}", markup=False, soft_wrap=True)


def other_data(run_a: Path, run_b: Path) -> list[str]:
    """Say in what the data differ that two runs were trained on.

    Args:
        run_a: The folder of a run, or of runs with seeds.
        run_b: The folder that it is compared with.

    Returns:
        One line for each difference; none where a run does not tell its data.
    """
    from longctx_edu.recipes.ner import read_settings

    try:
        a, b = (read_settings(folder)["data"] for folder in (run_a, run_b))
    except UserError:
        return []
    if not (a and b):
        return []
    shown = {name: (a.get(name), b.get(name)) for name in sorted(a | b)}
    return [
        f"{name.replace('_', ' ')} {told(in_a)} in a, {told(in_b)} in b"
        for name, (in_a, in_b) in shown.items()
        if in_a != in_b
    ]


def told(value: object) -> str:
    """Write a setting; what was not asked for is as it is by default.

    Args:
        value: The setting.

    Example:
        >>> told(3), told(None)
        ('3', 'by default')
    """
    return "by default" if value is None else str(value)
