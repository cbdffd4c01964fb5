"""YaRN: slow each pair down by how often it turned in the training, and sharpen scores.

A pair that made many turns has seen every angle and stays; one that made less than a
turn is interpolated; a ramp leads from the one to the other.
"""

import math
from dataclasses import replace

import torch
from jaxtyping import Float64
from torch import Tensor

from longctx_edu.positions.frequencies import Frequencies
from longctx_edu.positions.inputs import check_count, check_factor, check_positive
from longctx_edu.positions.interpolation import check_turns, interpolate_by_parts


def yarn(
    frequencies: Frequencies,
    *,
    factor: int | float,
    trained: int,
    fast: int | float = 32.0,
    slow: int | float = 1.0,
    truncate: bool = True,
    attention_factor: int | float | None = None,
) -> Frequencies:
    """Keep pairs that turn often, interpolate those that turn rarely, mix in between.

    The ramp is linear in the pair's number, as in all published models. The paper
    writes it linear in the number of turns; `llama3` does that.

    Args:
        frequencies: Turn of each pair in the training, from `rotary_frequencies`.
        factor: How many times the trained length is wanted.
        trained: Longest text of the training, in tokens.
        fast: Turns within the trained length from which on a pair stays.
        slow: Turns up to which a pair is interpolated.
        truncate: Widen the ramp to whole pairs; GPT-OSS does not.
        attention_factor: Factor on cosine and sine; `yarn_attention_factor(factor)`
            by default.

    Raises:
        ValueError: If a number has no meaning, or the frequencies were scaled before.

    Example:
        >>> from longctx_edu.positions import rotary_frequencies
        >>> quick = rotary_frequencies(4, theta=256.0)
        >>> long = yarn(quick, factor=4, trained=64, fast=8)
        >>> long.radians.tolist(), round(long.attention_factor, 2)
        ([1.0, 0.015625], 1.14)

    Source: YaRN (Peng et al. 2023, version 2), sections 3.2 and 3.4. Built in
    lesson 06.
    """
    check_count("trained", trained)
    check_turns(fast, slow)
    radians = frequencies.radians
    first, last = (_pair_with_turns(radians, trained, turns) for turns in (fast, slow))
    if truncate:
        first, last = math.floor(first), math.ceil(last)
    # The upper end is 2 n - 1, as in all published models, though pairs end at n - 1.
    first, last = max(first, 0), min(last, 2 * len(radians) - 1)
    width = last - first if last > first else 0.001
    pairs = torch.arange(len(radians), dtype=torch.float64)
    kept = 1 - ((pairs - first) / width).clamp(0, 1)
    if attention_factor is None:
        attention_factor = yarn_attention_factor(factor)
    check_positive("attention_factor", attention_factor)
    longer = interpolate_by_parts(frequencies, factor=factor, kept=kept)
    return replace(longer, attention_factor=attention_factor)


def yarn_attention_factor(factor: int | float) -> float:
    """Say how much longer queries and keys become: `0.1 ln(factor) + 1`.

    Over a longer text the weights spread over more keys; larger scores gather them
    again. Both sides are multiplied, so the scores grow by the square.

    Args:
        factor: How many times the trained length is wanted.

    Raises:
        ValueError: If the factor is below 1.

    Example:
        >>> yarn_attention_factor(1), round(yarn_attention_factor(16), 3)
        (1.0, 1.277)

    Source: YaRN (Peng et al. 2023, version 2), section 3.4, equation 22. Built
    in lesson 06.
    """
    check_factor(factor)
    return 0.1 * math.log(factor) + 1.0


def _pair_with_turns(
    radians: Float64[Tensor, " pair"], trained: int, turns: int | float
) -> float:
    """Find the number of the pair, a fraction, that turns so often when trained."""
    steps = -radians.log().diff()
    if len(steps) < 1 or steps[0] <= 0 or (steps - steps[0]).abs().max() > 1e-9:
        raise ValueError(
            "need the frequencies of rotary_frequencies, of two pairs or more and not "
            f"yet interpolated by parts, got {radians.tolist()} radians a token"
        )
    first = float(radians[0]) * trained / (2 * math.pi)
    return math.log(first / turns) / float(steps[0])
