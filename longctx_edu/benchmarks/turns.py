"""Time contenders in turn: all once, all again, so that noise meets all alike."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from longctx_edu.benchmarks.cases import Case, Inputs
from longctx_edu.benchmarks.contender import Built, CannotRun, Contender
from longctx_edu.benchmarks.reference import Answer
from longctx_edu.measure import device

LONG_S = 10.0
"""A first call that took longer is warm-up enough."""


@dataclass
class Entry:
    """A contender in one case and mode, and how long its calls took.

    Args:
        label: Its name in the report.
        contender: Who it is.
        case: What is asked of it.
        inputs: The numbers that it gets; None where a reason stands already.
        backward: With the gradients.
        built: It, once it is ready; None before and after.
        seconds: Of each measured call.
        reason: Why it cannot run; empty while it can.
    """

    label: str
    contender: Contender
    case: Case
    inputs: Inputs | None
    backward: bool
    built: Built | None = None
    seconds: list[float] = field(default_factory=list)
    reason: str = ""

    @property
    def median_s(self) -> float:
        """Seconds of a call, the median."""
        return statistics.median(self.seconds)

    def ready_call(self) -> Callable[[], tuple[Tensor, ...]]:
        """Lay fresh inputs out, and return the call that is measured.

        The call returns the result, and behind it the gradients where there are.
        """
        given, attend = self.inputs, self.built.attend
        q, k, v = (
            self.contender.lay_out(x).detach().requires_grad_(self.backward)
            for x in (given.q, given.k, given.v)
        )
        if not self.backward:

            def forward() -> tuple[Tensor, ...]:
                with torch.no_grad():
                    return (attend(q, k, v),)

            return forward
        out_grad = self.contender.lay_out(given.out_grad)

        def forward_backward() -> tuple[Tensor, ...]:
            out = attend(q, k, v)
            return out.detach(), *torch.autograd.grad(out, (q, k, v), out_grad)

        return forward_backward

    def answer(self) -> Answer:
        """Run once, and return what came in the order (batch, head, token, d)."""
        heads = self.case.setting.n_heads
        came = self.ready_call()()
        out, *gradients = (self.contender.to_heads(x, heads) for x in came)
        return Answer(out, tuple(gradients))

    def timed(self) -> float:
        """Run once, and return the seconds; laying out does not count."""
        call = self.ready_call()
        started = now()
        result = call()
        elapsed = now() - started
        del result
        return elapsed

    def warm_up(self) -> float:
        """Make it ready, run until a call does not compile, and return its seconds."""
        self.built = self.contender.build(self.case)
        first = self.timed()
        return first if first > LONG_S else self.timed()

    def tried(self, do: Callable[[], object]) -> object:
        """Do something; what goes wrong becomes the reason, and is no end of the run.

        Args:
            do: What to do.
        """
        try:
            return do()
        except CannotRun as error:
            self.reason = str(error)
        except Exception as error:  # whatever a peer raises is its own
            said = " ".join(str(error).split())
            self.reason = f"{type(error).__name__}: {said}"[:300]
        self.built = None
        return None


def time_in_turn(
    entries: Sequence[Entry],
    *,
    repeats: int,
    budget_s: float,
    why_not: Callable[[Entry], str] = lambda entry: "",
    step: Callable[[Entry], object] = lambda entry: None,
) -> None:
    """Make each ready and warm it up, then run them round by round.

    Args:
        entries: The contenders; each gets its seconds, or the reason why not.
        repeats: Rounds; a slow contender drops out of the last ones.
        budget_s: Seconds that a call may take, and about what its repeats may.
        why_not: Says why one should not even be tried; empty where it should.
        step: Told of each call.
    """
    rounds: dict[int, int] = {}
    for place, entry in enumerate(entries):
        step(entry)
        entry.reason = entry.reason or why_not(entry)
        if entry.reason:
            continue
        warm_s = entry.tried(entry.warm_up)
        if warm_s is not None:
            rounds[place] = rounds_within(budget_s, warm_s, repeats)
    gc.collect()
    for turn in range(repeats):
        for place, entry in enumerate(entries):
            step(entry)
            if turn < rounds.get(place, 0) and entry.built:
                taken = entry.tried(entry.timed)
                entry.seconds += [] if taken is None else [taken]


def rounds_within(budget_s: float, call_s: float, most: int) -> int:
    """Say how many rounds fit; at least one.

    Args:
        budget_s: Seconds for all of them.
        call_s: Seconds of a call.
        most: Rounds that are asked for.

    Example:
        >>> [rounds_within(120.0, call_s, 5) for call_s in (1.0, 40.0, 100.0)]
        [5, 3, 1]
    """
    return max(1, min(most, int(budget_s / call_s))) if call_s > 0 else most


def now() -> float:
    """Read the clock when the device has done what it was told."""
    if device().type != "cpu":
        torch.accelerator.synchronize()
    return time.perf_counter()


def predicted_s(known: Mapping[int, float], n: int, power: int) -> float:
    """Guess the seconds at a length from the next shorter one; 0 where there is none.

    Args:
        known: Length to seconds.
        n: The length, in tokens.
        power: Time grows with this power of the length.

    Example:
        >>> predicted_s({1024: 0.5, 2048: 2.0}, 8192, power=2)
        32.0
    """
    shorter = max((length for length in known if length <= n), default=None)
    return known[shorter] * (n / shorter) ** power if shorter else 0.0
