"""Our attention beside its peers: the same inputs, one process, in turn.

Peers are loaded when they are built, so that a missing one is a line in the report.
"""

from longctx_edu.benchmarks.cases import Case, Inputs, Setting, make_inputs
from longctx_edu.benchmarks.contender import Built, CannotRun, Contender
from longctx_edu.benchmarks.figure import draw_benchmark
from longctx_edu.benchmarks.names import OURS, PEERS, chosen
from longctx_edu.benchmarks.plan import Plan
from longctx_edu.benchmarks.run import run_benchmark
from longctx_edu.benchmarks.show import show_benchmark

__all__ = [
    "OURS",
    "PEERS",
    "Built",
    "CannotRun",
    "Case",
    "Contender",
    "Inputs",
    "Plan",
    "Setting",
    "chosen",
    "draw_benchmark",
    "make_inputs",
    "run_benchmark",
    "show_benchmark",
]
