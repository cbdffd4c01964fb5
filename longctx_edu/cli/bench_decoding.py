"""`longctx bench decoding`: a step with a cache and without; the memory of a stream."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from longctx_edu.cli.bench import keeping
from longctx_edu.cli.options import flag, option, takes_options
from longctx_edu.errors import UserError


@dataclass(frozen=True)
class TextOptions:
    """The options that say what is read; as in `DecodingPlan`."""

    panel: ClassVar[str] = "The text"

    length: Annotated[
        int, option("Tokens that stand before a step.", default="4096")
    ] = 4096
    stream: Annotated[int, option("Tokens of the stream.", default="20000")] = 20_000
    left: Annotated[int, option("Tokens that the window keeps.", default="1020")] = 1020
    sinks: Annotated[int, option("First tokens that stay.", default="4")] = 4
    piece: Annotated[
        int, option("Tokens of the stream that are read at once.", default="64")
    ] = 64
    steps: Annotated[
        int, option("Measured steps with a cache, at each length.", default="32")
    ] = 32
    again: Annotated[int, option("Measured steps without one.", default="3")] = 3


@dataclass(frozen=True)
class ModelOptions:
    """The options that say which model reads; as in `DecodingPlan`."""

    panel: ClassVar[str] = "The model"

    n_layers: Annotated[int, option("Blocks.", "--layers", default="4")] = 4
    n_heads: Annotated[int, option("Heads of queries.", "--heads", default="4")] = 4
    n_kv_heads: Annotated[
        int, option("Heads of keys and values.", "--kv-heads", default="2")
    ] = 2
    d_model: Annotated[int, option("Width of a vector.", default="128")] = 128
    vocab_size: Annotated[int, option("Known tokens.", "--vocab", default="1024")] = (
        1024
    )
    seed: Annotated[int, option("Decides weights and tokens.", default="0")] = 0


@takes_options
def decoding(
    *,
    text: TextOptions,
    model: ModelOptions,
    threads: Annotated[
        int | None, option("Threads of torch.", default="as it chooses")
    ] = None,
    json_file: Annotated[
        Path | None, option("Keep the numbers here, row by row.", "--json")
    ] = None,
    quiet: flag("No progress bar.", "--quiet", "-q") = False,
) -> None:
    """Time a step with a cache and without, and watch the memory of a stream.

    Tokens a second over the length; the cache's bytes beside the formula, and the peak
    memory, of a stream that keeps all, a window, or a window and the first tokens.
    """
    import torch
    from rich.console import Console

    from longctx_edu.benchmarks import DecodingPlan, run_decoding, show_decoding

    plan = DecodingPlan(**vars(text), **vars(model))
    keep = keeping(json_file)
    if threads is not None:
        if threads < 1:
            raise UserError(f"need --threads >= 1, got {threads}")
        torch.set_num_threads(threads)
    try:
        report = run_decoding(plan, progress=not quiet, save=keep)
    except KeyboardInterrupt:
        kept = f"; what was measured is in {json_file}" if json_file else ""
        raise KeyboardInterrupt(f"stopped by Ctrl-C{kept}") from None
    console = Console()
    show_decoding(report, console)
    if json_file:
        console.print(f"\nkept in {json_file}", markup=False, soft_wrap=True)
