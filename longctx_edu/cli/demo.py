"""`longctx demo`: the main job, three models that read the same long articles."""

from pathlib import Path
from typing import Annotated

from longctx_edu.cli.options import flag, option


def demo(
    out: Annotated[
        Path, option("The folder of report, figure and models.", default="runs/demo")
    ] = Path("runs/demo"),
    quick: flag("Fewer and shorter articles: a try in seconds.", "--quick") = False,
    quiet: flag("No progress bars.", "--quiet", "-q") = False,
) -> None:
    """Train three models on long articles, and compare F1 by distance and cost.

    Chunks of 128 tokens, full attention, and window + global tokens: the same size,
    the same budget, from scratch.
    """
    from longctx_edu.recipes.demo import run_demo

    run_demo(out, quick=quick, progress=not quiet)
