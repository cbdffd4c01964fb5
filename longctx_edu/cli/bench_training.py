"""`longctx bench training`: our training of a tagger beside transformers' Trainer."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, ClassVar

from longctx_edu.cli.bench import keeping
from longctx_edu.cli.data_options import DataOptions, load_splits
from longctx_edu.cli.ner_options import (
    ModelOptions,
    TrainOptions,
    ner_config,
    train_config,
)
from longctx_edu.cli.options import flag, option, takes_options
from longctx_edu.errors import UserError


@dataclass(frozen=True)
class TrainerOptions:
    """The options that say what is trained, and how; as in `longctx train ner`."""

    panel: ClassVar[str] = "The training"

    model: Annotated[
        str,
        option("minilm, a folder, or an id of the Hugging Face Hub.", default="minilm"),
    ] = "minilm"
    size: Annotated[int, option("Most tokens in a piece.", default="128")] = 128
    dropout: Annotated[
        float | None, option("Share of numbers set to 0.", default="0.1")
    ] = None
    epochs: Annotated[int | None, option("Passes over the data.", default="4")] = None
    learning_rate: Annotated[
        float | None, option("Its peak, after warm-up.", default="2e-4")
    ] = None
    batch_tokens: Annotated[
        int | None,
        option("Most tokens in a batch; Trainer's has as many.", default="512"),
    ] = None
    precision: Annotated[
        str | None,
        option(
            "Of matrix products, ours and Trainer's at its best.",
            default="auto",
            metavar="auto|fp32|bf16",
        ),
    ] = None
    seed: Annotated[
        int | None, option("Decides fresh weights and batches.", default="0")
    ] = None


@dataclass(frozen=True)
class MeasureOptions:
    """The options that say how it is measured; as in `compare_trainers`."""

    panel: ClassVar[str] = "The measurement"

    rounds: Annotated[
        int, option("Turns of each, of which the median counts.", default="5")
    ] = 5
    steps: Annotated[int, option("Our steps in a turn.", default="20")] = 20
    speed_only: flag("Do not train to the end, and score nothing.", "--speed-only") = (
        False
    )
    threads: Annotated[
        int | None, option("Threads of torch.", default="as it chooses")
    ] = None


@takes_options
def training(
    *,
    data: DataOptions,
    how: TrainerOptions,
    measure: MeasureOptions,
    json_file: Annotated[
        Path | None, option("Keep the numbers here, row by row.", "--json")
    ] = None,
    quiet: flag("No progress bars.", "--quiet", "-q") = False,
) -> None:
    """Train a tagger by ours and by transformers' Trainer: the same start, in turn.

    Three rows: ours; Trainer with fp32 and shuffled examples; Trainer at its best,
    with our precision and examples of like length together. Tokens a second without
    padding; then F1 of one whole training of each, its best epoch by dev.
    """
    import torch
    from rich.console import Console

    from longctx_edu.benchmarks.machine import machine_facts, versions
    from longctx_edu.recipes.show_trainers import show_trainers
    from longctx_edu.recipes.trainer_comparison import compare_trainers

    names = ("model", "size", "dropout")
    model = {name: getattr(how, name) for name in names}
    asked = {name: x for name, x in vars(how).items() if name not in names}
    config = ner_config(ModelOptions(attention="chunks", **model))
    settings = train_config(TrainOptions(**asked), is_pretrained=True)
    # Trainer moves all weights at one rate: so do we here.
    settings = replace(settings, head_learning_rate=None, layer_decay=None)
    keep = keeping(json_file)
    if measure.threads is not None:
        if measure.threads < 1:
            raise UserError(f"need --threads >= 1, got {measure.threads}")
        torch.set_num_threads(measure.threads)
    about = {"machine": machine_facts(), "versions": versions()}
    try:
        report = compare_trainers(
            load_splits(data),
            config,
            settings,
            rounds=measure.rounds,
            steps=measure.steps,
            scores=not measure.speed_only,
            progress=not quiet,
            save=lambda report: keep({**about, **report}),
        )
    except KeyboardInterrupt:
        kept = f"; what was measured is in {json_file}" if json_file else ""
        raise KeyboardInterrupt(f"stopped by Ctrl-C{kept}") from None
    console = Console()
    show_trainers(report, console)
    if json_file:
        console.print(f"\nkept in {json_file}", markup=False, soft_wrap=True)
