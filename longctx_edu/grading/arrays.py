"""Tensors and arrays as raw bytes, with the room that they hold in memory."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from longctx_edu.grading.wire import Broken

__all__: list[str] = []

DTYPES = {
    str(kind).removeprefix("torch."): kind
    for kind in vars(torch).values()
    if isinstance(kind, torch.dtype) and kind.itemsize > 0 and "q" not in str(kind)
}
ARRAYS = "biufc"  # kinds of NumPy: bools, whole numbers, floats, complex ones
MOST_NUMBERS = 2**26


def bytes_of(tensor: Tensor) -> bytes:
    """Give a tensor's numbers, row by row; a subclass has no say in it."""
    with torch._C.DisableTorchFunctionSubclass():
        plain = tensor.detach().cpu().resolve_conj().resolve_neg().contiguous()
        return plain.reshape(-1).view(torch.uint8).numpy().tobytes()


def tensor_from(blob: bytearray, name: str, shape: list[int], room: int) -> Tensor:
    """Make a tensor of its own memory.

    Args:
        blob: The numbers.
        name: Their kind, "float32".
        shape: Its axes.
        room: Bytes that its storage holds, if more than the numbers take.

    Raises:
        Broken: If these do not fit together.
    """
    kind = known(DTYPES, name)
    sized(shape, kind.itemsize, blob)
    if kind == torch.bool:
        flat = torch.frombuffer(blob, dtype=torch.uint8) != 0 if blob else []
        flat = torch.as_tensor(flat, dtype=torch.bool)
    else:
        flat = torch.frombuffer(blob, dtype=kind) if blob else torch.empty(0).to(kind)
    if room > len(blob):
        whole = torch.zeros(min(room // kind.itemsize, MOST_NUMBERS), dtype=kind)
        whole[: flat.numel()] = flat
        return whole[: flat.numel()].view(shape)
    return flat.clone().view(shape)


def array_from(blob: bytearray, name: str, shape: list[int]) -> np.ndarray:
    """Make an array of its own memory."""
    try:
        kind = np.dtype(str(name))
    except TypeError:
        raise Broken(f"no kind of numbers: {name!r}") from None
    if kind.kind not in ARRAYS:
        raise Broken(f"no kind of numbers: {name!r}")
    sized(shape, kind.itemsize, blob)
    found = np.frombuffer(bytes(blob), dtype=kind)
    return (found != 0 if kind.kind == "b" else found.copy()).reshape(shape)


def sized(shape: Any, itemsize: int, blob: bytearray) -> None:
    """Refuse a shape that the bytes do not fill."""
    fine = isinstance(shape, list) and all(type(n) is int and n >= 0 for n in shape)
    if not fine or math.prod(shape) * itemsize != len(blob) or len(shape) > 32:
        raise Broken(f"{len(blob)} bytes are no {shape}")


def known(table: dict, name: Any) -> Any:
    """Look a name up."""
    if not isinstance(name, str) or name not in table:
        raise Broken(f"no kind of numbers: {name!r}")
    return table[name]
