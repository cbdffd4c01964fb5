"""Optimisers as they stand in their papers, and what else keeps a training in hand.

`SGD`, `Adam` and `AdamW` are torch optimisers: a schedule, a checkpoint and a training
loop take them like torch's own, with which they agree. The rule of each stands in a
function of tensors beside it.
"""

from longctx_edu.optim.adam import Adam, AdamW, adam_direction
from longctx_edu.optim.clipping import clip_gradients
from longctx_edu.optim.dropout import dropout
from longctx_edu.optim.sgd import SGD, momentum_direction

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "adam_direction",
    "clip_gradients",
    "dropout",
    "momentum_direction",
]
