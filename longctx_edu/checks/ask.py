"""How a check calls a learner's function, and what it takes for an answer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from longctx_edu.checks.report import CheckFailed, require, stopped

DTYPES = {torch.bool: "bools, True or False", torch.int64: "whole numbers"}


def ask(answer: Callable, *given: object, **named: object) -> object:
    """Call a learner's function on copies, and refuse one that changes its input.

    Args:
        answer: The function.
        given: What it gets; tensors are copied first.
        named: What it gets by name.

    Raises:
        CheckFailed: If an input is another after the call.

    Example:
        >>> ask(torch.relu, torch.tensor([-1.0, 2.0])).tolist()
        [0.0, 2.0]
    """
    copies = [copied(value) for value in given]
    named_copies = {name: copied(value) for name, value in named.items()}
    came = answer(*copies, **named_copies)
    for before, after in zip(
        (*given, *named.values()), (*copies, *named_copies.values()), strict=True
    ):
        require(
            not isinstance(before, Tensor) or same(before, after),
            "the input stays as it is",
            came=after,
            expected=before,
            hint="x -= y and methods that end in _ write into the caller's tensor; "
            "x = x - y makes a new one",
        )
    return came


def copied(value: object) -> object:
    """Copy a tensor; leave anything else."""
    return value.clone() if isinstance(value, Tensor) else value


def same(one: Tensor, other: Tensor) -> bool:
    """Tell whether two tensors hold the same numbers."""
    return one.shape == other.shape and torch.equal(one, other)


def tensor_of(
    value: object,
    shape: tuple[int, ...],
    axes: str,
    *,
    dtype: torch.dtype = torch.float32,
    hint: str = "look at the order of the axes, and at their number",
) -> Tensor:
    """Take an answer for a tensor of the right kind and shape, or say what it is.

    Args:
        value: What a learner's function gave.
        shape: What it must have, in tokens, heads and numbers.
        axes: The words for these axes.
        dtype: What it must hold.
        hint: What to say of another shape.

    Raises:
        CheckFailed: If it is no tensor, or another kind or shape.

    Example:
        >>> tensor_of(torch.zeros(2, 3), (2, 3), "query key").shape
        torch.Size([2, 3])
    """
    is_tensor(value)
    require(
        value.dtype == dtype,
        f"the result holds {DTYPES.get(dtype, 'floats like those that came in')}",
        came=str(value.dtype),
        expected=str(dtype),
        hint="a comparison gives bools; .bool() turns numbers into them"
        if dtype == torch.bool
        else "keep the dtype of the input; .float() or .int() on the way changes it",
    )
    require(
        tuple(value.shape) == shape,
        f"the result has the axes {axes}",
        came=f"shape {tuple(value.shape)}",
        expected=f"shape {shape}, the axes {axes}",
        hint=hint,
    )
    return value


def is_tensor(value: object) -> None:
    """Refuse None, NumPy arrays, lists, and tensors on another device.

    Args:
        value: What a learner's function gave.

    Raises:
        CheckFailed: If it is no tensor, or not where the check's own are.
    """
    kind = f"{type(value).__module__}.{type(value).__name__}"
    hints = {
        "builtins.NoneType": "a function without return gives None: end it with return",
        "numpy.ndarray": "stay in torch from beginning to end; NumPy knows no gradient",
    }
    require(
        isinstance(value, Tensor),
        "the result is a torch.Tensor",
        came=kind.removeprefix("builtins."),
        expected="torch.Tensor",
        hint=hints.get(kind, "torch.tensor(...) or torch.stack(...) makes one"),
    )
    require(
        value.layout == torch.strided,
        "the result holds all its numbers",
        came=str(value.layout),
        expected="torch.strided",
        hint=".to_dense() writes the zeros as well",
    )
    require(
        value.device.type == "cpu",
        "the result is on the device of the input",
        came=str(value.device),
        expected="cpu",
        hint="make new tensors with device=x.device, and move none elsewhere",
    )


def shape_of(value: object) -> tuple[int, ...]:
    """Give the shape of a tensor, nothing for anything else.

    Args:
        value: What a learner's function gave.

    Example:
        >>> shape_of(torch.zeros(2, 3)), shape_of(None)
        ((2, 3), ())
    """
    return tuple(value.shape) if isinstance(value, Tensor) else ()


@contextmanager
def on_error(hint: str) -> Iterator[None]:
    """Add a hint where torch refuses what a learner's function does with axes.

    Other errors, a wrong name or a wrong type, speak for themselves.

    Args:
        hint: One sentence about the likely misconception.

    Raises:
        CheckFailed: In place of the learner's own exception.
    """
    try:
        yield
    except NotImplementedError:
        raise
    except (RuntimeError, IndexError) as error:
        raise CheckFailed(f"{stopped(error)}\n  hint: {hint}") from None
