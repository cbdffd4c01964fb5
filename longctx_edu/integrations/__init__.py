"""Our attention inside real transformers models, and where such models are found.

transformers itself is imported by the functions that need it, when they are called.
"""

from longctx_edu.integrations.extend import extend_positions
from longctx_edu.integrations.families import TESTED, families
from longctx_edu.integrations.long import load_long, make_long, use_window
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
    "TESTED",
    "PretrainedEncoder",
    "extend_positions",
    "families",
    "find_pretrained",
    "load_long",
    "load_pretrained",
    "make_long",
    "register",
    "table_length",
    "use_window",
    "without_pooling",
]
