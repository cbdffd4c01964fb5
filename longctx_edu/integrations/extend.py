"""Make a pretrained encoder read texts longer than its position table."""

from typing import Any

import torch
from torch import nn

from longctx_edu.errors import UserError
from longctx_edu.integrations import window
from longctx_edu.integrations.pretrained import table_length

# Rows of the table before the position of the first token.
_OFFSET = {"roberta": 2, "xlm-roberta": 2, "camembert": 2}


def extend_positions(model: Any, max_tokens: int) -> None:
    """Lengthen a learned position table by copying it over and over, in place.

    Every row is copied from a trained one: none is left as it was in memory.

    Args:
        model: An encoder of transformers with a learned position table.
        max_tokens: Longest text afterwards, in tokens.

    Raises:
        UserError: If the model has no table that can be lengthened.

    Source: Longformer (Beltagy et al. 2020), section 5. Built in lesson 10.
    """
    config = model.config
    have = table_length(config)
    if have is None or have >= max_tokens:
        return
    table = getattr(getattr(model, "embeddings", None), "position_embeddings", None)
    if not isinstance(table, nn.Embedding):
        raise UserError(
            f"need a model with a learned position table to read {max_tokens} tokens, "
            f"got {config.model_type}, which ends at {have}: use --attention chunks"
        )
    first = _OFFSET.get(config.model_type, 0)
    body = table.weight.detach()[first : first + have]
    copies = -(-max_tokens // have)
    rows = torch.cat([table.weight.detach()[:first], body.repeat(copies, 1)])
    rows = rows[: first + max_tokens].clone()
    model.embeddings.position_embeddings = nn.Embedding.from_pretrained(
        rows, freeze=False, padding_idx=table.padding_idx
    )
    for name in ("position_ids", "token_type_ids"):
        if name in dict(model.embeddings.named_buffers()):
            old = getattr(model.embeddings, name)
            new = torch.arange(len(rows)) if name == "position_ids" else torch.zeros(
                len(rows), dtype=old.dtype
            )  # fmt: skip
            model.embeddings.register_buffer(
                name, new[None].to(old.device), persistent=False
            )
    config.max_position_embeddings = len(rows)


def use_window(model: Any, *, left: int, right: int) -> None:
    """Let every layer of an encoder attend within a window, in place.

    Args:
        model: An encoder of transformers.
        left: Keys visible before the query, itself not counted.
        right: Keys visible after the query, itself not counted.

    Raises:
        UserError: If transformers cannot exchange this model's attention.
    """
    # Else transformers says no more than a warning, and keeps the full attention.
    if not getattr(model, "_supports_attention_backend", False):
        raise UserError(
            f"need a model whose attention can be exchanged, got "
            f"{model.config.model_type}: BERT, RoBERTa, DistilBERT, ELECTRA and "
            "ModernBERT can"
        )
    window.register()
    model.config.longctx_left, model.config.longctx_right = left, right
    model.set_attn_implementation(window.NAME)
