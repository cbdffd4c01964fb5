"""Our own contenders: the window, tiles with an exact result, and sparse blocks."""

from functools import partial

import torch
from jaxtyping import Bool
from torch import Tensor

from longctx_edu.attention import (
    block_pairs,
    block_sparse_attention,
    online_attention,
    window_attention,
)
from longctx_edu.benchmarks.cases import Case
from longctx_edu.benchmarks.contender import (
    Built,
    Contender,
    claims,
    everything,
    tensors,
)
from longctx_edu.benchmarks.needed import needed_in_full, needed_in_window
from longctx_edu.masks import blocks, global_blocks, random_blocks, window_blocks
from longctx_edu.measure import device

BLOCK, RANDOM_BLOCKS = 64, 3
"""BigBird's own sizes: 3 + 2 + 3 blocks of 64 are the 512 keys of a window of 256."""


def build_window(case: Case) -> Built:
    """Prepare `window_attention`.

    Args:
        case: What is asked.
    """
    asked = case.setting

    def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return window_attention(
            q,
            k,
            v,
            left=asked.left,
            right=asked.right,
            dilation=asked.dilation,
            global_tokens=case.flags,
            keep=case.keep,
            causal=asked.causal,
        )

    return Built(attend, claims(case.window()), partial(needed_in_window, case))


def build_online(case: Case) -> Built:
    """Prepare `online_attention`: every pair, never the square.

    Args:
        case: What is asked; its window and global tokens do not matter here.
    """

    def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return online_attention(q, k, v, causal=case.setting.causal, keep=case.keep)

    return Built(attend, claims(everything(case)), partial(needed_in_full, case))


def build_block_sparse(case: Case) -> Built:
    """Prepare `block_sparse_attention` with the pattern of BigBird.

    Args:
        case: What is asked; its window and global tokens do not matter here.
    """
    layout, asked = bigbird_layout(case), case.setting

    def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return block_sparse_attention(
            q, k, v, layout=layout, size=BLOCK, keep=case.keep, causal=asked.causal
        )

    claim = claims(case.only_allowed(blocks(layout.cpu(), BLOCK)))
    count = partial(block_pairs, layout, BLOCK, case.n_real, causal=asked.causal)
    return Built(attend, claim, count)


def bigbird_layout(case: Case) -> Bool[Tensor, "block block"]:
    """Link blocks as BigBird does: neighbours, the first, the last, and random ones.

    Args:
        case: Its length and its seed.

    Example:
        >>> from longctx_edu.benchmarks.cases import Setting
        >>> bigbird_layout(Case(Setting(), 768, "float32")).sum(dim=1).tolist()
        [12, 7, 8, 8, 8, 8, 8, 8, 8, 8, 7, 12]

    Source: BigBird (Zaheer et al. 2020), section 2 and appendix D.
    """
    n_blocks = -(-case.n // BLOCK)
    ends = torch.zeros(n_blocks, dtype=torch.bool)
    ends[[0, -1]] = True
    fixed = window_blocks(n_blocks, left=1, right=1) | global_blocks(ends)
    generator = torch.Generator().manual_seed(case.setting.seed)
    some = min(RANDOM_BLOCKS, n_blocks)
    drawn = random_blocks(n_blocks, some, generator=generator, outside=fixed)
    return (fixed | drawn).to(device())


WINDOW = Contender(
    "window", "window + global tokens, linear", build_window, tensors(4, 16)
)
ONLINE = Contender(
    "online", "full attention in tiles, exact", build_online, tensors(2, 6), power=2
)
BLOCK_SPARSE = Contender(
    "block_sparse",
    "blocks: neighbours, first, last, 3 random",
    build_block_sparse,
    tensors(12, 36),
)
