"""Llama 3.1's scaling: interpolation by parts, mixed by the number of turns."""

import math

from longctx_edu.positions.frequencies import Frequencies
from longctx_edu.positions.inputs import check_count
from longctx_edu.positions.interpolation import check_turns, interpolate_by_parts


def llama3(
    frequencies: Frequencies,
    *,
    factor: int | float,
    trained: int,
    fast: int | float = 4.0,
    slow: int | float = 1.0,
) -> Frequencies:
    """Keep pairs that turn often, mixed by the number of turns, as Llama 3.1 does.

    It is the interpolation by parts of YaRN's paper, without the attention factor.

    Args:
        frequencies: Turn of each pair in the training.
        factor: How many times the trained length is wanted.
        trained: Longest text of the training, in tokens.
        fast: Turns within the trained length from which on a pair stays.
        slow: Turns up to which a pair is interpolated.

    Raises:
        ValueError: If a number has no meaning.

    Example:
        >>> from longctx_edu.positions import rotary_frequencies
        >>> quick = rotary_frequencies(4, theta=256.0)
        >>> llama3(quick, factor=4, trained=64).radians.tolist()
        [1.0, 0.015625]

    Source: YaRN (Peng et al. 2023, version 2), section 3.2, equations 18 and 20; fast
    and slow are those of Llama 3.1's published config. Built in lesson 06.
    """
    check_count("trained", trained)
    check_turns(fast, slow)
    turns = frequencies.radians * trained / (2 * math.pi)
    kept = ((turns - slow) / (fast - slow)).clamp(0, 1)
    return interpolate_by_parts(frequencies, factor=factor, kept=kept)
