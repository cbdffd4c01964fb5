"""One visible training loop, and what makes it survive: `fit` is the way in."""

from longctx_edu.training.batches import bucketed_batches, plan_batches
from longctx_edu.training.checkpoints import (
    load_weights,
    read_config,
    save_config,
    save_weights,
)
from longctx_edu.training.config import TrainConfig
from longctx_edu.training.history import History
from longctx_edu.training.interrupts import Interrupted
from longctx_edu.training.loop import fit
from longctx_edu.training.optimizer import learning_rate_at, parameter_groups
from longctx_edu.training.precision import faster_precision

__all__ = [
    "History",
    "Interrupted",
    "TrainConfig",
    "bucketed_batches",
    "faster_precision",
    "fit",
    "learning_rate_at",
    "load_weights",
    "parameter_groups",
    "plan_batches",
    "read_config",
    "save_config",
    "save_weights",
]
