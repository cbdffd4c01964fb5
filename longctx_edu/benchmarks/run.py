"""The benchmark: every case, all contenders in turn, then memory and exactness.

Time is taken first and alone. Memory is watched in a call of its own: giving memory
back to the system, and reading its use every few milliseconds, would disturb the clock.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tqdm import tqdm

from longctx_edu.benchmarks.cases import Case, make_inputs
from longctx_edu.benchmarks.implementations import WINDOW
from longctx_edu.benchmarks.machine import free_bytes, gemm_rates
from longctx_edu.benchmarks.needed import needed_in_full, needed_operations
from longctx_edu.benchmarks.plan import Plan
from longctx_edu.benchmarks.record import Record, Row
from longctx_edu.benchmarks.rows import row_of
from longctx_edu.benchmarks.turns import Entry, predicted_s, time_in_turn
from longctx_edu.benchmarks.variants import VARIANTS, as_variant, variant_cases

AHEAD = 2.0
"""Forward and backward take at least so many times the seconds of forward."""

SHARE = 0.9
"""Of the free memory; the rest is left to whatever else the machine does."""


def run_benchmark(
    plan: Plan,
    *,
    progress: bool = False,
    save: Callable[[Row], object] = lambda report: None,
) -> Row:
    """Measure all that is planned.

    What cannot run is named with its reason, and stops nothing else.

    Args:
        plan: What is measured.
        progress: Show a bar, where somebody sees it.
        save: Called with the report as it grows, after every row.

    Returns:
        The report: what JSON holds.

    Example:
        >>> from longctx_edu.benchmarks.implementations import WINDOW
        >>> plan = Plan((WINDOW,), lengths=(64,), modes=("forward",), repeats=1)
        >>> [row["impl"] for row in run_benchmark(plan)["rows"]]
        ['window']
    """
    record = Record(plan, save)
    timed = len(plan.contenders) + (len(VARIANTS) if plan.variants else 0)
    total = len(plan.cases()) * len(plan.modes) * timed * (plan.repeats + 1)
    with tqdm(total=total, unit=" calls", disable=None if progress else True) as bar:
        record.take_rates(gemm_rates(plan.dtypes))
        for case in plan.cases():
            Bench(case, record, bar).run()
        record.take_rates(gemm_rates(plan.dtypes))
    return record.finish()


@dataclass
class Bench:
    """The measuring of one case.

    Args:
        case: A length and a number format.
        record: Where the findings go.
        bar: Moves with every call.
    """

    case: Case
    record: Record
    bar: tqdm

    def run(self) -> None:
        """Measure all modes, of the contenders and of the variants."""
        plan, case = self.record.plan, self.case
        backward = "forward_backward" in plan.modes
        needed = case.tensor_bytes * (4 if backward else 3)
        full = no_room(needed, "the inputs take")
        inputs = None if full else make_inputs(case, backward=backward)
        for mode in plan.modes:
            with_backward = mode != "forward"
            entries = [
                Entry(each.name, each, case, inputs, with_backward, reason=full)
                for each in plan.contenders
            ]
            self.measure(entries, mode, lambda row: self.record.add("rows", row))
            if plan.variants:
                entries = [
                    Entry(name, WINDOW, variant, inputs, with_backward, reason=full)
                    for name, variant in variant_cases(case).items()
                ]
                self.measure_variants(entries, mode)

    def measure(
        self, entries: Sequence[Entry], mode: str, add: Callable[[Row], object]
    ) -> None:
        """Time entries in turn, then look closer at each.

        Args:
            entries: Who runs.
            mode: With or without backward.
            add: Called with every row.
        """
        plan = self.record.plan
        time_in_turn(
            entries,
            repeats=plan.repeats,
            budget_s=plan.budget_s,
            why_not=lambda entry: self.why_not(entry, mode),
            step=lambda entry: self.step(entry, mode),
        )
        for entry in entries:
            if not entry.seconds:
                self.record.skip(entry.label, entry.case, mode, entry.reason)
                continue
            add(row_of(entry, mode, plan.dense_up_to))
            entry.built = None  # its mask may be as large as the square

    def measure_variants(self, entries: Sequence[Entry], mode: str) -> None:
        """Time the window's variants in turn.

        Args:
            entries: The variants, the plain one first.
            mode: With or without backward.
        """
        plain = entries[0]

        def add(row: Row) -> None:
            self.record.add("variants", as_variant(row, plain.median_s))

        self.measure(entries, mode, add)

    def step(self, entry: Entry, mode: str) -> None:
        """Say who runs, and move the bar.

        Args:
            entry: Who runs.
            mode: With or without backward.
        """
        said = f"{entry.label} {entry.case.n:,} {entry.case.dtype} {mode}"
        self.bar.set_description(said, refresh=False)
        self.bar.update()

    def why_not(self, entry: Entry, mode: str) -> str:
        """Say why one should not even be tried; empty where it should.

        Args:
            entry: Who would run.
            mode: With or without backward.
        """
        case, contender = entry.case, entry.contender
        known = self.record.seconds(entry.label, case.dtype, mode)
        guess = predicted_s(known, case.n, contender.power)
        if entry.backward:
            known = self.record.seconds(entry.label, case.dtype, "forward")
            guess = max(guess, AHEAD * predicted_s(known, case.n, contender.power))
        rate = self.record.gflops.get(case.dtype)
        if rate and contender.power == 2:
            operations = needed_operations(case, needed_in_full(case), mode)
            guess = max(guess, operations / (rate * 1e9))
        budget_s = self.record.plan.budget_s
        if guess > budget_s:
            return f"a call would take about {guess:,.0f} s, the budget is {budget_s:g}"
        return no_room(contender.memory(case, entry.backward), "a call takes about")


def no_room(needed_bytes: int, what: str) -> str:
    """Say that there is too little memory; empty where there is enough.

    Args:
        needed_bytes: How much is needed.
        what: What needs it.

    Example:
        >>> no_room(10**18, "the sun takes").partition(" GB")[0]
        'the sun takes 1,000,000,000.0'
    """
    there = free_bytes()
    if needed_bytes <= SHARE * there:
        return ""
    return f"{what} {needed_bytes / 1e9:,.1f} GB, {there / 1e9:,.1f} GB are free"
