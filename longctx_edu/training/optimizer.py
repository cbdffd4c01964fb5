"""Which parameter is moved how far: AdamW, its groups and its learning rate."""

import math
import re
from collections.abc import Sequence
from functools import partial

from torch import nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from longctx_edu.errors import UserError
from longctx_edu.training.config import TrainConfig

LAYER = re.compile(r"(?:^|\.)(?:\w*layers?|\w*blocks?|h)\.(\d+)\.")
"""Where the name of a parameter says which layer it is in, counted from 0."""


def learning_rate_at(step: int, total: int, warmup: int, schedule: str) -> float:
    """Give the share of the peak learning rate that a step takes.

    It rises in a straight line over the warm-up and reaches 1; then it falls
    towards 0 in a straight line or half a cosine, or stays.

    Args:
        step: Steps already taken.
        total: Steps of the whole run.
        warmup: Steps of the rise.
        schedule: "linear", "cosine" or "constant".

    Raises:
        ValueError: If the schedule is unknown.

    Example:
        >>> [learning_rate_at(step, 6, 2, "linear") for step in range(7)]
        [0.5, 1.0, 1.0, 0.75, 0.5, 0.25, 0.0]

    Source: Vaswani et al. 2017, section 5.3 (warm-up); Loshchilov and Hutter 2017,
    equation 5 (cosine). Built in lesson 08.
    """
    if step < warmup:
        return (step + 1) / warmup
    done = min((step - warmup) / max(total - warmup, 1), 1.0)
    if schedule == "constant":
        return 1.0
    if schedule == "linear":
        return 1.0 - done
    if schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * done))
    raise ValueError(
        f"need schedule in ('linear', 'cosine', 'constant'), got schedule={schedule!r}"
    )


def parameter_groups(model: nn.Module, config: TrainConfig) -> list[dict]:
    """Sort the trainable parameters by learning rate and weight decay.

    Biases and norms have one axis: they are not decayed. Parameters whose name
    starts with "head" take `head_learning_rate` where one is set. With `layer_decay`
    the others take less, the deeper they lie, see `layer_shares`.

    Args:
        model: Its parameters that need a gradient are taken.
        config: Learning rates and weight decay.

    Returns:
        The groups; with `layer_decay` the highest learning rate first.

    Raises:
        ValueError: If nothing can be trained, a rate for the head finds no head, or
            a decay from layer to layer no numbered layers.

    Example:
        >>> groups = parameter_groups(nn.Linear(3, 2), TrainConfig(weight_decay=0.5))
        >>> [(group["weight_decay"], len(group["params"])) for group in groups]
        [(0.5, 1), (0.0, 1)]

    Source: Loshchilov and Hutter 2019, algorithm 2. Built in lesson 08.
    """
    named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    if not named:
        raise ValueError("need a parameter that requires a gradient, got none")
    if config.head_learning_rate and not any(n.startswith("head") for n, _ in named):
        raise ValueError(
            "need parameters named 'head...' for head_learning_rate="
            f"{config.head_learning_rate}, got {', '.join(n for n, _ in named[:5])}"
        )
    names = [name for name, _ in model.named_parameters()]
    by_depth = config.layer_decay not in (None, 1.0)
    shares = layer_shares(names, config.layer_decay) if by_depth else {}
    groups: dict[tuple[float, float], dict] = {}
    for name, parameter in named:
        rate = config.learning_rate * shares.get(name, 1.0)
        if config.head_learning_rate and name.startswith("head"):
            rate = config.head_learning_rate
        decay = config.weight_decay if parameter.ndim > 1 else 0.0
        # LambdaLR continues a run from "initial_lr".
        empty = {"params": [], "lr": rate, "initial_lr": rate, "weight_decay": decay}
        groups.setdefault((rate, decay), empty)["params"].append(parameter)
    if by_depth:
        return sorted(groups.values(), key=lambda group: -group["lr"])
    return list(groups.values())


def layer_shares(names: Sequence[str], decay: float) -> dict[str, float]:
    """Give the share of the learning rate that each parameter takes, by its depth.

    What is named "head..." takes all; the last layer takes `decay`, and with it what
    comes behind the layers, such as a last norm; each layer below `decay` times
    that of the one above; embeddings, and what else comes before the layers, least.

    Args:
        names: Names of all parameters of a model, in its order.
        decay: The share from a layer to the one below.

    Raises:
        UserError: If no name tells the number of a layer.

    Example:
        >>> names = ["embedding.weight", "layers.0.weight", "layers.1.weight", "head"]
        >>> list(layer_shares(names, 0.5).values())
        [0.125, 0.25, 0.5, 1.0]

    Source: Howard and Ruder 2018, section 3.2; Clark et al. 2020, appendix A.
    """
    heads = {name for name in names if name.startswith("head")}
    found = {name: LAYER.search(name) for name in names if name not in heads}
    layers = {name: int(match[1]) for name, match in found.items() if match}
    if not layers:
        raise UserError(
            "need parameters in numbered layers, such as 'layers.0.weight', for "
            f"layer_decay={decay}, got {', '.join(names[:5])}: use layer_decay=1"
        )
    last, seen, shares = max(layers.values()), False, {}
    for name in names:
        seen = seen or name in layers
        outside = -1 if "embed" in name or not seen else last
        below = last - layers.get(name, outside)
        shares[name] = 1.0 if name in heads else decay ** (below + 1)
    return shares


def build_optimizer(
    model: nn.Module, config: TrainConfig, *, total: int, step: int = 0
) -> tuple[AdamW, LambdaLR]:
    """Build the optimizer and its schedule, as they stand before a given step.

    Args:
        model: Its trainable parameters are optimised.
        config: Learning rates, decay, warm-up, schedule.
        total: Steps of the whole run.
        step: Steps already taken; 0 for a new run.

    Example:
        >>> config = TrainConfig(learning_rate=1.0, warmup=0.5)
        >>> _, schedule = build_optimizer(nn.Linear(3, 2), config, total=8, step=1)
        >>> schedule.get_last_lr()
        [0.5, 0.5]
    """
    groups = parameter_groups(model, config)
    on_cpu = all(x.device.type == "cpu" for group in groups for x in group["params"])
    # One pass over the weights instead of ten; elsewhere torch chooses well itself.
    optimizer = AdamW(groups, fused=True if on_cpu else None)
    share = partial(
        learning_rate_at,
        total=total,
        warmup=round(config.warmup * total),
        schedule=config.schedule,
    )
    return optimizer, LambdaLR(optimizer, share, last_epoch=step - 1)
