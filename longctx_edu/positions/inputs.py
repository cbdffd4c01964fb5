"""What positions ask of their inputs, said in the caller's words."""

import math

import torch
from torch import Tensor


def check_width(name: str, width: int) -> None:
    """Refuse a width that does not fall into pairs.

    Args:
        name: The parameter's name.
        width: Numbers in a vector.

    Raises:
        ValueError: If it is not an even whole number >= 2.
    """
    if type(width) is not int or width < 2 or width % 2:
        raise ValueError(f"need an even {name} >= 2, got {width}")


def check_theta(theta: int | float) -> None:
    """Refuse a base under which later pairs would not turn slower than earlier ones.

    Args:
        theta: Base of the frequencies.

    Raises:
        ValueError: If it is no finite number above 1.
    """
    if not (math.isfinite(theta) and theta > 1):
        raise ValueError(f"need a finite theta > 1, got {theta}")


def check_factor(factor: int | float) -> None:
    """Refuse a factor that lengthens nothing.

    Args:
        factor: How many times the trained length is wanted.

    Raises:
        ValueError: If it is no finite number from 1 on.
    """
    if not (math.isfinite(factor) and factor >= 1):
        raise ValueError(f"need a finite factor >= 1, got {factor}")


def check_positive(name: str, number: int | float) -> None:
    """Refuse a factor that turns vectors round or makes nothing of them.

    Args:
        name: The parameter's name.
        number: The factor.

    Raises:
        ValueError: If it is no finite number above 0.
    """
    if not (math.isfinite(number) and number > 0):
        raise ValueError(f"need a finite {name} > 0, got {number}")


def check_count(name: str, count: int) -> None:
    """Refuse a number of tokens, heads or rows that is none.

    Args:
        name: The parameter's name.
        count: The number.

    Raises:
        ValueError: If it is no whole number from 1 on.
    """
    if type(count) is not int or count < 1:
        raise ValueError(f"need {name} that is a whole number >= 1, got {count}")


def check_positions(positions: Tensor) -> None:
    """Refuse positions in a format that rounds whole numbers off.

    Args:
        positions: Place of each token, in tokens.

    Raises:
        ValueError: If the format is bfloat16 or float16.
    """
    if positions.dtype in (torch.bfloat16, torch.float16):
        exact = {torch.bfloat16: 256, torch.float16: 2048}[positions.dtype]
        raise ValueError(
            f"need positions as whole numbers, float32 or float64, got "
            f"{positions.dtype}, which rounds above {exact}"
        )
