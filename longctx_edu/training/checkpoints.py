"""A model on disk: `model.safetensors` with the weights, `config.json` beside it.

Nothing is unpickled: a pickle can run any code while it is read.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from longctx_edu.errors import UserError
from longctx_edu.training.files import (
    read_header,
    read_tensors,
    write_tensors,
    write_text,
)

WEIGHTS, CONFIG = "model.safetensors", "config.json"
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt")


def copy_weights(model: nn.Module) -> dict[str, Tensor]:
    """Copy a model's weights to the CPU; tied weights become separate copies.

    Args:
        model: Any module; buffers that it saves are copied too.

    Example:
        >>> {name: tuple(w.shape) for name, w in copy_weights(nn.Linear(3, 2)).items()}
        {'weight': (2, 3), 'bias': (2,)}
    """
    return {
        name: weight.detach().to("cpu", copy=True).contiguous()
        for name, weight in model.state_dict().items()
    }


def save_config(config: Mapping, folder: str | Path) -> None:
    """Save what is needed to build a model again, as `config.json`.

    Args:
        config: Anything that JSON holds.
        folder: Made where it is missing.

    Raises:
        UserError: If it cannot be written.
    """
    text = json.dumps(dict(config), indent=2, ensure_ascii=False)
    write_text(Path(folder) / CONFIG, text + "\n")


def save_weights(model: nn.Module, config: Mapping | None, folder: str | Path) -> None:
    """Save a model, each file whole or not at all.

    Args:
        model: Its weights become `model.safetensors`.
        config: Becomes `config.json`; None = not written.
        folder: Made where it is missing.

    Raises:
        UserError: If it cannot be written.
    """
    if config is not None:
        save_config(config, folder)
    write_tensors(Path(folder) / WEIGHTS, copy_weights(model))


def read_config(folder: str | Path) -> dict:
    """Read a saved model's `config.json`.

    Args:
        folder: Where `save_weights` wrote.

    Raises:
        UserError: If there is no such folder or file, or it holds no JSON object.
    """
    path = _existing(Path(folder)) / CONFIG
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"need {CONFIG} in {folder}, got none") from None
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {error}") from error
    if not isinstance(config, dict):
        raise UserError(f"need a JSON object in {path}, got {type(config).__name__}")
    return config


def load_weights(model: nn.Module, folder: str | Path) -> None:
    """Put saved weights into a model of the same architecture.

    Args:
        model: Built beforehand; untouched if anything is refused.
        folder: Where `save_weights` wrote, or the safetensors file itself.

    Raises:
        UserError: If nothing is there, the file is truncated or a pickle, or the
            weights are of another architecture.
    """
    path = _weights_file(Path(folder))
    _, shapes = read_header(path)
    need_same_architecture(model, shapes, path)
    model.load_state_dict(read_tensors(path))


def need_same_architecture(
    model: nn.Module, shapes: Mapping[str, tuple[int, ...]], path: Path
) -> None:
    """Refuse weights whose names or shapes are not the model's.

    Args:
        model: What the weights are for.
        shapes: Shape of each weight in the file.
        path: The file, for the message.

    Raises:
        UserError: Naming what is missing, unexpected and of the wrong shape.

    Example:
        >>> need_same_architecture(nn.Linear(3, 2), {"weight": (4, 3)}, Path("m"))
        Traceback (most recent call last):
        longctx_edu.errors.UserError: m holds another architecture: missing bias; \
wrong shape weight (file 4 x 3, model 2 x 3)
    """
    own = {name: tuple(weight.shape) for name, weight in model.state_dict().items()}
    wrong = [
        f"{name} (file {_size(shapes[name])}, model {_size(own[name])})"
        for name in own
        if name in shapes and shapes[name] != own[name]
    ]
    found = {
        "missing": [name for name in own if name not in shapes],
        "unexpected": [name for name in shapes if name not in own],
        "wrong shape": wrong,
    }
    parts = [f"{kind} {_first(names)}" for kind, names in found.items() if names]
    if parts:
        raise UserError(f"{path} holds another architecture: {'; '.join(parts)}")


def _existing(folder: Path) -> Path:
    if not folder.exists():
        raise UserError(
            f"need a folder with a saved model, got {folder}: no such folder"
        )
    return folder


def _weights_file(place: Path) -> Path:
    _existing(place)
    if place.is_file() and place.suffix not in PICKLES:
        return place
    if (place / WEIGHTS).is_file():
        return place / WEIGHTS
    files = [place] if place.is_file() else sorted(place.iterdir())
    pickles = [file for file in files if file.suffix in PICKLES]
    if pickles:
        raise UserError(
            f"need weights as {WEIGHTS}, got the pickle {pickles[0]}: a pickle can run "
            "any code, so it is not read; save the model as safetensors"
        )
    raise UserError(f"need {WEIGHTS} in {place}, got none")


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(str(size) for size in shape) or "a number"


def _first(names: list[str], most: int = 3) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
