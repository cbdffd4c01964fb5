"""Batches of examples of like length, each within a budget of tokens.

Knows lengths alone: what an example is, and how it is padded, is decided elsewhere.
"""

from collections.abc import Sequence

import torch

from longctx_edu.training.config import TrainConfig

JITTER = 0.1  # neighbours in length may swap places within a tenth of their length


def bucketed_batches(
    lengths: Sequence[int], *, batch_tokens: int, generator: torch.Generator
) -> list[list[int]]:
    """Group examples of like length, so that little of a batch is padding.

    Lengths are jittered before they are sorted: an example meets other neighbours
    in each epoch. The batches then come in random order. Each example stands in
    exactly one batch.

    Args:
        lengths: Tokens of each example.
        batch_tokens: Most tokens of a batch, that is its longest example times its
            number of examples. A longer example gets a batch of its own.
        generator: Draws the jitter and the order.

    Raises:
        ValueError: If a length or the budget is below 1.

    Example:
        >>> batches = bucketed_batches(
        ...     [2, 9, 2, 8], batch_tokens=18, generator=torch.Generator()
        ... )
        >>> sorted(sorted(batch) for batch in batches)
        [[0, 2], [1, 3]]

    Source: Vaswani et al. 2017, section 5.1 (batches by approximate length).
    """
    if batch_tokens < 1:
        raise ValueError(f"need batch_tokens >= 1, got batch_tokens={batch_tokens}")
    if lengths and min(lengths) < 1:
        index = min(range(len(lengths)), key=lengths.__getitem__)
        raise ValueError(f"need lengths >= 1, got lengths[{index}]={lengths[index]}")
    noise = torch.rand(len(lengths), generator=generator, dtype=torch.float64)
    order = (torch.tensor(lengths) * (1 + JITTER * noise)).argsort(stable=True).tolist()
    batches: list[list[int]] = []
    longest = 0
    for index in order:
        longest = max(longest, lengths[index])
        if batches and longest * (len(batches[-1]) + 1) <= batch_tokens:
            batches[-1].append(index)
        else:
            batches.append([index])
            longest = lengths[index]
    shuffled = torch.randperm(len(batches), generator=generator).tolist()
    return [batches[index] for index in shuffled]


def plan_batches(lengths: Sequence[int], config: TrainConfig) -> list[list[list[int]]]:
    """Lay out the batches of all epochs; epoch `e` depends on `(seed, e)` alone.

    Args:
        lengths: Tokens of each example.
        config: Its budget, epochs and seed.

    Raises:
        ValueError: If there is no example.

    Example:
        >>> plan = plan_batches([3, 3, 3], TrainConfig(epochs=2, batch_tokens=6))
        >>> [len(batches) for batches in plan]
        [2, 2]
    """
    if not lengths:
        raise ValueError("need at least one example, got none")
    return [
        bucketed_batches(
            lengths,
            batch_tokens=config.batch_tokens,
            generator=torch.Generator().manual_seed(config.seed * 1_000_003 + epoch),
        )
        for epoch in range(config.epochs)
    ]
