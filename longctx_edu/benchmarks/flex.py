"""FlexAttention, compiled, with a mask of blocks for the same window."""

from functools import partial

import torch
from jaxtyping import Bool
from torch import Tensor

from longctx_edu.benchmarks.cases import Case
from longctx_edu.benchmarks.contender import (
    Built,
    CannotRun,
    Contender,
    claims,
    tensors,
)
from longctx_edu.benchmarks.needed import needed_in_window
from longctx_edu.measure import device

SIZE = 128
"""Queries and keys in a block of its mask: its own default."""


def build_flex(case: Case) -> Built:
    """Prepare the compiled call; its first run compiles.

    Args:
        case: What is asked.
    """
    from torch.nn.attention.flex_attention import flex_attention

    torch.compiler.reset()  # what was compiled for other lengths does not count here
    compiled = torch.compile(flex_attention, dynamic=False, fullgraph=True)
    block_mask = flex_mask(case)

    def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        if q.requires_grad and device().type == "cpu":
            raise CannotRun("it has no backward on the CPU")
        return compiled(q, k, v, block_mask=block_mask)

    return Built(attend, claims(case.window()), partial(needed_in_window, case))


def flex_mask(case: Case):
    """Make its mask from the window's rule, without forming the square.

    Its own `create_block_mask` asks about every pair first: at 131,072 tokens 17 GB.

    Args:
        case: What is asked.
    """
    from torch.nn.attention.flex_attention import BlockMask

    some, whole = flex_blocks(case)
    asked, left, right, n_real = case.setting, *reach(case), case.n_real

    def rule(batch, head, query, key):
        offset = key - query
        seen = (offset >= -left) & (offset <= right)
        if asked.dilation > 1:
            seen = seen & (offset % asked.dilation == 0)
        if asked.n_global:
            seen = seen | (query < asked.n_global) | (key < asked.n_global)
        if case.keep is not None:
            seen = seen & (key < n_real)
        return seen & (offset <= 0) if asked.causal else seen

    return BlockMask.from_kv_blocks(
        *listed(some & ~whole),
        *listed(whole),
        BLOCK_SIZE=SIZE,
        mask_mod=rule,
        seq_lengths=(case.n, case.n),
    )


def reach(case: Case) -> tuple[int, int]:
    """Say how far the window reaches to both sides, in tokens.

    Args:
        case: What is asked.
    """
    return case.setting.left * case.setting.dilation, case.right * case.setting.dilation


def flex_blocks(
    case: Case,
) -> tuple[Bool[Tensor, "block block"], Bool[Tensor, "block block"]]:
    """Say in which blocks some pair may be visible, and in which all are.

    Args:
        case: What is asked.
    """
    asked, (left, right) = case.setting, reach(case)
    first = torch.arange(-(-case.n // SIZE), device=device()) * SIZE
    row, column = first[:, None], first
    nearest, farthest = column - row - SIZE + 1, column - row + SIZE - 1  # offsets
    some = (farthest >= -left) & (nearest <= right)
    whole = (nearest >= -left) & (farthest <= right) & (asked.dilation == 1)
    some |= (row < asked.n_global) | (column < asked.n_global)
    whole |= (row + SIZE <= asked.n_global) | (column + SIZE <= asked.n_global)
    some &= column < case.n_real
    whole &= (column + SIZE <= case.n_real) & (row + SIZE <= case.n)
    if asked.causal:
        some &= nearest <= 0
        whole &= farthest <= 0
    return some, whole


def listed(blocks: Bool[Tensor, "block block"]) -> tuple[Tensor, Tensor]:
    """Write the chosen blocks of each row as their number and their list.

    Args:
        blocks: True for a chosen block.

    Example:
        >>> count, places = listed(torch.tensor([[False, True], [True, True]]))
        >>> count.tolist(), places.tolist()
        ([[[1, 2]]], [[[[1, 0], [0, 1]]]])
    """
    order = blocks.int().argsort(dim=1, descending=True, stable=True)
    return blocks.sum(dim=1).int()[None, None], order.int()[None, None]


FLEX = Contender(
    "flex", "FlexAttention, compiled, the window as blocks", build_flex, tensors(3, 10)
)
"""FlexAttention as a contender."""
