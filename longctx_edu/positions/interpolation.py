"""Position interpolation, and the mix that slows each pair by a share of its own."""

import math
from dataclasses import replace

from jaxtyping import Float64
from torch import Tensor

from longctx_edu.positions.frequencies import Frequencies
from longctx_edu.positions.inputs import check_factor


def interpolate(frequencies: Frequencies, *, factor: int | float) -> Frequencies:
    """Slow all pairs down by one factor, as if each place were divided by it.

    No angle is new to the model, but neighbours come closer than it ever saw them.

    Args:
        frequencies: Turn of each pair in the training.
        factor: How many times the trained length is wanted.

    Raises:
        ValueError: If the factor is below 1.

    Example:
        >>> from longctx_edu.positions import rotary_frequencies
        >>> slow = interpolate(rotary_frequencies(4, theta=16.0), factor=4)
        >>> slow.radians.tolist()
        [0.25, 0.0625]

    Source: Position interpolation (Chen et al. 2023), section 2.3, equation 4. Built in
    lesson 06.
    """
    check_factor(factor)
    return replace(frequencies, radians=frequencies.radians / factor)


def interpolate_by_parts(
    frequencies: Frequencies, *, factor: int | float, kept: Float64[Tensor, " pair"]
) -> Frequencies:
    """Slow each pair down as far as its share says.

    Args:
        frequencies: Turn of each pair in the training.
        factor: How many times the trained length is wanted.
        kept: 1 for a pair that stays as it is, 0 for one that is slowed down by the
            whole factor, in between for a mix.

    Raises:
        ValueError: If the factor is below 1.

    Example:
        >>> import torch
        >>> pairs = Frequencies(torch.tensor([8.0, 8.0, 8.0]).double())
        >>> kept = torch.tensor([1.0, 0.5, 0.0]).double()
        >>> interpolate_by_parts(pairs, factor=4, kept=kept).radians.tolist()
        [8.0, 5.0, 2.0]

    Source: YaRN (Peng et al. 2023, version 2), section 3.2, equation 20. Built
    in lesson 06.
    """
    check_factor(factor)
    share = kept + (1 - kept) / factor
    return replace(frequencies, radians=frequencies.radians * share)


def check_turns(fast: int | float, slow: int | float) -> None:
    """Refuse ends of a ramp that are none.

    Args:
        fast: Turns within the trained length from which on a pair stays.
        slow: Turns up to which a pair is interpolated.

    Raises:
        ValueError: If they are not finite, positive, and in order.
    """
    if not (math.isfinite(fast) and 0 < slow < fast):
        raise ValueError(
            f"need 0 < slow < fast turns in the trained length, got slow={slow} and "
            f"fast={fast}"
        )
