"""Which number format multiplies matrices faster on this machine."""

import time
from functools import lru_cache
from typing import Literal

import torch

LIMIT_S = 0.5  # for the whole comparison
ROWS, WIDTH, WIDER = 1024, 384, 1536  # a small encoder's feed-forward layer


@lru_cache
def faster_precision(device: str | torch.device) -> Literal["bf16", "fp32"]:
    """Measure one matrix product in both formats, and name the faster.

    On a CPU the seconds that this process computes are what counts, so that others
    at work beside it do not decide. The casts to bfloat16 count, as autocast pays
    them too. bfloat16 has to win by a third: on a draw the exact format is the better
    one. Measured once per process and device. Devices other than CPU and CUDA take
    fp32.

    Args:
        device: Where the model is trained.

    Example:
        >>> faster_precision("cpu") in ("bf16", "fp32")
        True

    Source: Micikevicius et al. 2018, section 3 (mixed precision); Kalamkar et al.
    2019 (bfloat16).
    """
    kind = torch.device(device).type
    if kind not in ("cpu", "cuda"):
        return "fp32"
    if kind == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        return "fp32"
    a = torch.ones(ROWS, WIDTH, device=device)
    b = torch.ones(WIDTH, WIDER, device=device)
    clock = time.process_time if kind == "cpu" else time.perf_counter
    best = {torch.float32: float("inf"), torch.bfloat16: float("inf")}
    deadline = time.perf_counter() + LIMIT_S
    for turn in range(9):
        for dtype in best:
            started = clock()
            (a.to(dtype) @ b.to(dtype)).sum().item()  # waits for the device
            passed = clock() - started
            best[dtype] = min(best[dtype], passed) if turn else passed
        if turn and time.perf_counter() > deadline:
            break
    return "bf16" if best[torch.bfloat16] < 0.75 * best[torch.float32] else "fp32"
