"""What a tagger is put together of: a model, and a reader that suits it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from longctx_edu.errors import UserError
from longctx_edu.integrations import (
    PretrainedEncoder,
    extend_positions,
    load_pretrained,
    table_length,
    use_window,
    without_pooling,
)
from longctx_edu.models import (
    TokenClassifier,
    Transitions,
    attention_named,
    build_tagger,
)
from longctx_edu.recipes.config import NerConfig
from longctx_edu.recipes.decoding import CRF
from longctx_edu.tasks import Reader, SubwordReader, WordReader, allowed

LONG = 4096
"""Tokens that a pretrained model reads at once through a window, if not said."""


@dataclass(frozen=True)
class Parts:
    """A model and its reader.

    Args:
        model: A token classifier.
        reader: How words become its inputs.
        table: Most tokens that it reads at once; None without a limit.
        backbone: The config of a pretrained encoder, as numbers; None from scratch.
    """

    model: nn.Module
    reader: Reader
    table: int | None = None
    backbone: dict[str, Any] | None = None


def scratch_parts(config: NerConfig, tags: Sequence[str]) -> Parts:
    """Make a model that knows nothing.

    Args:
        config: What it is made of.
        tags: The tags that it tells apart.
    """
    name = "window" if config.attention == "window" else "full"
    attention = attention_named(name, left=config.left, right=config.right)
    steps = _transitions(config, tags)
    model = build_tagger(config.encoder, len(tags), attention, steps)
    return Parts(model, WordReader(config.encoder.n_buckets))


def pretrained_parts(config: NerConfig, tags: Sequence[str]) -> Parts:
    """Put a fresh task layer on a pretrained encoder.

    Args:
        config: Which encoder, and how it reads.
        tags: The tags that it tells apart.

    Raises:
        UserError: If it is not found, or cannot read as it should.
    """
    encoder, tokenizer = load_pretrained(config.model)
    if config.attention == "window":
        use_window(encoder, left=config.left, right=config.right)
        longest = max(LONG, config.size) if config.is_cut_to_size else LONG
        extend_positions(encoder, config.max_tokens or longest)
    return _around(encoder, tokenizer, config, tags)


def restored_parts(
    config: NerConfig, tags: Sequence[str], backbone: dict[str, Any], place: Path
) -> Parts:
    """Make the model of a saved tagger, its weights still to be loaded.

    Args:
        config: What it is made of.
        tags: The tags that it tells apart.
        backbone: The config of its encoder.
        place: The folder of its tokenizer.

    Raises:
        UserError: If there is no tokenizer.
    """
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    if not place.is_dir():
        raise UserError(f"need the tokenizer in {place}, got none; train again")
    tokenizer = AutoTokenizer.from_pretrained(place, use_fast=True)
    numbers = dict(backbone)
    kind = numbers.pop("model_type")
    encoder = AutoModel.from_config(
        AutoConfig.for_model(kind, **numbers), **without_pooling(kind)
    )
    if config.attention == "window":
        use_window(encoder, left=config.left, right=config.right)
    return _around(encoder, tokenizer, config, tags)


def _transitions(config: NerConfig, tags: Sequence[str]) -> Transitions | None:
    """Make what a CRF learns of steps between tags, where one was asked for."""
    return Transitions(*allowed(tags)) if config.decoding == CRF else None


def _around(
    encoder: Any, tokenizer: Any, config: NerConfig, tags: Sequence[str]
) -> Parts:
    """Put a task layer on a pretrained encoder."""
    reader, table = SubwordReader(tokenizer), table_length(encoder.config)
    most = config.most_tokens
    if table is not None and most is not None and most > table:
        flag = "size" if config.is_cut_to_size else "max-tokens"
        raise UserError(
            f"need --{flag} <= {table}, the length of the position table of "
            f"{config.model}, got {most}; --attention window extends the table"
        )
    width = encoder.config.hidden_size
    model = TokenClassifier(
        PretrainedEncoder(encoder),
        width,
        len(tags),
        config.dropout,
        _transitions(config, tags),
    )
    backbone = encoder.config.to_diff_dict() | {"model_type": encoder.config.model_type}
    return Parts(model, reader, table, backbone)
