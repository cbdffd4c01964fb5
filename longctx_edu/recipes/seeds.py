"""The same training with several seeds: each a run of its own, and their mean."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from longctx_edu.data.cut import Splits
from longctx_edu.errors import UserError
from longctx_edu.metrics import over_seeds
from longctx_edu.recipes.config import NerConfig
from longctx_edu.recipes.ner import (
    PARTS,
    REPORT,
    SETTINGS,
    describe_data,
    read_settings,
    train_ner,
    write_json,
)
from longctx_edu.training import TrainConfig
from longctx_edu.training.checkpoints import WEIGHTS
from longctx_edu.training.files import read_header, remove
from longctx_edu.training.state import FREE, STATE, need_no_state, need_same

SEEDS, PREFIX = "seeds.json", "seed-"


def train_seeds(
    splits: Splits,
    config: NerConfig,
    training: TrainConfig,
    *,
    n_seeds: int,
    folder: str | Path,
    resume: bool = False,
    overwrite: bool = False,
    progress: bool = True,
    settings: dict[str, Any] | None = None,
    on_run: Callable[[int, Path, dict[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """Train once with each of the seeds `training.seed`, `training.seed` + 1, ...

    Each run is one of `train_ner`, in the folder `seed-N` of its seed. Continued, a
    run that is finished is not touched, one that was begun goes on, and the others
    begin; a larger `n_seeds` than before adds runs.

    Args:
        splits: What `longctx_edu.data.catalogue.load` returns.
        config: What the taggers are made of.
        training: How they are trained; its seed is the first.
        n_seeds: How many runs, two or more.
        folder: Keeps the folders of the runs, and `seeds.json`.
        resume: Continue the runs in the folder.
        overwrite: Begin anew in a folder that holds runs.
        progress: Show bars.
        settings: What was asked for, kept with each run and in the folder.
        on_run: Called with the seed, the folder and the report of each run.

    Raises:
        UserError: If data, model and folder do not fit together.
        Interrupted: At Ctrl-C, after the state was saved.

    Returns:
        What `seeds.json` holds: see `seed_summary`.
    """
    folder, settings = Path(folder), settings or {}
    settings = {**settings, "training": asdict(training)}
    if resume:
        _need_same_runs(folder, settings, n_seeds)
    elif n_seeds < 2:
        raise UserError(f"need at least 2 seeds, got {n_seeds}")
    else:
        need_no_seeds(folder, overwrite=overwrite)
        need_no_state(folder, overwrite=overwrite)
        remove(folder / REPORT)
    whole = {**settings, "training": {**asdict(training), "seeds": n_seeds}}
    write_json(whole, folder / SETTINGS)
    reports = {}
    for seed in range(training.seed, training.seed + n_seeds):
        own = replace(training, seed=seed)
        place = folder / f"{PREFIX}{seed}"
        report = _finished_report(place, splits) if resume else None
        if report is None:
            report = train_ner(
                splits,
                config,
                own,
                folder=place,
                resume=resume and (place / STATE).exists(),
                progress=progress,
                settings={**settings, "training": asdict(own)},
            ).report
        if on_run is not None:
            on_run(seed, place, report)
        reports[seed] = report
    summary = seed_summary(reports)
    write_json(summary, folder / SEEDS)
    return summary


def seed_summary(reports: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """Take the scores of runs that differ in their seed together.

    Args:
        reports: What `train_ner` reports, by seed.

    Returns:
        "data": its name; "seeds"; "dev": F1 of the epochs that were kept, where there
        is a dev split; "test": every score that is one number; "types": F1 by entity
        type. A score has its values, mean, spread and interval, see `over_seeds`.
    """
    runs = list(reports.values())
    first = runs[0]
    names = [name for name, value in first["test"].items() if isinstance(value, float)]
    rows = first["test"]["per_type"]
    types = [name for name in rows if rows[name]["support"] and name != "micro"]
    dev = [_dev_f1(run["history"]) for run in runs]
    return {
        "data": first["data"]["name"],
        "seeds": list(reports),
        "dev": {} if None in dev else {"f1": _together(dev)},
        "test": {name: _together([r["test"][name] for r in runs]) for name in names},
        "types": {
            name: _together([r["test"]["per_type"][name]["f1"] for r in runs])
            for name in types
        },
    }


def need_no_seeds(folder: Path, *, overwrite: bool) -> None:
    """Make sure that what is trained anew in a folder destroys no runs with seeds.

    Args:
        folder: Where it is to be kept.
        overwrite: True: what `train_seeds` left there is deleted.

    Raises:
        UserError: If the folder holds such runs.
    """
    places = [p for p in folder.glob(f"{PREFIX}*") if p.is_dir()]
    if overwrite and _n_seeds(folder):
        remove(folder / SEEDS)
        for place in places:
            need_no_state(place, overwrite=True)
            remove(place / REPORT)
    elif any((place / name).exists() for place in places for name in (STATE, WEIGHTS)):
        raise UserError(
            f"{folder} already holds runs with seeds: continue them with --resume, or "
            "choose another folder with --out"
        )


def _n_seeds(folder: Path) -> int:
    """Return how many seeds a folder was begun with; 0 if without any."""
    if not (folder / SETTINGS).exists():
        return 0
    return read_settings(folder)["training"].get("seeds", 0)


def _need_same_runs(folder: Path, settings: dict[str, Any], n_seeds: int) -> None:
    """Refuse to continue with other settings, or fewer seeds, than the runs have."""
    now = json.loads(json.dumps({part: settings.get(part, {}) for part in PARTS}))
    then = read_settings(folder)
    n_then = then["training"].pop("seeds", 0)
    if not n_then:
        raise UserError(
            f"need runs with seeds to continue, got a single run in {folder}: leave "
            "out --seeds, or choose another folder with --out"
        )
    if n_seeds < n_then:
        raise UserError(f"need --seeds >= {n_then}, as {folder} has, got {n_seeds}")
    for name in FREE:
        now["training"].pop(name, None), then["training"].pop(name, None)
    need_same(now, then, folder)


def _finished_report(place: Path, splits: Splits) -> dict[str, Any] | None:
    """Read the report of a run that has nothing left to do; None of any other."""
    if not ((place / REPORT).is_file() and (place / STATE).is_file()):
        return None
    if not read_header(place / STATE)[0]["at"]["finished"]:
        return None
    report = read_json(place / REPORT)
    now = json.loads(json.dumps(describe_data(splits)))
    need_same({"data": now}, {"data": report["data"]}, place)
    return report


def read_json(path: Path) -> dict[str, Any]:
    """Read a file that `write_json` wrote.

    Args:
        path: The file.

    Raises:
        UserError: If it cannot be read.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {error}") from None


def _dev_f1(history: dict[str, Any]) -> float | None:
    """Return F1 on dev of the epoch that was kept; None without a dev split."""
    best = history["best_epoch"]
    return None if best is None else history["epochs"][best - 1]["f1"]


def _together(values: Sequence[float]) -> dict[str, Any]:
    return asdict(over_seeds(values))
