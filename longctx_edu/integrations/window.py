"""Our window attention inside models of transformers.

`register()` makes the name `longctx_window` known; a model that is loaded with
`attn_implementation="longctx_window"` then reads `longctx_left`, `longctx_right`,
`longctx_dilation` and `longctx_global_tokens` from its config, or from each call,
`model(ids, longctx_left=128)`, which wins.

The pattern holds on every layer. A layer with a window of its own (ModernBERT,
Mistral) keeps it: the narrower of the two holds, and global tokens cross both.
A causal model stays causal, and each text sees its own real tokens only.
"""

from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from longctx_edu.attention import window_attention
from longctx_edu.errors import UserError
from longctx_edu.integrations.cached import cached_attention
from longctx_edu.integrations.pattern import Pattern, flag_globals, read_pattern
from longctx_edu.integrations.refuse import (
    refuse_arguments,
    refuse_hidden_window,
    refuse_mask,
    refuse_two_texts,
)

NAME = "longctx_window"
"""What `attn_implementation` is called."""


def register() -> None:
    """Tell transformers of the window attention and of its mask.

    The mask stays what the user gave, one flag a token: a mask of every query and
    key would cost what the window saves. Without a mask under the same name,
    transformers would pass none, and padding would be read as text.
    """
    from transformers import AttentionInterface, AttentionMaskInterface

    AttentionInterface.register(NAME, _attention)
    AttentionMaskInterface.register(NAME, _mask)


def _attention(
    module: torch.nn.Module,
    query: Float[Tensor, "batch head query d_head"],
    key: Float[Tensor, "batch kv_head key d_head"],
    value: Float[Tensor, "batch kv_head key d_value"],
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **given: Any,
) -> tuple[Float[Tensor, "batch query head d_value"], None]:
    """Attend as transformers asks for it; its own names and axes."""
    config = module.config
    refuse_arguments(config.model_type, given)
    refuse_two_texts(config)
    refuse_hidden_window(config, given)
    causal = given.get("is_causal")
    causal = getattr(module, "is_causal", True) if causal is None else causal
    cached = query.shape[2] != key.shape[2]
    if cached and not causal:
        raise UserError(
            f"need as many keys as queries, got {query.shape[2]} queries and "
            f"{key.shape[2]} keys: a window has no meaning across two texts"
        )
    pattern = read_pattern(config, given, causal=causal)
    keep, flags = _tokens(pattern, attention_mask, key, cached)
    left, right = _narrower(pattern, given.get("sliding_window"))
    more = {"keep": keep, "scale": scaling, "dropout": dropout}
    more |= {"left": left, "dilation": pattern.dilation}
    if cached:
        out = cached_attention(query, key, value, flags=flags, **more)
    else:
        more |= {"right": right, "causal": causal}
        out = window_attention(query, key, value, global_tokens=flags, **more)
    return out.transpose(1, 2).contiguous(), None


def _tokens(
    pattern: Pattern, mask: Tensor | None, key: Tensor, cached: bool
) -> tuple[Bool[Tensor, "batch key"] | None, Bool[Tensor, "batch key"] | None]:
    """Flag the real tokens and the global ones; None where all are, where none is.

    A mask that is longer than the keys tells of tokens that the cache has dropped.
    """
    if mask is not None:
        _need_flags(mask)
        mask = mask.bool()
    n_dropped = 0 if mask is None else mask.shape[1] - key.shape[2]
    flags = flag_globals(
        pattern.global_tokens,
        mask,
        batch=len(key),
        n_tokens=key.shape[2] + n_dropped,
        cached=cached,
        device=key.device,
    )
    if not n_dropped:
        return mask, flags
    if flags is not None and flags.any():
        raise UserError(
            "need a cache that keeps every key for global tokens, got one that has "
            f"dropped the first {n_dropped}: pass past_key_values=DynamicCache()"
        )
    return mask[:, n_dropped:], None


def _narrower(pattern: Pattern, own: int | None) -> tuple[int | None, int | None]:
    """Keep a layer's own window, which counts the token itself, where it is less."""
    sides = pattern.left, pattern.right
    if not own:
        return sides
    most = (own - 1) // pattern.dilation
    left, right = (most if side is None else min(side, most) for side in sides)
    return left, right


def _need_flags(mask: Tensor) -> None:
    if mask.ndim != 2:
        raise UserError(
            "need an attention_mask of shape (batch, token), a flag a token, got shape "
            f"{tuple(mask.shape)}: say who looks at whom with longctx_left, "
            "longctx_right, longctx_dilation and longctx_global_tokens"
        )


def _mask(
    *,
    batch_size: int,
    q_length: int,
    kv_length: int,
    q_offset: int | Tensor = 0,
    kv_offset: int = 0,
    mask_function: Any = None,
    attention_mask: Tensor | None = None,
    config: Any = None,
    device: Any = None,
    **_: Any,
) -> Bool[Tensor, "batch token"] | None:
    """Return a flag for each token from the first to the last key; None if all real.

    Flags of tokens that the cache has dropped stay, so that the attention can tell.
    """
    refuse_two_texts(config)
    refuse_mask(mask_function)
    n_tokens, n_key = int(q_offset) + q_length, kv_offset + kv_length
    if attention_mask is not None:
        _need_flags(attention_mask)
        if attention_mask.shape[1] != n_tokens:
            raise UserError(
                f"need an attention_mask with a flag for each of {n_tokens} tokens, "
                f"cached ones included, got {attention_mask.shape[1]}"
            )
    if n_tokens != n_key:
        raise UserError(
            f"need a cache that grows with the text, got one with room for {n_key} "
            f"keys at {n_tokens} tokens: use DynamicCache, the default of generate()"
        )
    if attention_mask is not None and (kv_offset or not attention_mask.all()):
        return attention_mask.bool()
    if kv_offset:
        return torch.ones(batch_size, n_tokens, dtype=torch.bool, device=device)
    return None
