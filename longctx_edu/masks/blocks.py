"""Blocks: who may look at whom, drawn coarsely, a whole block of tokens at a time."""

import torch.nn.functional as F
from jaxtyping import Bool
from torch import Tensor

from longctx_edu.masks.predicate import Predicate


def check_size(size: int) -> None:
    """Refuse a block that holds no token.

    Args:
        size: Tokens in a block.

    Raises:
        ValueError: If it is not a whole number >= 1.
    """
    if type(size) is not int or size < 1:
        raise ValueError(f"need a size that is a whole number >= 1, got {size}")


def blocks(layout: Bool[Tensor, "*batch block block"], size: int) -> Predicate:
    """Let the tokens of a block look at all tokens of the blocks that its row marks.

    What lies beyond the layout is not visible.

    Args:
        layout: True where a block of queries may look at a block of keys.
        size: Tokens in a block.

    Raises:
        ValueError: If the size is not a whole number >= 1.

    Example:
        >>> import torch
        >>> from longctx_edu.masks import dense_mask
        >>> layout = torch.tensor([[True, False], [True, True]])
        >>> dense_mask(blocks(layout, size=2), 3).int().tolist()
        [[1, 1, 0], [1, 1, 0], [1, 1, 1]]

    Source: BigBird (Zaheer et al. 2020), appendix D, "blockifying". Built in lesson 05.
    """
    check_size(size)
    n_blocks = layout.shape[-1]
    # One more row and column, all False, stand for everything beyond the layout.
    framed = F.pad(layout, (0, 1, 0, 1))

    def allows(query, key):
        row, column = query // size, key // size
        return framed[..., row.clamp(max=n_blocks), column.clamp(max=n_blocks)]

    return Predicate(allows)
