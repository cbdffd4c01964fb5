"""`longctx bench conversion`: a pretrained encoder made long, scored step by step."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from longctx_edu.cli.bench import keeping, whole_numbers
from longctx_edu.cli.options import flag, option, takes_options
from longctx_edu.errors import UserError


@dataclass(frozen=True)
class LadderOptions:
    """The options that say what is converted, and how; as in `conversion_ladder`."""

    panel: ClassVar[str] = "The conversion"

    text: Annotated[
        Path | None, option("A text file in UTF-8; its last tenth is held out.")
    ] = None
    model: Annotated[
        str, option("minilm, a folder, or an id of the Hub.", default="minilm")
    ] = "minilm"
    lengths: Annotated[
        str, option("Tokens read at once, with commas.", default="512,1024,2048,4096")
    ] = "512,1024,2048,4096"
    left: Annotated[int, option("Keys seen before each query.", default="256")] = 256
    right: Annotated[int, option("Keys seen after each query.", default="256")] = 256
    held_tokens: Annotated[int, option("Most tokens of the test.", default="16384")] = (
        16_384
    )


@dataclass(frozen=True)
class StepOptions:
    """The options that say how long is trained."""

    panel: ClassVar[str] = "The training"

    head_steps: Annotated[
        int, option("Batches in which a fresh head is learnt.", default="200")
    ] = 200
    steps: Annotated[
        int, option("Batches of the longest length for the model.", default="100")
    ] = 100
    learning_rate: Annotated[
        float, option("The peak for the whole model.", default="3e-4")
    ] = 3e-4
    seed: Annotated[int, option("Decides all that is drawn.", default="0")] = 0


@dataclass(frozen=True)
class TaggingOptions:
    """The options of the fine-tuning that follows, where one is asked for."""

    panel: ClassVar[str] = "Named entities"

    ner: Annotated[
        str | None,
        option(
            "Fine-tune on a data set afterwards, e.g. litbank.", metavar="NAME|PATH"
        ),
    ] = None
    ner_epochs: Annotated[int, option("Passes over it.", default="4")] = 4


@takes_options
def conversion(
    *,
    ladder: LadderOptions,
    train: StepOptions,
    tagging: TaggingOptions,
    threads: Annotated[
        int | None, option("Threads of torch.", default="as it chooses")
    ] = None,
    json_file: Annotated[
        Path | None, option("Keep the numbers here, rung by rung.", "--json")
    ] = None,
    quiet: flag("No progress bars.", "--quiet", "-q") = False,
) -> None:
    """Make a pretrained encoder long; bits a hidden token before and after each step.

    The original, whole and in chunks; made long with random rows of positions, with
    copied ones, and trained on; beside it the original trained on in chunks.
    """
    from rich.console import Console

    from longctx_edu.recipes.conversion import conversion_ladder
    from longctx_edu.recipes.conversion_ner import STARTS
    from longctx_edu.recipes.show_conversion import show_conversion

    if ladder.text is None:
        raise UserError("need --text with a text file, got none")
    keep, asked = keeping(json_file), vars(ladder) | vars(train)
    asked |= {"lengths": whole_numbers(ladder.lengths)}
    splits, how = _tagging(tagging, seed=train.seed)
    _use(threads)
    console, starts = Console(), {}
    report: dict[str, Any] = {"complete": False, "rungs": []}
    report["settings"] = {**asked, "text": str(ladder.text), **vars(tagging)}

    def reached(rung, reader):
        report["rungs"].append(asdict(rung))
        keep(report)
        if splits is not None and rung.name in STARTS:
            starts[rung.name] = reader

    try:
        conversion_ladder(**asked, progress=not quiet, on_rung=reached)
        if splits is not None:
            report["ner"] = _fine_tune(starts, splits, ladder, how, quiet)
    except KeyboardInterrupt:
        kept = f"; what was measured is in {json_file}" if json_file else ""
        raise KeyboardInterrupt(f"stopped by Ctrl-C{kept}") from None
    report["complete"] = True
    keep(report)
    show_conversion(report, console)
    if json_file:
        console.print(f"\nkept in {json_file}", markup=False, soft_wrap=True)


def _use(threads: int | None) -> None:
    """Set the threads of torch, where some were asked for."""
    import torch

    if threads is not None:
        if threads < 1:
            raise UserError(f"need --threads >= 1, got {threads}")
        torch.set_num_threads(threads)


def _tagging(options: TaggingOptions, *, seed: int) -> tuple[Any, Any]:
    """Load the data set before anything is trained, and say how taggers are trained."""
    if options.ner is None:
        return None, None
    from longctx_edu.data.catalogue import load
    from longctx_edu.recipes.config import PRETRAINED
    from longctx_edu.training import TrainConfig

    how = TrainConfig(**{**PRETRAINED, "epochs": options.ner_epochs, "seed": seed})
    return load(options.ner), how


def _fine_tune(
    starts: dict[str, Any], splits: Any, ladder: LadderOptions, how: Any, quiet: bool
) -> dict[str, Any]:
    from longctx_edu.recipes.conversion_ner import fine_tuned_f1

    window = {"left": ladder.left, "right": ladder.right}
    f1 = fine_tuned_f1(starts, splits, **window, training=how, progress=not quiet)
    return {"data": splits.name, "f1": f1}
