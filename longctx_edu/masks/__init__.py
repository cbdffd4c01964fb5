"""Who may look at whom: patterns that compose, one a file.

In every mask True means: this query may look at this key.
"""

from longctx_edu.masks.blocks import blocks, check_size
from longctx_edu.masks.causal import causal
from longctx_edu.masks.convention import from_convention, to_convention
from longctx_edu.masks.convention_row import Convention, Sides
from longctx_edu.masks.convention_table import CONVENTIONS
from longctx_edu.masks.document import document
from longctx_edu.masks.global_tokens import global_tokens
from longctx_edu.masks.layouts import global_blocks, random_blocks, window_blocks
from longctx_edu.masks.padding import padding
from longctx_edu.masks.predicate import Predicate, dense_mask
from longctx_edu.masks.sinks import check_sinks, window_with_sinks
from longctx_edu.masks.window import check_window, window

__all__ = [
    "CONVENTIONS",
    "Convention",
    "Predicate",
    "Sides",
    "blocks",
    "causal",
    "check_sinks",
    "check_size",
    "check_window",
    "dense_mask",
    "document",
    "from_convention",
    "global_blocks",
    "global_tokens",
    "padding",
    "random_blocks",
    "to_convention",
    "window",
    "window_blocks",
    "window_with_sinks",
]
