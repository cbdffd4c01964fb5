"""Recall: teach a model to find what it is asked for, and score it by distance."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from longctx_edu.data.recall import (
    AssociativeConfig,
    CopyingConfig,
    NeedleConfig,
    PasskeyConfig,
    Recall,
    RecallConfig,
    VariablesConfig,
    associative_recall,
    copying,
    needle,
    passkey,
    stack_recall,
    variable_tracking,
)
from longctx_edu.memory import SegmentMemory
from longctx_edu.metrics import RecallScores, score_recall
from longctx_edu.models import LanguageModel
from longctx_edu.training import History, TrainConfig, fit

TASKS = {
    AssociativeConfig: associative_recall,
    CopyingConfig: copying,
    NeedleConfig: needle,
    PasskeyConfig: passkey,
    VariablesConfig: variable_tracking,
}
HELD_OUT = 1_000_003
"""What is added to the seed for texts of a test."""


def recall_samples(config: RecallConfig, n_samples: int) -> list[Recall]:
    """Write texts of the task that a config belongs to.

    Args:
        config: The dials of a task.
        n_samples: Number of texts.

    Raises:
        ValueError: If there is no such task, or no text is asked for.

    Example:
        >>> samples = recall_samples(PasskeyConfig(n_tokens=20, distances=(4, 8)), 3)
        >>> [len(sample) for sample in samples]
        [20, 20, 20]
    """
    if type(config) not in TASKS:
        names = ", ".join(kind.__name__ for kind in TASKS)
        raise ValueError(f"need a config of {names}, got {type(config).__name__}")
    if n_samples < 1:
        raise ValueError(f"need n_samples >= 1, got n_samples={n_samples}")
    return [TASKS[type(config)](config, index) for index in range(n_samples)]


def read_whole(
    model: LanguageModel, ids: Int[Tensor, "batch token"]
) -> Float[Tensor, "batch token vocab"]:
    """Read texts at once.

    Args:
        model: The model that reads.
        ids: Token ids.
    """
    return model(ids)


def read_in_segments(
    model: LanguageModel, ids: Int[Tensor, "batch token"], *, size: int, memory: int
) -> Float[Tensor, "batch token vocab"]:
    """Read texts segment by segment, with a memory of what each layer read before.

    Args:
        model: The model that reads.
        ids: Token ids.
        size: Tokens of a segment.
        memory: Tokens that each layer remembers; 0 for none.

    Example:
        >>> from functools import partial
        >>> recurrent = partial(read_in_segments, size=16, memory=16)

    Source: Transformer-XL (Dai et al. 2019), section 3.2. Built in lesson 04.
    """
    remembered = SegmentMemory(model.transformer.config.n_layers, length=memory)
    parts = [model(part, memory=remembered) for part in ids.split(size, dim=1)]
    return torch.cat(parts, dim=1)


def fit_recall(
    model: LanguageModel,
    config: RecallConfig,
    *,
    n_samples: int,
    train: TrainConfig,
    read: Callable = read_whole,
    progress: bool = True,
) -> History:
    """Train a model on a recall task, on its answers alone.

    Args:
        model: Comes back in evaluation mode.
        config: The dials of a task.
        n_samples: Different texts; each comes once an epoch.
        train: How it is trained.
        read: Called with model and ids, gives the logits: `read_whole`, or
            `read_in_segments` with its sizes, or one of your own.
        progress: Show a bar.

    Raises:
        ValueError: If there is no such task, or nothing to learn from.

    Source: Built in lesson 06.
    """

    def loss(model, batch):
        logits = read(model, batch["ids"])
        return F.cross_entropy(logits.flatten(0, 1), batch["answers"].flatten())

    samples = recall_samples(config, n_samples)
    return fit(
        model,
        samples,
        collate=stack_recall,
        loss=loss,
        config=train,
        progress=progress,
    )


@torch.no_grad()
def recall_by_distance(
    model: LanguageModel,
    config: RecallConfig,
    *,
    n_samples: int,
    buckets: Sequence[tuple[int, int | None]] | None = None,
    read: Callable = read_whole,
    batch_size: int = 64,
) -> RecallScores:
    """Score a model on texts that `fit_recall` never shows, by distance.

    Args:
        model: As it is; dropout is switched off for the test.
        config: The dials of a task; the texts come from another seed than its own.
        n_samples: Number of texts.
        buckets: Smallest and largest distance of each, in tokens, None for no end;
            by default each distance of the config by itself.
        read: Called with model and ids, gives the logits.
        batch_size: Texts at a time.

    Raises:
        ValueError: If there is no such task, or no text is asked for.

    Source: Built in lesson 06.
    """
    held_out = replace(config, seed=config.seed + HELD_OUT)
    if buckets is None:
        buckets = [(distance, distance) for distance in config.distances]
    batch = stack_recall(recall_samples(held_out, n_samples))
    device = next(model.parameters()).device
    training = model.training
    model.eval()
    parts = batch["ids"].to(device).split(batch_size)
    predicted = torch.cat([read(model, ids).argmax(dim=-1).cpu() for ids in parts])
    model.train(training)
    return score_recall(
        predicted, batch["answers"], batch["distances"], buckets=buckets
    )
