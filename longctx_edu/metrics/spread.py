"""How much does a score depend on the seed? Mean, spread and a t interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, pi, sin, sqrt, tan
from statistics import mean, stdev


@dataclass(frozen=True)
class OverSeeds:
    """One score of several runs that differ in nothing but their seed.

    Args:
        values: The score of each run.
        mean: Their mean.
        spread: Their sample standard deviation, with n - 1 below the line.
        low: Where the interval of the mean begins.
        high: Where it ends.
        level: How often such an interval holds the true mean.
    """

    values: tuple[float, ...]
    mean: float
    spread: float
    low: float
    high: float
    level: float


def over_seeds(values: Sequence[float], *, level: float = 0.95) -> OverSeeds:
    """Take the scores of several seeds together.

    The interval is mean ± t · spread / sqrt(n), with t of Student's distribution with
    n - 1 degrees of freedom. It speaks of other seeds on the same texts, not of other
    texts: for those, see `paired_bootstrap`.

    Args:
        values: The score of each run, two or more.
        level: How often the interval is to hold the true mean.

    Raises:
        ValueError: If there are fewer than two values, or level is out of range.

    Example:
        >>> over_seeds([1.0, 2.0, 3.0]).spread
        1.0
        >>> round(over_seeds([1.0, 2.0, 3.0]).high, 2)
        4.48

    Source: Student 1908, "The probable error of a mean".
    """
    if len(values) < 2:
        raise ValueError(f"need the scores of at least 2 seeds, got {len(values)}")
    centre, spread = mean(values), stdev(values)
    far = t_within(level, len(values) - 1) * spread / sqrt(len(values))
    return OverSeeds(tuple(values), centre, spread, centre - far, centre + far, level)


def t_within(level: float, freedom: int) -> float:
    """Return the t with a share `level` of Student's distribution between -t and t.

    Args:
        level: The share, between 0 and 1.
        freedom: Degrees of freedom, 1 or more.

    Raises:
        ValueError: If a number is out of range.

    Example:
        >>> round(t_within(0.95, 2), 3), round(t_within(0.95, 9), 3)
        (4.303, 2.262)

    Source: Abramowitz and Stegun 1964, equations 26.7.3 and 26.7.4, halved until found.
    """
    if not 0 < level < 1:
        raise ValueError(f"need 0 < level < 1, got {level}")
    if freedom < 1:
        raise ValueError(f"need at least 1 degree of freedom, got {freedom}")
    low, high = 0.0, pi / 2  # of the angle whose tangent is t / sqrt(freedom)
    for _ in range(60):
        angle = (low + high) / 2
        if _share(angle, freedom) < level:
            low = angle
        else:
            high = angle
    return tan((low + high) / 2) * sqrt(freedom)


def _share(angle: float, freedom: int) -> float:
    """Return the share of the distribution within sqrt(freedom) · tan(angle)."""
    odd = freedom % 2
    term = cos(angle) if odd else 1.0
    total = 0.0
    for k in range(1 + odd, freedom, 2):
        total += term
        term *= cos(angle) ** 2 * k / (k + 1)
    return 2 / pi * (angle + sin(angle) * total) if odd else sin(angle) * total
