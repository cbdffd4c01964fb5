"""The largest tensor that a call forms, counted: no clock, no memory reading, no luck.

A function that claims linear memory and forms the n x n square is found out here. What
another library forms, NumPy for example, is not seen.
"""

from collections.abc import Callable, Iterable

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Watch(TorchDispatchMode):
    """Looks at every tensor that torch returns, backward passes included."""

    def __init__(self, known: Iterable[Tensor]):
        super().__init__()
        self.known = {place(tensor) for tensor in known}
        self.largest = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for tensor in tensors_in(result):
            if place(tensor) not in self.known:
                self.largest = max(self.largest, room(tensor))
        return result


def largest_tensor(call: Callable, *args: object, **named: object) -> int:
    """Count the numbers in the largest tensor that torch forms during a call.

    What a tensor occupies counts, not the shape that it shows: the inputs and views of
    them are left out, an expanded row counts as one row, and a bool as one number. A
    fused kernel counts with what it returns.

    Args:
        call: The function.
        args: What it gets.
        named: What it gets by name.

    Returns:
        Its size, in numbers; 0 where no tensor was formed.

    Example:
        >>> import torch
        >>> x = torch.zeros(5, 2)
        >>> largest_tensor(lambda x: (x @ x.mT).sum(), x), largest_tensor(torch.t, x)
        (25, 0)
    """
    given = tensors_in((args, named))
    with Watch(given) as watch:
        call(*args, **named)
    return watch.largest


def tensors_in(value: object) -> list[Tensor]:
    """Find the tensors in a value, also within tuples, lists and dicts."""
    return [leaf for leaf in tree_leaves(value) if isinstance(leaf, Tensor)]


def place(tensor: Tensor) -> int:
    """Say where a tensor's numbers lie; a view lies where its base does."""
    return tensor.untyped_storage()._cdata


def room(tensor: Tensor) -> int:
    """Count the numbers for which a tensor holds room."""
    return tensor.untyped_storage().nbytes() // tensor.element_size()
