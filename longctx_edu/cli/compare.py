"""`longctx compare`: is one trained model better than another, or only luckier?"""

import json
from pathlib import Path
from typing import Annotated

import typer

from longctx_edu.cli.data_options import DataOptions, load_splits
from longctx_edu.cli.options import takes_options
from longctx_edu.errors import unknown_name

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
    result is kept in the first folder.
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
    console.print(f"kept in {path}", markup=False, soft_wrap=True)
