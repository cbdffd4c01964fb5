"""An n-gram model: counts of short runs of tokens, the baseline of a language model."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from jaxtyping import Int
from torch import Tensor

MAX_ORDER = 5

Run = tuple[int, ...]


class NGram:
    """Predict a token from the few before it, by interpolated Kneser-Ney smoothing.

    The chance of token w after the context h, where h' is h without its first token:

        P(w | h) = max(c(h w) - d, 0) / c(h) + d n(h) / c(h) * P(w | h')

    At the highest order c counts how often a run stands in the text; below it, how
    many different tokens stand before the run, because a token that always follows
    the same one is no good guess anywhere else. c(h) is the sum of c(h w) over w, and
    n(h) the number of different w after h. Each of them gives up the discount d, which
    the shorter context shares out; the shortest of all gives 1 / vocab_size to each.

    Args:
        order: Tokens of the longest run: 2 is a bigram, with 1 token of context.
        vocab_size: Number of ids.

    Raises:
        ValueError: If the order is not from 1 to 5, or there is no id.

    Example:
        >>> bigram = NGram(2, vocab_size=4).fit([0, 1, 0, 1, 0, 2])
        >>> bigram.probability([0], 1) > bigram.probability([0], 2)
        True
        >>> round(sum(bigram.probability([0], token) for token in range(4)), 6)
        1.0

    Source: Kneser and Ney 1995; interpolated as in Chen and Goodman 1999, section 2.7,
    with the discounts n1 / (n1 + 2 n2) of their section 2.6. Used in lesson 02.
    """

    def __init__(self, order: int, vocab_size: int):
        if not 1 <= order <= MAX_ORDER:
            raise ValueError(f"need 1 <= order <= {MAX_ORDER}, got order={order}")
        if vocab_size < 1:
            raise ValueError(f"need vocab_size >= 1, got vocab_size={vocab_size}")
        self.order, self.vocab_size = order, vocab_size
        self._tables: list[_Table] = []  # runs of 1 token, of 2, ...

    def fit(self, ids: Int[Tensor, " token"] | Sequence[int]) -> "NGram":
        """Count the runs of a text; what an earlier call has counted is forgotten.

        Args:
            ids: The text.

        Raises:
            ValueError: If it is shorter than `order`, or an id is outside the
                vocabulary.
        """
        ids = self._checked(ids)
        if len(ids) < self.order:
            raise ValueError(
                f"need a text of at least {self.order} tokens for order "
                f"{self.order}, got {len(ids)}"
            )
        lengths = range(1, self.order + 1)
        self._tables = [_Table(self._counts(ids, length)) for length in lengths]
        return self

    def probability(self, context: Sequence[int], token: int) -> float:
        """Return the chance of a token after others.

        Args:
            context: The ids before it, the nearest last; `order - 1` are looked at.
            token: The id whose chance is wanted.

        Raises:
            ValueError: If nothing was fitted, or an id is outside the vocabulary.
        """
        return self._probability(self._checked([*context, token]))

    def bits_per_token(self, ids: Int[Tensor, " token"] | Sequence[int]) -> float:
        """Return the mean of -log2 P over a text, every token counted.

        The first tokens are predicted from what is there: the first from nothing.

        Args:
            ids: The text.

        Raises:
            ValueError: If nothing was fitted, the text is empty, or an id is outside
                the vocabulary.
        """
        ids = self._checked(ids)
        if not ids:
            raise ValueError("need a text of at least 1 token, got 0")
        stops = range(1, len(ids) + 1)
        runs = (ids[max(0, stop - self.order) : stop] for stop in stops)
        return -sum(math.log2(self._probability(run)) for run in runs) / len(ids)

    def _counts(self, ids: Run, length: int) -> Counter[Run]:
        """Count the runs of a length; below the highest order, what stands before."""
        if length == self.order:
            return Counter(_runs(ids, length))
        return Counter(run[1:] for run in set(_runs(ids, length + 1)))

    def _probability(self, run: Run) -> float:
        """Return the chance of the last token of a run: the formula, shortest first."""
        if not self._tables:
            raise ValueError("need fit(ids) first, got a model without counts")
        chance = 1 / self.vocab_size
        for length, table in enumerate(self._tables[: len(run)], start=1):
            chance = table.probability(run[-length:], chance)
        return chance

    def _checked(self, ids: Int[Tensor, " token"] | Sequence[int]) -> Run:
        """Return the ids as a tuple, or say which is outside the vocabulary."""
        ids = tuple(ids.tolist() if isinstance(ids, Tensor) else ids)
        for i in (min(ids, default=0), max(ids, default=0)):
            if not 0 <= i < self.vocab_size:
                raise ValueError(f"need ids from 0 to {self.vocab_size - 1}, got {i}")
        return ids


class _Table:
    """The counts of all runs of one length, and of their contexts.

    Args:
        counts: How often each run counts.
    """

    def __init__(self, counts: Counter[Run]):
        self.counts = counts
        self.total: Counter[Run] = Counter()  # c(h)
        self.n_next: Counter[Run] = Counter()  # n(h)
        for run, count in counts.items():
            self.total[run[:-1]] += count
            self.n_next[run[:-1]] += 1
        self.discount = _discount(counts.values())

    def probability(self, run: Run, shorter: float) -> float:
        """Return the chance of a run's last token, given that of the shorter run."""
        context = run[:-1]
        total = self.total.get(context, 0)
        if not total:
            return shorter
        kept = max(self.counts.get(run, 0) - self.discount, 0)
        return (kept + self.discount * self.n_next[context] * shorter) / total


def _runs(ids: Run, length: int) -> Iterable[Run]:
    """Return every run of a length, in the order of the text."""
    return zip(*(ids[first:] for first in range(length)), strict=False)


def _discount(counts: Iterable[int]) -> float:
    """Return n1 / (n1 + 2 n2) of the runs that count once and twice.

    Where no run counts once the formula gives 0, and what is new would be impossible:
    a half stands in.
    """
    of = Counter(counts)
    return of[1] / (of[1] + 2 * of[2]) if of[1] else 0.5
