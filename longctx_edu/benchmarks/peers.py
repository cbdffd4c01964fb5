"""Peers: torch's own attention, and local-attention; each claims what it computes."""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from longctx_edu.benchmarks.cases import DTYPES, Case
from longctx_edu.benchmarks.contender import (
    Built,
    CannotRun,
    Contender,
    claims,
    everything,
    tensors,
)
from longctx_edu.benchmarks.needed import needed_in_full, needed_in_window
from longctx_edu.measure import device

ROWS = 128  # of a mask that are made at a time


def build_sdpa(case: Case) -> Built:
    """Prepare torch's fused full attention.

    Args:
        case: What is asked; its window and global tokens do not matter here.
    """
    mask = None
    # Behind a causal mask no real query sees the padding at the end.
    if case.keep is not None and not case.setting.causal:
        mask = case.keep[:, None, None, :].expand(-1, 1, case.n, -1)

    def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        causal = case.setting.causal
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal)

    return Built(attend, claims(everything(case)), partial(needed_in_full, case))


def build_sdpa_mask(case: Case) -> Built:
    """Prepare torch's fused attention under the window as a boolean mask.

    Args:
        case: What is asked.
    """
    seen = case.window()
    mask = torch.empty(case.n, case.n, dtype=torch.bool, device=device())
    for first in range(0, case.n, ROWS):  # no second square of numbers
        query = torch.arange(first, min(first + ROWS, case.n))[:, None]
        mask[first : first + ROWS] = seen(query, torch.arange(case.n))

    def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)

    return Built(attend, claims(seen), partial(needed_in_window, case), mask.numel())


def masked_memory(case: Case, backward: bool) -> int:
    """Guess: the mask, and torch's copy of it in the format of the queries.

    Args:
        case: What is asked.
        backward: With the gradients.
    """
    square = case.n**2 * (1 + DTYPES[case.dtype].itemsize)
    return square + case.tensor_bytes * (5 if backward else 2)


def local_memory(case: Case, backward: bool) -> int:
    """Guess: so many copies of the scores of three buckets.

    Args:
        case: What is asked.
        backward: With the gradients.
    """
    asked, buckets = case.setting, 2 if case.setting.causal else 3
    scores = asked.batch * asked.n_heads * case.n * buckets * asked.left
    return scores * DTYPES[case.dtype].itemsize * (7 if backward else 4)


def build_local_attention(case: Case) -> Built:
    """Prepare local-attention with buckets as wide as one side of the window.

    With `exact_windowsize` it sees exactly that many keys on each side, and no
    global tokens.

    Args:
        case: What is asked.

    Raises:
        CannotRun: If it is not installed, or has no such window.
    """
    asked = case.setting
    width = asked.left
    if asked.dilation > 1:
        raise CannotRun("it has no dilation")
    if width == 0 or case.right != (0 if asked.causal else width):
        raise CannotRun("it needs left = right > 0")
    if case.n % width:
        raise CannotRun(f"it needs a length that {width} divides")
    try:
        from local_attention import LocalAttention
    except ImportError as error:
        raise CannotRun(
            'not installed; pip install "longctx-edu[bench]" gets it'
        ) from error
    attention = LocalAttention(
        width,
        causal=asked.causal,
        look_backward=1,
        look_forward=0 if asked.causal else 1,
        exact_windowsize=True,
        use_rotary_pos_emb=False,
    )

    def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return attention(q, k, v, mask=case.keep)

    claim = claims(case.window(with_globals=False))
    return Built(attend, claim, partial(needed_in_window, case, with_globals=False))


SDPA = Contender(
    "sdpa", "torch's fused kernel, full attention", build_sdpa, tensors(2, 6), power=2
)
SDPA_MASK = Contender(
    "sdpa_mask",
    "the same kernel, the window as a mask",
    build_sdpa_mask,
    masked_memory,
    power=2,
)
LOCAL_ATTENTION = Contender(
    "local_attention",
    "local-attention, exact window, no global tokens",
    build_local_attention,
    local_memory,
)
