"""`longctx train ner --seeds`: the same training with several seeds, and their mean."""

import shlex
from pathlib import Path
from typing import Any

from longctx_edu.cli.ner_options import TrainOptions
from longctx_edu.errors import UserError


def is_several(training: TrainOptions, stored: dict[str, Any]) -> bool:
    """Tell whether more than one training is meant.

    Args:
        training: What is asked for.
        stored: The settings of the run that is continued; empty without one.

    Raises:
        UserError: If fewer than one is asked for.

    Example:
        >>> is_several(TrainOptions(seeds=1), {}), is_several(TrainOptions(seeds=3), {})
        (False, True)
    """
    if training.seeds is not None and training.seeds < 1:
        raise UserError(f"need --seeds >= 1, got {training.seeds}")
    return (training.seeds or 1) > 1 or "seeds" in stored.get("training", {})


def train_several(
    splits: Any, config: Any, how: Any, *, n_seeds: int, folder: Path, **kept: Any
) -> None:
    """Train with several seeds, draw the figures of each run, and print the mean.

    Args:
        splits: The data set.
        config: What the taggers are made of.
        how: How they are trained.
        n_seeds: How many runs.
        folder: Where they are kept.
        kept: What `train_seeds` takes beside.
    """
    from rich.console import Console

    from longctx_edu.recipes.figures import write_figures
    from longctx_edu.recipes.seeds import SEEDS, train_seeds
    from longctx_edu.recipes.show_scores import percent, plain
    from longctx_edu.recipes.show_seeds import show_seeds

    console = Console()

    def tell(seed: int, place: Path, report: dict[str, Any]) -> None:
        write_figures(report, place)
        plain(console, f"seed {seed}: test F1 {percent(report['test']['f1'])}, {place}")

    try:
        summary = train_seeds(
            splits, config, how, n_seeds=n_seeds, folder=folder, on_run=tell, **kept
        )
    except KeyboardInterrupt:
        command = f"longctx train ner --resume --out {shlex.quote(str(folder))}"
        raise KeyboardInterrupt(f"stopped; continue with: {command}") from None
    show_seeds(summary, console)
    plain(console, f"  kept in {folder / SEEDS}")
