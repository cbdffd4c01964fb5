"""A longer position table for a pretrained model."""

from typing import Any

import torch
from torch import Tensor, nn

from longctx_edu.errors import UserError
from longctx_edu.positions import extend_table

_TABLES = ("position_embeddings", "wpe", "embed_positions")

# Rotary positions whose angles depend on the token's place alone.
_FREE = ("default", "linear", "llama3", "proportional")


def extend_positions(model: Any, max_tokens: int) -> None:
    """Lengthen a learned position table by copying it over and over, in place.

    Every row is copied from a trained one: none is left as it was in memory. A model
    with rotary positions has no table; its config is told the new length.

    Args:
        model: A model of transformers, with or without a task head.
        max_tokens: Longest text afterwards, in tokens.

    Raises:
        UserError: If the length is no number of tokens, or the model has neither a
            table that can be lengthened nor rotary positions that reach further.

    Source: Longformer (Beltagy et al. 2020), section 5. Built in lesson 10.
    """
    if type(max_tokens) is not int or max_tokens < 1:
        raise UserError(
            f"need max_tokens that is a whole number >= 1, got {max_tokens}"
        )
    config, table = model.config, _table(model)
    if table is None:
        _extend_rotary(config, max_tokens)
        return
    # Rows before the position of the first token: RoBERTa's, OPT's.
    after_padding = 0 if table.padding_idx is None else table.padding_idx + 1
    first = getattr(table, "offset", after_padding)
    have = table.num_embeddings - first
    if have >= max_tokens:
        return
    rows = extend_table(table.weight.detach(), max_tokens, first=first)
    _extend_buffers(model, table.num_embeddings, len(rows))
    table.weight = nn.Parameter(rows, requires_grad=table.weight.requires_grad)
    table.num_embeddings = len(rows)
    config.max_position_embeddings += max_tokens - have


def _table(model: Any) -> nn.Embedding | None:
    """Find the table of learned positions."""
    for name, part in model.base_model.named_modules():
        if name.rpartition(".")[2] in _TABLES and isinstance(part, nn.Embedding):
            return part
    return None


def _extend_rotary(config: Any, max_tokens: int) -> None:
    """Tell a config with rotary positions the new length; they have no table."""
    have = config.max_position_embeddings
    if have is None or have >= max_tokens:
        return
    rotary = getattr(config, "rope_parameters", None) or {}
    kinds = {
        part["rope_type"]
        for part in [rotary, *rotary.values()]
        if isinstance(part, dict) and "rope_type" in part
    }
    if not kinds:
        raise UserError(
            f"need a model with a learned position table or rotary positions to read "
            f"{max_tokens} tokens, got {config.model_type}, which ends at {have}: use "
            "--attention chunks"
        )
    if not kinds <= set(_FREE):
        raise UserError(
            f"need rotary positions of type {', '.join(_FREE)} to read {max_tokens} "
            f"tokens, got {', '.join(sorted(kinds))}, whose angles depend on "
            f"max_position_embeddings={have}: set it in the config before the model "
            "is loaded"
        )
    config.max_position_embeddings = max_tokens


def _extend_buffers(model: Any, old: int, new: int) -> None:
    """Lengthen the buffers that hold a number for each row of the table."""
    for part in model.modules():
        for name in ("position_ids", "token_type_ids"):
            buffer = dict(part.named_buffers(recurse=False)).get(name)
            if buffer is not None and buffer.shape == (1, old):
                kept = name not in part._non_persistent_buffers_set
                longer = _longer(buffer, new, counts=name == "position_ids")
                part.register_buffer(name, longer, persistent=kept)


def _longer(buffer: Tensor, new: int, *, counts: bool) -> Tensor:
    """Make a row of positions, or of zeros, like the buffer but longer."""
    make = torch.arange if counts else torch.zeros
    return make(new, dtype=buffer.dtype, device=buffer.device)[None]
