"""What a benchmark found, as it grows: rows, and what was left out and why."""

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from longctx_edu.benchmarks.cases import Case
from longctx_edu.benchmarks.machine import machine_facts, versions
from longctx_edu.benchmarks.plan import Plan

Row = dict[str, Any]


@dataclass
class Record:
    """A benchmark's findings; every change of them can be kept at once.

    Args:
        plan: What is measured.
        save: Called with the whole report after every change.
        gflops: The machine's own rate in each format, in 10^9 operations a second.
        rows: What was measured.
        variants: What was measured of the window's variants.
        skipped: What could not be measured, each with its reason.
        complete: Nothing is missing.
    """

    plan: Plan
    save: Callable[[Row], object]
    gflops: dict[str, float] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    variants: list[Row] = field(default_factory=list)
    skipped: list[Row] = field(default_factory=list)
    complete: bool = False

    def __post_init__(self):
        self.machine = machine_facts()
        self.versions = versions()

    def add(self, kind: Literal["rows", "variants", "skipped"], row: Row) -> None:
        """Take a row in, and keep the report.

        Args:
            kind: Which list it belongs to.
            row: What was found.
        """
        getattr(self, kind).append(row)
        self.save(self.report())

    def skip(self, label: str, case: Case, mode: str, reason: str) -> None:
        """Take in what could not be measured.

        Args:
            label: Who could not run.
            case: What was asked.
            mode: With or without backward.
            reason: Why not.
        """
        where = {"impl": label, "length": case.n, "mode": mode, "dtype": case.dtype}
        self.add("skipped", {**where, "reason": reason})

    def take_rates(self, gflops: dict[str, float]) -> None:
        """Take the machine's own rates in; the best ever seen counts.

        Args:
            gflops: The rate in each format.
        """
        for name, rate in gflops.items():
            self.gflops[name] = max(rate, self.gflops.get(name, 0.0))
        self.save(self.report())

    def finish(self) -> Row:
        """Say that nothing is missing, keep the report and return it."""
        self.complete = True
        if hasattr(os, "getloadavg"):
            self.machine["load_after"] = round(os.getloadavg()[0], 2)
        self.save(self.report())
        return self.report()

    def seconds(self, label: str, dtype: str, mode: str) -> dict[int, float]:
        """Look up how long a contender's calls took, by length.

        Args:
            label: Its name.
            dtype: Number format, by name.
            mode: With or without backward.
        """
        wanted = {"impl": label, "dtype": dtype, "mode": mode}
        return {
            row["length"]: row["seconds"]
            for row in self.rows
            if wanted.items() <= row.items()
        }

    def report(self) -> Row:
        """Write everything down, in words and numbers that JSON holds."""
        plan = self.plan
        first = plan.dtypes[0]
        return {
            "gemm_gflops": self.gflops.get(first),
            "gemm_gflops_by_dtype": dict(self.gflops),
            "complete": self.complete,
            "machine": self.machine,
            "versions": self.versions,
            "settings": {
                **asdict(plan.setting),
                "lengths": list(plan.lengths),
                "dtypes": list(plan.dtypes),
                "modes": list(plan.modes),
                "repeats": plan.repeats,
                "budget_s": plan.budget_s,
                "dense_up_to": plan.dense_up_to,
            },
            "implementations": {each.name: each.about for each in plan.contenders},
            "rows": [self._with_share(row) for row in self.rows],
            "variants": [self._with_share(row) for row in self.variants],
            "skipped": list(self.skipped),
        }

    def _with_share(self, row: Row) -> Row:
        """Add the share of the machine's own rate, which may still rise."""
        rate = self.gflops.get(row["dtype"])
        share = row["operations"] / row["seconds"] / (rate * 1e9) if rate else None
        return {**row, "share_of_peak": share}
