"""Values as a tree of JSON and raw bytes: what a function gets, and what it gives."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from longctx_edu.grading.arrays import ARRAYS, DTYPES, bytes_of
from longctx_edu.grading.handed import Handed
from longctx_edu.grading.lookalike import BASES, plain_repr

__all__ = ["Writer", "said_of", "without_addresses"]

DEEPEST, LONGEST_TEXT = 40, 2000
SEQUENCES = {list: "l", tuple: "t", set: "s", frozenset: "fs", torch.Size: "z"}
NAMES = {kind: name for name, kind in BASES.items()}
CHANGEABLE = (list, dict, set, Tensor, np.ndarray, torch.Generator)


class Writer:
    """Writes values; a thing that was handed over already is written as its number.

    Args:
        handed: What was handed over.
        adds: Whether what is written is handed over with it.
        other: Writes whatever is no plain value.
    """

    def __init__(
        self, handed: Handed, *, adds: bool, other: Callable[[Any], list] | None = None
    ):
        self.handed, self.adds, self.other = handed, adds, other or opaque
        self.blobs: list[bytes] = []
        self.with_gradient: list[Tensor] = []

    def blob(self, data: bytes) -> int:
        """Put bytes behind the tree."""
        self.blobs.append(data)
        return len(self.blobs) - 1

    def tree(self, value: Any, depth: int = 0) -> Any:
        """Write a value, or the number of a thing that was handed over."""
        kind = type(value)
        if value is None or kind is bool or kind is str:
            return value
        if kind is float:
            return value
        if kind is int:
            return value if abs(value) < 2**62 else ["I", hex(value)]
        number = self.handed.number(value)
        if number is not None:
            return ["@", number]
        if self.adds and (isinstance(value, CHANGEABLE) or self.is_watched(value)):
            self.handed.add(value)
        return self.body(value, depth)

    @staticmethod
    def is_watched(value: Any) -> bool:
        """Tell a float of a class of its own: a check may ask whether it is held."""
        plain = type(value) is float or isinstance(value, np.generic)
        return isinstance(value, float) and not plain

    def body(self, value: Any, depth: int = 0) -> Any:
        """Write what a thing holds."""
        if depth > DEEPEST:
            raise ValueError("need a result that ends, got one that holds itself")
        kind, deeper = type(value), depth + 1
        if kind in SEQUENCES:
            return [SEQUENCES[kind], *(self.tree(part, deeper) for part in value)]
        if kind is dict:
            pairs = value.items()
            return [
                "d",
                *([self.tree(k, deeper), self.tree(v, deeper)] for k, v in pairs),
            ]
        if isinstance(value, Tensor):
            return self.tensor(value)
        if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in ARRAYS:
            return self.array(value)
        if isinstance(value, torch.Generator):
            return ["g", self.blob(bytes_of(value.get_state()))]
        if kind in (complex, bytes, range, torch.dtype, torch.device):
            return self.small(value)
        base = next((base for base in kind.__mro__ if base in NAMES), None)
        if base is None or base is bool:
            return self.other(value)
        return self.derived(value, base, depth)

    def small(self, value: Any) -> list:
        """Write a value that holds no others."""
        if isinstance(value, complex):
            return ["c", value.real, value.imag]
        if isinstance(value, bytes):
            return ["b", self.blob(value)]
        if isinstance(value, range):
            return ["r", value.start, value.stop, value.step]
        if isinstance(value, torch.dtype):
            return ["dt", str(value).removeprefix("torch.")]
        return ["dv", str(value)]

    def tensor(self, value: Tensor) -> list:
        """Write a tensor: kind, axes, numbers, the room that its memory takes."""
        with torch._C.DisableTorchFunctionSubclass():
            name, shape = str(value.dtype).removeprefix("torch."), list(value.shape)
            if name not in DTYPES:
                return self.other(value)
            if value.device.type == "meta":
                return ["xm", name, shape]
            dense = value if value.layout == torch.strided else value.to_dense()
            room = dense.untyped_storage().nbytes()
            needs = bool(value.requires_grad)
        if needs:
            self.with_gradient.append(value)
        if dense is not value:
            return ["xs", str(value.layout), self.tensor(dense.detach())]
        return ["x", name, shape, self.blob(bytes_of(dense)), room, needs]

    def array(self, value: Any) -> list:
        """Write a NumPy array, or one of its numbers."""
        data = self.blob(np.ascontiguousarray(value).tobytes())
        if isinstance(value, np.generic):
            return ["n1", value.dtype.str, [], data]
        return ["n", value.dtype.str, list(value.shape), data]

    def derived(self, value: Any, base: type, depth: int) -> list:
        """Write a value whose class derives from a plain one, as a named tuple does."""
        kind = type(value)
        plain = base.__new__(base) if base in (list, dict, set) else None
        if base is dict:
            plain.update(dict.items(value))
        elif plain is not None:
            plain = base(base.__iter__(value))
        else:
            plain = base.__getnewargs__(value)[0] if base in NEW else base(value)
        own = said_of(value)
        said = None if own == plain_repr(plain) else own
        inner = Writer(self.handed, adds=False, other=self.other)
        inner.blobs = self.blobs
        tree = inner.tree(plain, depth + 1)
        return ["u", NAMES[base], kind.__module__, kind.__name__, said, tree]


NEW = (int, float, str, bytes)


def opaque(value: Any) -> list:
    """Write the name of a class and how the thing shows itself."""
    kind = type(value)
    return ["o", str(kind.__module__), str(kind.__name__), said_of(value), None]


def said_of(value: Any) -> str:
    """Give the repr of anything, cut and without addresses in memory."""
    try:
        said = repr(value)
    except Exception as error:
        said = f"<{type(value).__name__} whose repr stops with {type(error).__name__}>"
    said = without_addresses(str(said))
    return said if len(said) <= LONGEST_TEXT else said[:LONGEST_TEXT] + " ..."


def without_addresses(text: str) -> str:
    """Leave out places in memory, which are others each time.

    Args:
        text: Any.

    Example:
        >>> without_addresses("<function f at 0x7ff03728>")
        '<function f>'
    """
    return re.sub(r" at 0x[0-9a-fA-F]+", "", text)
