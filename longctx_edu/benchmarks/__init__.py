"""Our attention beside its peers, in turn; decoding with a cache and without.

Peers are loaded when they are built, so that a missing one is a line in the report.
"""

from longctx_edu.benchmarks.cases import Case, Inputs, Setting, make_inputs
from longctx_edu.benchmarks.contender import Built, CannotRun, Contender
from longctx_edu.benchmarks.decoding import DecodingPlan, run_decoding
from longctx_edu.benchmarks.decoding_show import show_decoding
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
    "DecodingPlan",
    "Inputs",
    "Plan",
    "Setting",
    "chosen",
    "draw_benchmark",
    "make_inputs",
    "run_benchmark",
    "run_decoding",
    "show_benchmark",
    "show_decoding",
]
