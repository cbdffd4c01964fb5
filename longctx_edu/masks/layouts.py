"""Layouts: which blocks may look at which, as a square of one bool a pair of blocks.

A layout is the dense mask of a short text whose tokens are blocks. Layouts compose
with `|`, `&` and `~`, and two of them that mark the same pair mark it once.
"""

import torch
from jaxtyping import Bool
from torch import Tensor

from longctx_edu.masks.global_tokens import global_tokens
from longctx_edu.masks.predicate import dense_mask
from longctx_edu.masks.window import window


def window_blocks(
    n_blocks: int, *, left: int | None, right: int | None
) -> Bool[Tensor, "block block"]:
    """Let each block look at its near neighbours and at itself.

    Args:
        n_blocks: Blocks in the text.
        left: Blocks visible before a block, itself not counted; None for all.
        right: Blocks visible after a block, itself not counted; None for all.

    Raises:
        ValueError: If a number is negative or no whole number.

    Example:
        >>> window_blocks(3, left=1, right=0).int().tolist()
        [[1, 0, 0], [1, 1, 0], [0, 1, 1]]

    Source: BigBird (Zaheer et al. 2020), section 2, whose w = 3 blocks are left=1 and
    right=1. Built in lesson 05.
    """
    return dense_mask(window(left=left, right=right), n_blocks)


def global_blocks(flags: Bool[Tensor, " block"]) -> Bool[Tensor, "block block"]:
    """Let the chosen blocks look at all blocks, and all blocks at them.

    Args:
        flags: True where a block is global.

    Example:
        >>> global_blocks(torch.tensor([True, False, False])).int().tolist()
        [[1, 1, 1], [1, 0, 0], [1, 0, 0]]

    Source: BigBird (Zaheer et al. 2020), section 2, internal construction. Built in
    lesson 05.
    """
    return dense_mask(global_tokens(flags), len(flags), device=flags.device)


def random_blocks(
    n_blocks: int,
    n_random: int,
    *,
    generator: torch.Generator,
    outside: Bool[Tensor, "block block"] | None = None,
) -> Bool[Tensor, "block block"]:
    """Let each block look at a few blocks anywhere, drawn once.

    The same seed gives the same graph. Draw it when the model is built, and training
    and evaluation read the same one.

    Args:
        n_blocks: Blocks in the text.
        n_random: Blocks drawn for each row, all different.
        generator: Where the randomness comes from; the layout is made on its device.
        outside: A layout: only blocks that it does not mark are drawn, and fewer than
            `n_random` where a row leaves fewer.

    Raises:
        ValueError: If there are not `n_random` blocks, or `outside` has another size.

    Example:
        >>> seed = torch.Generator().manual_seed(0)
        >>> near = window_blocks(4, left=1, right=1)
        >>> random_blocks(4, 1, generator=seed, outside=near).sum(dim=1).tolist()
        [1, 1, 1, 1]

    Source: BigBird (Zaheer et al. 2020), section 2. Built in lesson 05.
    """
    if not 0 <= n_random <= n_blocks:
        raise ValueError(
            f"need 0 <= n_random <= n_blocks, got n_random={n_random} "
            f"and n_blocks={n_blocks}"
        )
    if outside is not None and outside.shape != (n_blocks, n_blocks):
        raise ValueError(
            f"need an outside layout of {n_blocks} x {n_blocks} blocks, "
            f"got {' x '.join(map(str, outside.shape))}"
        )
    device = generator.device
    lots = torch.rand(
        n_blocks, n_blocks, generator=generator, dtype=torch.float64, device=device
    )
    if outside is not None:
        lots = lots.masked_fill(outside.to(device), -1.0)
    drawn = lots.topk(n_random, dim=1)
    layout = torch.zeros(n_blocks, n_blocks, dtype=torch.bool, device=device)
    return layout.scatter(1, drawn.indices, drawn.values >= 0)
