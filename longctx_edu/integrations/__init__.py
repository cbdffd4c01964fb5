"""Our attention inside real transformers models, and where such models are found."""

from longctx_edu.integrations.extend import extend_positions, use_window
from longctx_edu.integrations.pretrained import (
    PretrainedEncoder,
    find_pretrained,
    load_pretrained,
    table_length,
    without_pooling,
)
from longctx_edu.integrations.window import NAME, register

__all__ = [
    "NAME",
    "PretrainedEncoder",
    "extend_positions",
    "find_pretrained",
    "load_pretrained",
    "register",
    "table_length",
    "use_window",
    "without_pooling",
]
