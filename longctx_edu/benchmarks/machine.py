"""The machine that measured: what it is, what it has left, and its own rate."""

import os
import platform
from collections.abc import Sequence
from importlib import metadata
from typing import Any

import psutil
import torch

from longctx_edu.benchmarks.cases import DTYPES
from longctx_edu.measure import device, gemm_gflops

SIZES = (512, 1024, 2048, 4096)
"""Rows and columns of the products of which the fastest is the machine's rate."""

LONGEST_S = 0.5
"""A product that would take longer is not tried: some formats have no fast one."""


def gemm_rates(dtypes: Sequence[str], most: int = SIZES[-1]) -> dict[str, float]:
    """Measure the machine's own rate in each format, in 10^9 operations a second.

    Small products do not reach it, large ones take long: the best of several counts.

    Args:
        dtypes: Number formats, by name.
        most: Largest product that is tried, in rows.

    Example:
        >>> gemm_rates(["float32"], most=512)["float32"] > 0
        True
    """
    return {name: _rate(DTYPES[name], most) for name in dtypes}


def _rate(dtype: torch.dtype, most: int) -> float:
    best = 0.0
    for size in SIZES:
        if size > most or (best and 2 * size**3 / (best * 1e9) > LONGEST_S):
            break
        best = max(best, gemm_gflops(size, dtype))
    return best


def free_bytes() -> int:
    """Say how much memory is left where attention is computed."""
    if device().type == "cuda":
        return torch.cuda.mem_get_info()[0]
    return psutil.virtual_memory().available


def machine_facts() -> dict[str, Any]:
    """Say what measured: device, cores, threads, load, versions."""
    facts = {
        "device": device().type,
        "processor": processor(),
        "cores": psutil.cpu_count(logical=False),
        "threads": torch.get_num_threads(),
        "memory_bytes": psutil.virtual_memory().total,
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "system": platform.platform(),
    }
    if hasattr(os, "getloadavg"):
        facts["load_before"] = round(os.getloadavg()[0], 2)
    if device().type == "cuda":
        facts["gpu"] = torch.cuda.get_device_name()
        facts["gpu_memory_bytes"] = torch.cuda.get_device_properties(0).total_memory
    return facts


def processor() -> str:
    """Name the processor, as far as the system tells."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            names = [line for line in lines if line.startswith("model name")]
            return names[0].partition(":")[2].strip()
    except (OSError, IndexError):
        return platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """Name the versions of what was measured; "none" for what is not installed.

    Example:
        >>> versions()["torch"] == torch.__version__
        True
    """
    found = {"python": platform.python_version(), "torch": torch.__version__}
    for name in ("longctx-edu", "transformers", "local-attention"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "none"
    return found
