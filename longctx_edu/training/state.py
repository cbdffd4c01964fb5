"""The saved state of a training run, and what has to match to continue it.

It is one safetensors file: weights, optimizer and random numbers as tensors,
everything else as JSON in its header.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from torch import Tensor, nn

from longctx_edu.errors import UserError
from longctx_edu.training.checkpoints import WEIGHTS, need_same_architecture
from longctx_edu.training.config import TrainConfig
from longctx_edu.training.files import read_header, read_tensors, remove

STATE = "state.safetensors"
FREE = ("save_every_s", "save_every_steps")  # may change when a run is continued


@dataclass
class Position:
    """The counters of a run, as a saved state holds them.

    Args:
        epoch: Epochs finished and scored.
        done: Steps taken in the epoch in progress.
        step: Steps taken in all.
        tokens: Tokens trained on, padding not counted.
        elapsed_s: Seconds of the whole run.
        training_s: Seconds of it in steps.
        best_epoch: The epoch with the best score, counted from 1.
        best_score: Its score.
        stopped_early: True where patience ran out.
        finished: True where nothing is left to do.
        precision: Number format of the matrix products, decided at the start.
    """

    epoch: int = 0
    done: int = 0
    step: int = 0
    tokens: int = 0
    elapsed_s: float = 0.0
    training_s: float = 0.0
    best_epoch: int | None = None
    best_score: float | None = None
    stopped_early: bool = False
    finished: bool = False
    precision: str = "fp32"

    @property
    def tokens_per_s(self) -> float:
        """Tokens per second of training steps."""
        return self.tokens / self.training_s if self.training_s else 0.0


def identity(
    config: TrainConfig,
    lengths: Sequence[int],
    *,
    monitor: str,
    describe: Mapping | None,
) -> dict[str, dict]:
    """Collect what decides a run's result, in the form that JSON keeps.

    Args:
        config: All but how often it saves.
        lengths: Tokens of each example, in order; stands for the data.
        monitor: The score that picks the best weights.
        describe: What the caller says of the model.

    Example:
        >>> identity(TrainConfig(), [3, 4], monitor="f1", describe=None)["data"]
        {'examples': 2, 'tokens': 7, 'digest of lengths': '21fa2eb0'}
    """
    settings = {k: v for k, v in asdict(config).items() if k not in FREE}
    digest = hashlib.sha256(json.dumps(list(lengths)).encode()).hexdigest()[:8]
    data = {"examples": len(lengths), "tokens": sum(lengths)}
    whole = {
        "config": settings | {"monitor": monitor},
        "data": data | {"digest of lengths": digest},
        "model": dict(describe or {}),
    }
    return json.loads(json.dumps(whole))


def need_no_state(folder: Path | None, *, overwrite: bool) -> None:
    """Make sure that a new run destroys none.

    Args:
        folder: Where the new run is kept; None = nowhere.
        overwrite: True: what the old run left is deleted.

    Raises:
        UserError: If the folder holds a run or a model, or cannot be written.
    """
    if folder is None:
        return
    if overwrite:
        remove(folder / STATE)
        remove(folder / WEIGHTS)
    elif (folder / STATE).exists():
        raise UserError(
            f"{folder} already holds a run: continue it with --resume, or choose "
            "another folder with --out"
        )
    elif (folder / WEIGHTS).exists():
        raise UserError(
            f"{folder} already holds a model: choose another folder with --out"
        )


def read_state(
    folder: Path | None, now: Mapping, model: nn.Module
) -> tuple[Position, dict[str, Tensor]]:
    """Read a saved state, if it belongs to this run.

    Args:
        folder: Where the run was kept.
        now: Has to be what the run began with, see `identity`.
        model: Has to be of the run's architecture.

    Returns:
        Where the run stands, and its tensors: none if it is finished.

    Raises:
        UserError: If there is no state, or it belongs to other settings, other data
            or another model: the message names what differs.
    """
    if folder is None:
        raise UserError("need a folder to resume from, got folder=None")
    path = folder / STATE
    if not path.is_file():
        raise UserError(
            f"nothing to resume in {folder}: no {STATE}; start it without --resume"
        )
    header, shapes = read_header(path)
    if not {"at", "identity"} <= header.keys():
        raise UserError(f"{path} is no state of a training run; choose another folder")
    need_same(now, header["identity"], folder)
    at = Position(**header["at"])
    if not at.finished:
        names = {key: key.removeprefix("weights/") for key in shapes}
        own = {name: shapes[key] for key, name in names.items() if key != name}
        need_same_architecture(model, own, path)
    return at, read_tensors(path)


def need_same(now: Mapping, then: Mapping, folder: Path) -> None:
    """Compare what was given with what the run began with, value by value.

    Args:
        now: Values by name, in parts by name: "config", "data", ...
        then: The same of the run.
        folder: Where the run is kept, for the message.

    Raises:
        UserError: If a value differs; the message names all that do.
    """
    new, old = (
        {f"{part} {k}": v for part, values in both.items() for k, v in values.items()}
        for both in (now, then)
    )
    differ = [key for key in new | old if new.get(key) != old.get(key)]
    if differ:
        came = "; ".join(
            f"{key} {new.get(key)!r}, not {old.get(key)!r}" for key in differ
        )
        raise UserError(
            f"cannot resume {folder} with other settings or data: got {came}; give "
            "what the run began with, or start another folder"
        )
