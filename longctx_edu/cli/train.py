"""`longctx train`: from a data set to a trained, scored and saved model."""

import shlex
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from longctx_edu.cli.data_options import DataOptions, absolute, load_splits
from longctx_edu.cli.ner_options import (
    ModelOptions,
    TrainOptions,
    ner_config,
    over,
    train_config,
)
from longctx_edu.cli.options import flag, given, option, takes_options
from longctx_edu.errors import UserError


@dataclass(frozen=True)
class RunOptions:
    """The options that say where a run is kept, and whether it goes on."""

    panel: ClassVar[str] = "The run"

    out: Annotated[
        Path | None,
        option("The run's folder.", default="runs/ner-DATA-MODEL-ATTENTION..."),
    ] = None
    resume: flag("Continue the run in --out, with its own settings.", "--resume") = (
        False
    )
    overwrite: flag("Begin anew where --out holds a run.", "--overwrite") = False
    quiet: flag("No progress bars.", "--quiet", "-q") = False


@takes_options
def ner(
    data: DataOptions, model: ModelOptions, training: TrainOptions, run: RunOptions
) -> None:
    """Train a tagger of named entities, score it, and print the five steps.

    Weights, settings, report and figures are kept in the folder --out. A run that
    was stopped goes on with: longctx train ner --resume --out FOLDER. With --seeds,
    each seed has a folder in it, and the mean and spread of all are printed.
    """
    from longctx_edu.cli.seeds import is_several, train_several
    from longctx_edu.recipes.ner import read_settings, train_ner
    from longctx_edu.recipes.seeds import need_no_seeds
    from longctx_edu.training import Interrupted
    from longctx_edu.training.state import need_no_state

    out, stored = run.out or default_folder(data, model), {}
    if run.resume:
        stored = read_settings(out)
        data = over(data, stored["data"])
        model = over(model, stored["model"])
        training = over(training, stored["training"])
    several = is_several(training, stored)
    config = ner_config(model)
    how = train_config(training, is_pretrained=config.is_pretrained)
    if not run.resume and not run.overwrite:
        need_no_state(out, overwrite=False)
        need_no_seeds(out, overwrite=False)
    splits = load_splits(data)
    kept = {
        "folder": out,
        "resume": run.resume,
        "overwrite": run.overwrite,
        "progress": not run.quiet,
        "settings": {
            "data": given(absolute(data)),
            "model": config.to_json(),
            "training": asdict(how),
        },
    }
    if several:
        return train_several(splits, config, how, n_seeds=training.seeds, **kept)
    if run.overwrite:
        need_no_seeds(out, overwrite=True)
    try:
        done = train_ner(splits, config, how, **kept)
    except Interrupted as stop:
        raise KeyboardInterrupt(how_to_go_on(stop.folder, stop.step)) from None
    finish(done.report, out)


def default_folder(data: DataOptions, model: ModelOptions) -> Path:
    """Name the folder of a run after what is trained.

    What is read at once, and how tags are read off, stand in it where they are not
    as they are by default.

    Args:
        data: Options of the data.
        model: Options of the model.

    Raises:
        UserError: If no data is named.

    Example:
        >>> default_folder(DataOptions("wnut17"), ModelOptions("minilm")).as_posix()
        'runs/ner-wnut17-minilm-window'
        >>> model = ModelOptions("minilm", context="document", decoding="crf")
        >>> default_folder(DataOptions("wnut17"), model).as_posix()
        'runs/ner-wnut17-minilm-window-document-crf'
    """
    if data.data is None:
        raise UserError(
            "need --data with a data set, a file or a folder, or --resume with --out, "
            "got neither"
        )
    names = [data.data, model.model or "scratch", model.attention or "window"]
    names += [model.context] if model.context not in (None, "packed") else []
    names += [model.decoding] if model.decoding not in (None, "greedy") else []
    return Path("runs") / "-".join(["ner", *(Path(name).stem for name in names)])


def how_to_go_on(folder: Path | None, step: int, *, what: str = "ner") -> str:
    """Say what Ctrl-C left, and the command that continues it.

    Args:
        folder: Where a state is saved; None where none is.
        step: The steps that this state holds.
        what: The word behind `longctx train`.

    Example:
        >>> print(how_to_go_on(Path("runs/a"), 7))
        stopped after step 7; continue with: longctx train ner --resume --out runs/a
    """
    if folder is None:
        return "stopped before a state was saved; start the same command again"
    command = f"longctx train {what} --resume --out {shlex.quote(str(folder))}"
    return f"stopped after step {step}; continue with: {command}"


def finish(report: dict[str, Any], folder: Path) -> None:
    """Draw the figures of a run and print its report.

    Args:
        report: What `report.json` holds.
        folder: Where the figures go.
    """
    from rich.console import Console

    from longctx_edu.recipes.figures import write_figures
    from longctx_edu.recipes.show import show_report

    figures = write_figures(report, folder)
    show_report(report, Console(), folder=folder, figures=figures)
