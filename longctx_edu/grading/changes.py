"""What a function changed among the things that it was given, by number."""

import json
from typing import Any

import numpy as np
import torch
from torch import Tensor

from longctx_edu.grading.handed import Handed
from longctx_edu.grading.reader import Reader
from longctx_edu.grading.wire import Broken
from longctx_edu.grading.writer import CHANGEABLE, Writer

__all__ = ["Snapshots", "apply"]


class Snapshots:
    """What each thing held when it was handed over.

    Args:
        handed: The things.
    """

    def __init__(self, handed: Handed):
        self.handed = handed
        self.before: dict[int, tuple] = {}

    def take(self) -> None:
        """Look at the things that are new."""
        for number, thing in self.handed.living():
            if number not in self.before and isinstance(thing, CHANGEABLE):
                self.before[number] = held(self.handed, thing)

    def changed(self, writer: Writer) -> list:
        """Write those that hold something else now.

        Args:
            writer: Writes what they hold.
        """
        found = []
        for number, thing in self.handed.living():
            if number not in self.before:
                continue
            now = held(self.handed, thing)
            if now != self.before[number]:
                self.before[number] = now
                found.append([number, writer.body(thing)])
        return found


def held(handed: Handed, thing: Any) -> tuple:
    """Say what a thing holds; nan is equal to nan here."""
    writer = Writer(handed, adds=False)
    return json.dumps(writer.body(thing)), writer.blobs


def apply(thing: Any, tree: Any, reader: Reader) -> None:
    """Change a thing in the way in which the other process changed its own.

    Args:
        thing: What was handed over.
        tree: What the other's holds now.
        reader: Reads it.

    Raises:
        Broken: If it holds another kind of thing.
    """
    new = reader.value(tree)
    if isinstance(thing, Tensor) and isinstance(new, Tensor):
        with torch.no_grad():
            same = thing.shape == new.shape and thing.dtype == new.dtype
            if same and not thing.is_inference():
                thing.copy_(new)
            else:
                thing.data = new.detach()
    elif isinstance(thing, list) and isinstance(new, list):
        thing[:] = new
    elif isinstance(thing, dict | set) and isinstance(new, type(thing)):
        thing.clear()
        thing.update(new)
    elif isinstance(thing, np.ndarray) and isinstance(new, np.ndarray):
        thing[...] = new
    elif isinstance(thing, torch.Generator) and isinstance(new, torch.Generator):
        thing.set_state(new.get_state())
    else:
        raise Broken(f"a {type(thing).__name__} cannot become a {type(new).__name__}")
