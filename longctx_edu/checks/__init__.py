"""Automatic checks of the exercises: one module a lesson, one report for all.

    from longctx_edu.checks.lesson_01 import check_causal_mask
    check_causal_mask(my_causal_mask)

A check says in words which property fails first, on the smallest input that shows it.
"""

from longctx_edu.checks.ask import ask, is_tensor, on_error, tensor_of
from longctx_edu.checks.compare import agree, close, likely
from longctx_edu.checks.largest import largest_tensor
from longctx_edu.checks.report import CheckFailed, Verdict, check, require
from longctx_edu.checks.show import show

__all__ = [
    "CheckFailed",
    "Verdict",
    "agree",
    "ask",
    "check",
    "close",
    "is_tensor",
    "largest_tensor",
    "likely",
    "on_error",
    "require",
    "show",
    "tensor_of",
]
