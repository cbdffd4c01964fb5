"""`longctx demo`: the main job, three models that read the same long articles."""

from pathlib import Path
from typing import Annotated

import typer

from longctx_edu.cli.options import flag
from longctx_edu.errors import UserError

QUICK = {"train_tokens": 30_000, "lengths": (256,), "test_tokens": 512, "n_test": 4}
"""Sizes that show in seconds that all works; the models learn little from so few."""


def demo(
    out: Annotated[
        Path, typer.Option(help="The folder of report, figure and models.")
    ] = Path("runs/demo"),
    seed: Annotated[int, typer.Option(help="Decides articles and weights.")] = 0,
    quick: flag("Few articles: whether it runs, not what is learnt.", "--quick") = (
        False
    ),
    overwrite: flag(
        "Begin anew in a folder that holds something else.", "--overwrite"
    ) = False,
    quiet: flag("No progress bars.", "--quiet", "-q") = False,
) -> None:
    """Train three models on long articles, and compare F1 by distance and cost.

    Chunks of 128 tokens, full attention, and window + global tokens: the same size,
    the same budget, from scratch. A demo that is there already is made anew.
    """
    if seed < 0:
        raise UserError(f"need --seed >= 0, got {seed}")
    need_own_folder(out, overwrite=overwrite)
    from rich.console import Console

    from longctx_edu.recipes.demo import FIGURE, DemoSizes, run_demo
    from longctx_edu.recipes.show_demo import show_demo
    from longctx_edu.training import Interrupted

    console = Console()
    sizes = DemoSizes(**QUICK) if quick else DemoSizes()
    try:
        report = run_demo(
            out,
            sizes=sizes,
            seed=seed,
            progress=not quiet,
            say=None if quiet else tell,
        )
    except Interrupted:
        raise KeyboardInterrupt("stopped; longctx demo begins it anew") from None
    show_demo(report, console)
    console.print(
        f"\nkept in {out}: report.json, {FIGURE}, and a folder a model",
        markup=False,
        soft_wrap=True,
    )


def need_own_folder(folder: Path, *, overwrite: bool) -> None:
    """Make sure that the demo overwrites nothing but a demo.

    Args:
        folder: Where it is to be kept.
        overwrite: The user has said that it may.

    Raises:
        UserError: If the folder holds something else, or is none.
    """
    if folder.is_file():
        raise UserError(f"need a folder as --out, got the file {folder}")
    if overwrite or not folder.is_dir() or not any(folder.iterdir()):
        return
    begun = {"chunks", "report.json"}
    if begun.isdisjoint(path.name for path in folder.iterdir()):
        raise UserError(
            f"need an empty folder or one with a demo, got {folder} with other files: "
            "choose another with --out, or say --overwrite"
        )


def tell(line: str) -> None:
    """Print the name of a stage on stderr, as the bars under it are.

    Args:
        line: What begins now.
    """
    typer.secho(line, bold=True, err=True)
