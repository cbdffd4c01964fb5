"""NTK-aware scaling: slow the last pair down by the whole factor, the first not at all.

The fast pairs tell neighbours apart and have seen all of their angles; the slow ones
have not, and need the factor.
"""

from dataclasses import replace

import torch

from longctx_edu.positions.frequencies import Frequencies
from longctx_edu.positions.inputs import check_count, check_factor


def ntk_aware(frequencies: Frequencies, *, factor: int | float) -> Frequencies:
    """Slow pair i of n down by `factor ** (i / (n - 1))`.

    It is the same as a larger base, `theta * factor ** (d / (d - 2))`.

    Args:
        frequencies: Turn of each pair in the training.
        factor: How much slower the last pair turns. For a text of some times the
            trained length a somewhat larger factor is needed: the pairs in between
            are slowed by less than it.

    Raises:
        ValueError: If the factor is below 1, or there is only one pair.

    Example:
        >>> from longctx_edu.positions import rotary_frequencies
        >>> slow = ntk_aware(rotary_frequencies(4, theta=16.0), factor=4)
        >>> slow.radians.tolist()
        [1.0, 0.0625]

    Source: YaRN (Peng et al. 2023, version 2), section 3.1, equation 16. Built
    in lesson 06.
    """
    check_factor(factor)
    n_pairs = len(frequencies.radians)
    if n_pairs < 2:
        raise ValueError(f"need d_rotary >= 4, two pairs or more, got {2 * n_pairs}")
    share = torch.arange(n_pairs, dtype=torch.float64) / (n_pairs - 1)
    return replace(frequencies, radians=frequencies.radians * factor**-share)


def dynamic_ntk(
    frequencies: Frequencies, *, factor: int | float, trained: int, n_tokens: int
) -> Frequencies:
    """Slow the pairs down only as far as the text at hand needs.

    Up to the trained length nothing changes; beyond, it is `ntk_aware` with
    `factor * n_tokens / trained - (factor - 1)`, which for factor 1 is the paper's
    `n_tokens / trained`. As the text grows, so does the slowing: a key that was cached
    already turned keeps an older angle. Cache keys before they are turned, or fix
    `n_tokens` in advance.

    Args:
        frequencies: Turn of each pair in the training.
        factor: How fast the slowing grows with the length.
        trained: Longest text of the training, in tokens.
        n_tokens: Length of the text, in tokens.

    Raises:
        ValueError: If the factor is below 1, a length is none, or there is only one
            pair.

    Example:
        >>> from longctx_edu.positions import rotary_frequencies
        >>> frequencies = rotary_frequencies(4, theta=16.0)
        >>> dynamic_ntk(frequencies, factor=3, trained=8, n_tokens=16).radians.tolist()
        [1.0, 0.0625]

    Source: YaRN (Peng et al. 2023, version 2), section 3.3; the growth with a factor is
    that of transformers. Built in lesson 06.
    """
    check_factor(factor)
    check_count("trained", trained)
    check_count("n_tokens", n_tokens)
    grown = factor * max(n_tokens, trained) / trained - (factor - 1)
    return ntk_aware(frequencies, factor=grown)
