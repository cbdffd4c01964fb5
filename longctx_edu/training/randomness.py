"""A run's own random numbers: saved and set again; the caller's stay as they were."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


@contextmanager
def own_randomness(model: nn.Module, seed: int) -> Iterator[None]:
    """Draw from a seed of our own, and leave the caller's random state as it was.

    Args:
        model: Tells the device whose randomness counts.
        seed: Decides dropout.

    Example:
        >>> model, before = nn.Linear(1, 1), torch.get_rng_state()
        >>> with own_randomness(model, seed=0):
        ...     _ = torch.rand(3)
        >>> torch.equal(before, torch.get_rng_state())
        True
    """
    device = next(model.parameters()).device
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


def random_state() -> dict[str, Tensor]:
    """Copy the state of torch's random numbers: CPU, CUDA and MPS where used."""
    state = {"random/cpu": torch.get_rng_state()}
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        for index, value in enumerate(torch.cuda.get_rng_state_all()):
            state[f"random/cuda/{index}"] = value
    if torch.backends.mps.is_available():
        state["random/mps"] = torch.mps.get_rng_state().cpu()
    return state


def set_random_state(state: dict[str, Tensor]) -> None:
    """Set the random numbers of the devices that are there.

    Args:
        state: What `random_state` gave; other keys are passed over.
    """
    torch.set_rng_state(state["random/cpu"])
    for index in range(torch.cuda.device_count()):
        if f"random/cuda/{index}" in state:
            torch.cuda.set_rng_state(state[f"random/cuda/{index}"], index)
    if "random/mps" in state and torch.backends.mps.is_available():
        torch.mps.set_rng_state(state["random/mps"])
