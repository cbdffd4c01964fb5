"""Checks of lesson 03: a softmax whose scores come one by one."""

import math
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from longctx_edu.checks.ask import tensor_of
from longctx_edu.checks.compare import agree, close
from longctx_edu.checks.oracles import drawn, slow_product
from longctx_edu.checks.plain import equal, numbers_of, on_kind
from longctx_edu.checks.report import check, require

__all__ = ["check_online_mean", "check_running_max_and_sum"]

LOGS = [math.log(1), math.log(4), math.log(2)]
NAMES = ["the maximum", "the sum"]
HELD = 8  # what may be held of a stream at once: a few things, never the row
LARGE = "exp(1000) overflows: every exponent has the maximum so far subtracted"
LOW = "start below every score, at -math.inf, not at 0"
ONCE = "walk once: for score in scores, and nothing before or after it"


class Score(float):
    """A score that can be watched."""


class Stream:
    """Gives a row one by one, once, and counts how much of it is held at a time.

    Args:
        scores: The row.
        values: What to give beside each score; nothing by default.

    Example:
        >>> stream = Stream([1.0, 2.0, 3.0])
        >>> kept = list(stream)
        >>> stream.most_held, list(stream)
        (3, [])
    """

    def __init__(self, scores: Sequence[float], values: Tensor | None = None):
        self.most_held = 0
        self.changed = False
        self.walk = self.steps(scores, values)

    def __iter__(self) -> Iterator:
        return self.walk

    def __next__(self) -> Any:
        return next(self.walk)

    def __getitem__(self, place: object) -> None:
        require(
            False,
            "the stream is taken as it comes",
            came=f"a look at place {place}",
            expected="a for loop",
            hint="a stream has no places: take it as it comes, in one for loop",
        )

    def steps(self, scores: Sequence[float], values: Tensor | None) -> Iterator:
        """Give one thing after the other and watch what becomes of it."""
        given: list[weakref.ref] = []
        for n, score in enumerate(scores):
            thing: Any = Score(score) if values is None else values[n].clone()
            given.append(weakref.ref(thing))
            self.most_held = max(self.most_held, sum(x() is not None for x in given))
            yield thing if values is None else (score, thing)
            if values is not None:
                held = ((old, x()) for old, x in zip(values, given, strict=False))
                self.changed |= any(
                    x is not None and not torch.equal(old, x) for old, x in held
                )


@check("Two numbers hold a row of any length: its maximum, and its sum against that.")
def check_running_max_and_sum(running_max_and_sum: Callable):
    """Three scores by hand, one alone, low ones, large ones; then a long stream."""

    def asked(scores: Sequence[float]) -> list[float]:
        with on_kind(OverflowError, LARGE):
            return numbers_of(running_max_and_sum(Stream(scores)), NAMES)

    top = LOGS[1]
    equal(
        "log 1, log 4, log 2: the maximum is log 4, the sum 1/4 + 1 + 2/4",
        asked(LOGS),
        [top, 1.75],
        given={"scores": "log 1, log 4, log 2, one by one"},
        hint="where a score beats the maximum, shrink the sum first, then add 1",
        mistakes=[
            ([top, 2.5], "the old sum was measured against the old maximum: multiply "
             "it by exp(old - new)"),
            ([top, 5.5], "exp(old - new), which is below 1; exp(new - old) blows up"),
            ([top, 7.0], "each exponent has the maximum subtracted: exp(score - top)"),
            ([1.75, top], "the maximum first, then the sum"),
            ([top, 0.0], "the stream was empty at the second walk: " + ONCE),
            ([0.0, 0.0], "the stream was empty at the second walk: " + ONCE),
            ([top, math.log(1.75)], "return the sum itself, not its logarithm"),
            ([top, math.log(7)], "return the sum itself, not its logarithm"),
            ([LOGS[2], 3.5], "the maximum so far never falls: max(top, score)"),
            ([top, 1.5], "the old sum shrinks by exp(old - new), it is not lost"),
            ([top, 0.75], "shrink the old sum first, then add: the new score is "
             "measured against the new maximum already"),
        ],
    )  # fmt: skip
    for scores, hint in (
        ([3.0], "one score: it is the maximum, and exp(0) is 1"),
        ([-1000.0, -1000.0], LOW),
        ([0.0, 1000.0, 1000.0], LARGE),
        ([1000.0, 0.0], LARGE),
    ):
        want = [max(scores), sum(math.exp(score - max(scores)) for score in scores)]
        near("any scores will do", asked(scores), want, scores, hint)
    long = drawn(300).mul(3).tolist()
    stream = Stream(long)
    got = numbers_of(running_max_and_sum(stream), NAMES)
    want = [max(long), sum(math.exp(score - max(long)) for score in long)]
    near("300 scores are no different", got, want, long, "fix no number of scores")
    not_a_row(stream)


def near(
    prop: str, got: list[float], want: list[float], scores: Sequence[float], hint: str
) -> None:
    """Compare as far as float32 carries."""
    pairs = zip(got, want, strict=True)
    some = ", ".join(f"{score:g}" for score in scores[:5])
    require(
        all(abs(one - other) <= 1e-3 * max(1, abs(other)) for one, other in pairs),
        prop,
        given={"scores": f"{some}{', ...' * (len(scores) > 5)}, one by one"},
        came=got,
        expected=want,
        hint=hint,
    )


def not_a_row(stream: Stream) -> None:
    """Refuse an answer that collects the stream."""
    require(
        stream.most_held <= HELD,
        "of the stream only a few things are held at a time",
        came=f"{stream.most_held} held at once",
        expected=f"{HELD} at most, whatever the length",
        hint="list(...) or append stores the row; two or three numbers are enough",
    )


@check("The mean of any number of values, without its weights ever being known.")
def check_online_mean(online_mean: Callable):
    """Three values by hand, then scores that are far apart, then a long stream."""

    def asked(scores: Sequence[float], values: Tensor) -> Tensor:
        return mean_asked(online_mean, scores, values)

    v = torch.tensor([[7.0, 0.0], [0.0, 7.0], [14.0, 7.0]])
    agree(
        "weights of 1/7, 4/7, 2/7",
        asked(LOGS, v),
        [5.0, 6.0],
        given={"scores": "log 1, log 4, log 2, one by one", "value beside each": v},
        hint="carry maximum, sum and mixture; shrink both; divide at the end",
        mistakes=[
            ([8.0, 6.0], "the mixture shrinks with the sum: both by exp(old - new)"),
            ([14 / 2.5, 10.5 / 2.5], "when the maximum rises, shrink what was added"),
            ([8.75 / 2.5, 10.5 / 2.5], "the sum shrinks with the mixture: both"),
            ([8.75, 10.5], "the mixture is no mean yet: divide by the sum at the end"),
            ([35.0, 42.0], "the mixture is no mean yet: divide by the sum at the end"),
            ([7.0, 14 / 3], "each value counts with its weight, not all alike"),
            ([8.75 / 3, 3.5], "divide by the sum of the weights, not by the count"),
            ([14.0, 7.0], "this is the last value alone: add to what is carried"),
        ],
    )
    for scores, hint in (
        ([0.0, 1000.0, 1000.0], LARGE),
        ([-1000.0, -1001.0, -1000.0], LOW),
        ([2.0, 1.0, 0.0], "where the maximum stays, nothing shrinks: exp(0) is 1"),
    ):
        got, want = asked(scores, v), slow_product(shares(scores)[None], v)[0]
        require(
            close(got, want, atol=1e-2),  # float32 near 1000 has four digits to give
            "any scores will do",
            given={"scores": f"{', '.join(map(str, scores))}, one by one", "values": v},
            came=got,
            expected=want,
            hint=hint,
        )
    long, many = drawn(300).mul(2).tolist(), drawn(300, 5)
    want = slow_product(shares(long)[None], many)[0]
    agree("300 values of 5 numbers", asked(long, many), want, hint="fix no size")


def mean_asked(
    online_mean: Callable, scores: Sequence[float], values: Tensor
) -> Tensor:
    """Ask for the mean along a stream; refuse who collects it or writes into it."""
    stream = Stream(scores, values)
    with on_kind(OverflowError, LARGE):
        got = tensor_of(online_mean(stream), values.shape[1:], "d_value")
    require(
        not stream.changed,
        "the values stay as they are",
        came="a value of the stream was changed",
        expected="each as it was",
        hint="*= and += write into the tensor; x = x * y makes a new one",
    )
    not_a_row(stream)
    return got


def shares(scores: Sequence[float]) -> Tensor:
    """Turn a row of scores into weights."""
    parts = torch.tensor([math.exp(score - max(scores)) for score in scores])
    return parts / sum(parts.tolist())
