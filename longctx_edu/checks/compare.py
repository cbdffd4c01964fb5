"""Numbers against an independent result, and the mistake that explains a difference."""

from collections.abc import Sequence

import torch
from torch import Tensor

from longctx_edu.checks.report import require

Mistake = tuple[Tensor | list, str]


def agree(
    prop: str,
    came: Tensor,
    expected: Tensor | list,
    *,
    hint: str,
    mistakes: Sequence[Mistake] = (),
    given: object = None,
) -> None:
    """Go on if numbers agree; else stop with the hint of the mistake that fits.

    Args:
        prop: What holds, in words.
        came: What a learner's function gave.
        expected: An independent result.
        hint: What to say where no known mistake fits.
        mistakes: Results of known misconceptions, each with its own hint.
        given: The input.

    Raises:
        CheckFailed: If the numbers differ.

    Example:
        >>> agree("twice", torch.tensor([4.0]), [4.0], hint="plus itself")
    """
    if not close(came, expected):
        hint = likely(came, mistakes, hint)
        expected = torch.as_tensor(expected)
        require(False, prop, came=came, expected=expected, hint=hint, given=given)


def close(came: Tensor, expected: Tensor | list, atol: float = 1e-5) -> bool:
    """Tell whether numbers agree; nan agrees with nothing.

    Args:
        came: What a learner's function gave.
        expected: An independent result of the same shape.
        atol: Largest difference that still counts as the same.

    Example:
        >>> close(torch.tensor([0.5]), [0.5]), close(torch.tensor([torch.nan]), [0.5])
        (True, False)
    """
    expected = torch.as_tensor(expected, dtype=torch.float64)
    if came.shape != expected.shape:
        return False
    difference = (came.detach().double() - expected).abs()
    return bool((difference <= atol).all())


def likely(came: Tensor, mistakes: Sequence[Mistake], otherwise: str) -> str:
    """Choose the hint of the mistake that gives exactly these numbers.

    Args:
        came: What a learner's function gave.
        mistakes: Results of known misconceptions, each with its own hint.
        otherwise: The hint where none fits.

    Example:
        >>> likely(torch.tensor([4.0]), [([4.0], "divide by 2")], "count again")
        'divide by 2'
    """
    return next((hint for result, hint in mistakes if close(came, result)), otherwise)
