"""Our window attention inside encoders of transformers.

`register()` makes the name `longctx_window` known; a model that is loaded with
`attn_implementation="longctx_window"` then reads `longctx_left` and `longctx_right`
from its config and takes `longctx_global` with each call.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from longctx_edu.attention import window_attention

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
    query: Float[Tensor, "batch head token d_head"],
    key: Float[Tensor, "batch head token d_head"],
    value: Float[Tensor, "batch head token d_head"],
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    longctx_global: Bool[Tensor, "batch token"] | None = None,
    **_,
) -> tuple[Float[Tensor, "batch token head d_head"], None]:
    out = window_attention(
        query,
        key,
        value,
        left=module.config.longctx_left,
        right=module.config.longctx_right,
        global_tokens=longctx_global,
        keep=None if attention_mask is None else attention_mask.bool(),
        scale=scaling,
        dropout=dropout,
    )
    return out.transpose(1, 2).contiguous(), None


def _mask(*_, attention_mask: Tensor | None = None, **__) -> Tensor | None:
    return attention_mask
