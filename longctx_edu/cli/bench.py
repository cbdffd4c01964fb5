"""`longctx bench attention`: our attention beside its peers, on this machine."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from longctx_edu.cli.options import flag, option, takes_options
from longctx_edu.errors import UserError


@dataclass(frozen=True)
class AskedOptions:
    """The options that say which attention is asked for; as in `Setting`."""

    panel: ClassVar[str] = "The attention"

    left: Annotated[int, option("Keys seen before each query.", default="256")] = 256
    right: Annotated[int, option("Keys seen after each query.", default="256")] = 256
    dilation: Annotated[
        int, option("Distance of neighbouring visible keys.", default="1")
    ] = 1
    causal: flag("Nobody looks ahead.", "--causal") = False
    n_global: Annotated[
        int, option("First tokens that see all.", "--globals", default="1")
    ] = 1
    padded: Annotated[
        float, option("Share of padding at the end.", "--padding", default="0")
    ] = 0.0
    batch: Annotated[int, option("Texts side by side.", default="1")] = 1
    n_heads: Annotated[int, option("Heads.", "--heads", default="8")] = 8
    d_head: Annotated[int, option("Width of a head.", default="64")] = 64
    seed: Annotated[int, option("Decides the numbers.", default="0")] = 0


@dataclass(frozen=True)
class MeasureOptions:
    """The options that say how it is measured; as in `Plan`."""

    panel: ClassVar[str] = "The measurement"

    lengths: Annotated[
        str, option("Tokens of a text, with commas.", default="1024,4096,16384")
    ] = "1024,4096,16384"
    dtype: Annotated[
        str,
        option(
            "Number formats, with commas.",
            default="float32",
            metavar="float32,bfloat16,float16",
        ),
    ] = "float32"
    modes: Annotated[
        str, option("With commas.", default="both", metavar="forward,forward_backward")
    ] = "forward,forward_backward"
    repeats: Annotated[int, option("Measured calls of each.", default="5")] = 5
    budget_seconds: Annotated[
        float, option("Leave out calls slower than this.", default="120")
    ] = 120.0
    dense_up_to: Annotated[
        int, option("Longest text compared with the definition.", default="4096")
    ] = 4096
    variants: flag("Also the window's variants beside the plain one.", "--variants") = (
        False
    )
    threads: Annotated[
        int | None, option("Threads of torch.", default="as it chooses")
    ] = None


@takes_options
def attention(
    impls: Annotated[
        str, option("Ours: all, none, or names with commas.", default="all")
    ] = "all",
    peers: Annotated[
        str, option("Peers: all, none, or names with commas.", default="all")
    ] = "all",
    *,
    asked: AskedOptions,
    how: MeasureOptions,
    json_file: Annotated[
        Path | None, option("Keep the numbers here, row by row.", "--json")
    ] = None,
    figure: Annotated[
        Path | None, option("Draw time and memory over length here (.png).")
    ] = None,
    quiet: flag("No progress bar.", "--quiet", "-q") = False,
) -> None:
    """Time our attention and its peers: the same inputs, one process, in turn.

    Seconds, peak memory, the share of the machine's own rate, and the largest
    difference from the definition in float64. What cannot run is named with its reason.
    """
    from rich.console import Console

    from longctx_edu.benchmarks import draw_benchmark, run_benchmark, show_benchmark
    from longctx_edu.benchmarks.figure import check_figure
    from longctx_edu.plotting import save_figure

    plan = read_plan(impls, peers, asked, how)
    keep = keeping(json_file)
    if figure is not None:
        check_figure(figure)
    try:
        report = run_benchmark(plan, progress=not quiet, save=keep)
    except KeyboardInterrupt:
        kept = f"; what was measured is in {json_file}" if json_file else ""
        raise KeyboardInterrupt(f"stopped by Ctrl-C{kept}") from None
    console = Console()
    show_benchmark(report, console)
    axes = None if figure is None else draw_benchmark(report)
    if axes is not None:
        save_figure(axes, figure)
    files = [str(path) for path in (json_file, axes and figure) if path]
    if files:
        console.print(f"\nkept in {', '.join(files)}", markup=False, soft_wrap=True)


def read_plan(impls: str, peers: str, asked: AskedOptions, how: MeasureOptions) -> Any:
    """Make the plan of the options, and set the threads.

    Args:
        impls: Which of ours.
        peers: Which peers.
        asked: Which attention.
        how: How it is measured.

    Raises:
        ValueError: If a value is outside its range, or a name is unknown.
    """
    import torch

    from longctx_edu.benchmarks import OURS, PEERS, Plan, Setting, chosen

    if how.threads is not None:
        if how.threads < 1:
            raise UserError(f"need --threads >= 1, got {how.threads}")
        torch.set_num_threads(how.threads)
    return Plan(
        (*chosen(impls, OURS, "implementation"), *chosen(peers, PEERS, "peer")),
        setting=Setting(**vars(asked)),
        lengths=whole_numbers(how.lengths),
        dtypes=words(how.dtype),
        modes=words(how.modes),
        repeats=how.repeats,
        budget_s=how.budget_seconds,
        dense_up_to=how.dense_up_to,
        variants=how.variants,
    )


def words(text: str) -> tuple[str, ...]:
    """Read words with commas between them.

    Example:
        >>> words("float32, bfloat16")
        ('float32', 'bfloat16')
    """
    return tuple(word.strip() for word in text.split(",") if word.strip())


def whole_numbers(text: str) -> tuple[int, ...]:
    """Read whole numbers with commas between them.

    Raises:
        UserError: If one is none.

    Example:
        >>> whole_numbers("1024,4096")
        (1024, 4096)
    """
    try:
        return tuple(int(word) for word in words(text))
    except ValueError:
        said = f"need --lengths as whole numbers with commas, got {text!r}"
        raise UserError(said) from None


def keeping(path: Path | None) -> Any:
    """Return what keeps a report in a file, all of it or as it was before.

    Args:
        path: The file; None where nothing is kept.

    Raises:
        UserError: If nothing can be written there; asked before anything is measured.
    """
    from longctx_edu.training.files import write_text

    if path is None:
        return lambda report: None
    if path.is_dir():
        raise UserError(f"need a file as --json, got the folder {path}")

    def keep(report: dict[str, Any]) -> None:
        try:
            write_text(path, json.dumps(report, indent=2) + "\n")
        except UserError as error:
            reason = getattr(error.__cause__, "strerror", None) or str(error)
            advice = "choose another file with --json"
            raise UserError(f"cannot write {path}: {reason}; {advice}") from error

    return keep
