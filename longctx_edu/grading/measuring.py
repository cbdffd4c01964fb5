"""What a call costs, counted where it runs: modes of torch do not reach further."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from torch.utils._python_dispatch import (
    _disable_current_modes,
    _get_current_dispatch_mode_stack,
)
from torch.utils.flop_counter import FlopCounterMode

from longctx_edu.checks.largest import Watch, tensors_in

__all__ = ["add_counts", "asked_counts", "counting", "uncounted"]

WATCH, PRODUCTS = "largest tensor", "products"


def asked_counts() -> list[str]:
    """Say what a check counts at this moment, the outermost first."""
    names = [name_of(mode) for mode in _get_current_dispatch_mode_stack()]
    return [name for name in names if name]


def name_of(mode: Any) -> str | None:
    """Tell which count a mode of torch keeps."""
    if isinstance(mode, Watch):
        return WATCH
    return PRODUCTS if hasattr(mode, "counter") else None


def uncounted() -> Any:
    """Leave what happens inside out of all counts."""
    return _disable_current_modes()


def add_counts(counts: dict[str, Any]) -> None:
    """Add what another process counted to the counts of this moment.

    Args:
        counts: Numbers by the name of what was counted.
    """
    for mode in _get_current_dispatch_mode_stack():
        name = name_of(mode)
        number = int(counts.get(name, 0))
        if name == WATCH:
            mode.largest = max(mode.largest, number)
        elif name == PRODUCTS:
            mode.counter.flop_counts["Global"]["elsewhere"] += number


@contextmanager
def counting(names: list[str], given: object) -> Iterator[dict[str, int]]:
    """Count what happens inside.

    Args:
        names: What to count, the outermost first.
        given: What the call gets; its tensors are known.
    """
    counts: dict[str, int] = {}
    with ExitStack() as stack:
        modes = {}
        for name in names:
            mode = Watch(tensors_in(given)) if name == WATCH else None
            modes[name] = stack.enter_context(mode or FlopCounterMode(display=False))
        yield counts
        for name, mode in modes.items():
            counts[name] = mode.largest if name == WATCH else mode.get_total_flops()
