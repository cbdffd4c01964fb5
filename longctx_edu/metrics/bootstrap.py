"""Is one tagger better than another, or were the documents lucky?

Strict F1 of entities is no mean over documents, so no plain test fits. The bootstrap
draws documents with replacement and computes both F1s anew from their counts.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Float, Int
from torch import Generator, Tensor

from longctx_edu.metrics.entities import Entity, entities
from longctx_edu.metrics.scores import Tags, check_pairs

MOST = 2_000_000
"""Numbers that are drawn at once: what bounds the memory, in 8 bytes each."""


@dataclass(frozen=True)
class Comparison:
    """What the paired bootstrap says of two systems, a and b.

    Args:
        f1_a: Micro F1 of a, from 0 to 1; the mean over its runs.
        f1_b: The same of b.
        difference: f1_b - f1_a.
        low: Where the interval of the difference begins.
        high: Where it ends.
        p_value: How likely so large a difference is if both are equally good.
        level: The share of draws that the interval holds.
        units: What was drawn from: so many documents, or sentences.
        draws: How often.
    """

    f1_a: float
    f1_b: float
    difference: float
    low: float
    high: float
    p_value: float
    level: float
    units: int
    draws: int


def entity_counts(
    gold: Tags, predicted: Tags, starts: Sequence[Sequence[int]] | None = None
) -> Int[Tensor, "unit 3"]:
    """Count right, predicted and gold entities, for each text or part of one.

    An entity belongs to the part in which it begins, so that the counts of the parts
    add up to those of the text.

    Args:
        gold: One sequence of IOB2 tags a text.
        predicted: As many, each as long.
        starts: The first token of each part of each text, ascending from 0, as
            `sentence_starts` of a document; None: each text is one part.

    Raises:
        ValueError: If the two differ in number or length, or a tag is not IOB2.

    Example:
        >>> gold, predicted = ["B-A", "I-A", "O", "B-B"], ["B-A", "O", "O", "B-B"]
        >>> entity_counts([gold], [predicted]).tolist()
        [[1, 2, 2]]
        >>> entity_counts([gold], [predicted], starts=[[0, 2]]).tolist()
        [[0, 1, 1], [1, 1, 1]]
    """
    check_pairs(gold, predicted)
    starts = [[0]] * len(gold) if starts is None else starts
    counts = torch.zeros(sum(map(len, starts)), 3, dtype=torch.long)
    first = 0  # the row of a text's first part
    for gold_tags, tags, parts in zip(gold, predicted, starts, strict=True):
        there, said = set(entities(gold_tags)), set(entities(tags))
        for column, found in enumerate((there & said, said, there)):
            for entity in found:
                counts[first + _part(entity, parts), column] += 1
        first += len(parts)
    return counts


def paired_bootstrap(
    a: Int[Tensor, "*run unit 3"],
    b: Int[Tensor, "*other_run other_unit 3"],
    *,
    generator: Generator,
    draws: int = 10_000,
    level: float = 0.95,
) -> Comparison:
    """Test whether two systems differ on the same documents.

    Each draw takes as many units as there are, with replacement, the same for both.
    The interval holds the middle share `level` of the drawn differences. The p-value
    is two-sided: the share of draws in which the difference strays from the one
    measured by as much as that is from 0. The draws are centred on the difference
    measured, so taking it away shows what two equal systems would do; the measured
    one counts as a draw, so that p is never 0. Several runs of a system (seeds) are
    scored on the same draw each, and their F1s averaged.

    Args:
        a: What `entity_counts` gives for the first system.
        b: The same for the second, on the same texts.
        generator: Draws the units.
        draws: How many draws.
        level: Share of draws in the interval.

    Raises:
        ValueError: If the texts differ, are fewer than two, or a number is out of
            range.

    Example:
        >>> a, b = torch.tensor([[0, 1, 1]] * 9), torch.tensor([[1, 1, 1]] * 9)
        >>> done = paired_bootstrap(a, b, generator=Generator(), draws=99)
        >>> done.difference, done.low, done.high, done.p_value
        (1.0, 1.0, 1.0, 0.01)

    Source: the test of Berg-Kirkpatrick et al. 2012, section 2, on both sides, where
    Koehn 2004 counts who wins; "+ 1" as in Davison and Hinkley 1997, section 4.2.
    """
    _check(a, b, draws, level)
    a, b = (rearrange(x.double(), "... unit n -> unit (...) n") for x in (a, b))
    both = torch.cat([a, b], 1)
    f1_a, f1_b = (_mean_f1(x.sum(0)) for x in (a, b))
    measured = f1_b - f1_a
    drawn = torch.cat(
        [
            _mean_f1(totals[:, a.shape[1] :]) - _mean_f1(totals[:, : a.shape[1]])
            for totals in _drawn_totals(both, draws, generator)
        ]
    )
    # Ties count as at least as far: equal systems have p = 1, and rounding no say.
    strayed = (drawn - measured).abs() >= measured.abs() - 1e-12
    tail = (1 - level) / 2
    low, high = drawn.quantile(drawn.new_tensor([tail, 1 - tail])).tolist()
    return Comparison(
        *(float(x) for x in (f1_a, f1_b, measured)),
        low=low,
        high=high,
        p_value=(1 + int(strayed.sum())) / (1 + draws),
        level=level,
        units=len(a),
        draws=draws,
    )


def _part(entity: Entity, starts: Sequence[int]) -> int:
    """Number the part in which an entity begins."""
    return bisect_right(starts, entity.start) - 1


def _drawn_totals(
    counts: Float[Tensor, "unit run 3"], draws: int, generator: Generator
) -> Iterator[Float[Tensor, "draw run 3"]]:
    """Add up the counts of drawn units, a block of draws at a time."""
    n = len(counts)
    at_once = max(1, MOST // n)
    for first in range(0, draws, at_once):
        size = min(at_once, draws - first)
        picked = torch.randint(n, (size, n), generator=generator)
        times = torch.zeros(size, n, dtype=torch.double)
        times.scatter_add_(1, picked, times.new_ones(()).expand(size, n))
        totals = times @ rearrange(counts, "unit run n -> unit (run n)")
        yield rearrange(totals, "draw (run n) -> draw run n", n=3)


def _mean_f1(totals: Float[Tensor, "*draw run 3"]) -> Float[Tensor, "*draw"]:
    """Compute F1 of each run, 0 without an entity, and their mean."""
    right, predicted, gold = totals.unbind(-1)
    return (2 * right / (predicted + gold).clamp(min=1)).mean(-1)


def _check(a: Tensor, b: Tensor, draws: int, level: float) -> None:
    n, other = a.shape[-2], b.shape[-2]
    if n != other:
        raise ValueError(f"need both systems on the same texts, got {n} and {other}")
    if n < 2:
        raise ValueError(f"need at least 2 texts or parts to draw from, got {n}")
    gold = torch.cat([x[..., 2].reshape(-1, n) for x in (a, b)])
    if (gold != gold[0]).any():
        raise ValueError(
            "need both systems on the same texts, got texts with other numbers of gold "
            f"entities, {int(gold[0].sum())} and {int(gold[-1].sum())} in all"
        )
    if draws < 1:
        raise ValueError(f"need draws >= 1, got {draws}")
    if not 0 < level < 1:
        raise ValueError(f"need 0 < level < 1, got {level}")
