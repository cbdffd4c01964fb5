"""Who may look at whom: patterns that compose, one a file.

In every mask True means: this query may look at this key.
"""

from longctx_edu.masks.causal import causal
from longctx_edu.masks.document import document
from longctx_edu.masks.global_tokens import global_tokens
from longctx_edu.masks.padding import padding
from longctx_edu.masks.predicate import Predicate, dense_mask
from longctx_edu.masks.window import check_window, window

__all__ = [
    "Predicate",
    "causal",
    "check_window",
    "dense_mask",
    "document",
    "global_tokens",
    "padding",
    "window",
]
