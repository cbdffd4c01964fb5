"""Recall tasks: how far back does a model find what it is asked for?

Texts of token ids, mostly noise, in which some evidence stands and is asked for later.
The distance between the two is a dial, and each asked distance comes as often as the
others, so that accuracy can be drawn against distance. A sample is made from its
config and its number alone, at any length, in milliseconds.
"""

from longctx_edu.data.recall.associative import AssociativeConfig, associative_recall
from longctx_edu.data.recall.config import ASK, MARK, RecallConfig
from longctx_edu.data.recall.copying import CopyingConfig, copying
from longctx_edu.data.recall.needle import NeedleConfig, needle
from longctx_edu.data.recall.passkey import PasskeyConfig, passkey
from longctx_edu.data.recall.sample import NO_ANSWER, Recall, stack_recall
from longctx_edu.data.recall.show import show
from longctx_edu.data.recall.variables import VariablesConfig, variable_tracking

__all__ = [
    "ASK",
    "MARK",
    "NO_ANSWER",
    "AssociativeConfig",
    "CopyingConfig",
    "NeedleConfig",
    "PasskeyConfig",
    "Recall",
    "RecallConfig",
    "VariablesConfig",
    "associative_recall",
    "copying",
    "needle",
    "passkey",
    "show",
    "stack_recall",
    "variable_tracking",
]
