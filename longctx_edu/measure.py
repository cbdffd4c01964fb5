"""What a call costs on this machine: its time, its memory, and the machine's own rate.

It also picks the device. It says nothing of what a call should cost: see the cost
formulas beside the attention.
"""

import ctypes
import gc
import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

import psutil
import torch

from longctx_edu.errors import unknown_name

SAMPLE_S = 0.002


@dataclass(frozen=True)
class Measurement:
    """What a call took.

    Args:
        elapsed_s: Seconds, the median of the repeats.
        peak_bytes: Most memory above the start, over all repeats.
    """

    elapsed_s: float
    peak_bytes: int


def device() -> torch.device:
    """Pick the device: CUDA, else Apple's GPU, else the CPU; LONGCTX_DEVICE overrides.

    Raises:
        UserError: If LONGCTX_DEVICE names no device of this machine.

    Example:
        >>> device().type in ("cuda", "mps", "cpu")
        True
    """
    there = ["cpu"]
    if torch.backends.mps.is_available():
        there.insert(0, "mps")
    if torch.cuda.is_available():
        there.insert(0, "cuda")
    asked = os.environ.get("LONGCTX_DEVICE") or there[0]
    if asked.partition(":")[0] not in there:
        raise unknown_name("device in LONGCTX_DEVICE", asked, there)
    return torch.device(asked)


def measure(
    call: Callable, *args: object, repeats: int = 1, warmup: int = 0
) -> Measurement:
    """Measure the time and the peak memory of a call.

    On CUDA the peak is that of torch's allocator. Elsewhere it is the growth of the
    process, read every 2 ms, after free memory was given back to the system (where
    that is glibc; elsewhere memory that is used again does not show). A peak that is
    shorter does not show, nor a tensor below a page of 4 KiB.

    Args:
        call: What to measure.
        *args: Handed to it.
        repeats: Measured calls.
        warmup: Calls before them, not measured.

    Raises:
        ValueError: If there is nothing to repeat.

    Example:
        >>> measure(torch.ones, 5_000_000).peak_bytes > 10_000_000
        True
    """
    if repeats < 1 or warmup < 0:
        raise ValueError(
            f"need repeats >= 1 and warmup >= 0, got repeats={repeats}, warmup={warmup}"
        )
    for _ in range(warmup):
        call(*args)
    gc.collect()
    times, peaks = [], []
    for _ in range(repeats):
        _wait()
        _give_back()
        with _peak_memory() as peak:
            started = time.perf_counter()
            result = call(*args)
            _wait()
            times.append(time.perf_counter() - started)
        peaks.append(peak[0])
        del result
    return Measurement(statistics.median(times), max(peaks))


def gemm_gflops(n: int = 1024, dtype: torch.dtype = torch.float32) -> float:
    """Measure the machine's own rate: a product of two n x n matrices, best of five.

    The peak that every other rate is compared with, in 10^9 operations a second;
    a product takes 2 n^3.

    Args:
        n: Rows and columns.
        dtype: Number format.

    Raises:
        ValueError: If the matrices are empty.

    Example:
        >>> gemm_gflops(64) > 0
        True
    """
    if n < 1:
        raise ValueError(f"need n >= 1, got n={n}")
    a = torch.ones(n, n, dtype=dtype, device=device())
    runs = [measure(torch.mm, a, a, warmup=run == 0) for run in range(5)]
    return 2 * n**3 / min(run.elapsed_s for run in runs) / 1e9


def _give_back() -> None:
    """Return memory that is free to the system, so that using it again shows."""
    trim = getattr(_libc(), "malloc_trim", None)
    if trim is not None:
        trim(0)


@lru_cache
def _libc() -> ctypes.CDLL | None:
    """Return the C library of this process; None where there is none to load."""
    try:
        return ctypes.CDLL(None)
    except (OSError, TypeError):
        return None


def _wait() -> None:
    """Wait for the device: its calls return before they are done."""
    if device().type == "cuda":
        torch.cuda.synchronize()
    elif device().type == "mps":
        torch.mps.synchronize()


@contextmanager
def _peak_memory() -> Iterator[list[int]]:
    """Watch the memory of a block; the list holds the bytes after it."""
    peak = [0]
    if device().type == "cuda":
        torch.cuda.reset_peak_memory_stats()
        start = torch.cuda.memory_allocated()
        yield peak
        peak[0] = torch.cuda.max_memory_allocated() - start
        return
    process, stop = psutil.Process(), threading.Event()
    start = process.memory_info().rss

    def look() -> None:
        peak[0] = max(peak[0], process.memory_info().rss - start)

    def watch() -> None:
        while not stop.wait(SAMPLE_S):
            look()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
        look()
    finally:
        stop.set()
        thread.join()
