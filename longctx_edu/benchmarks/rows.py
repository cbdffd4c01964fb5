"""One row of the report: what a contender took, and how exact it is."""

from functools import partial

from longctx_edu.benchmarks.needed import needed_operations
from longctx_edu.benchmarks.record import Row
from longctx_edu.benchmarks.reference import dense_answer, largest_difference
from longctx_edu.benchmarks.turns import Entry
from longctx_edu.measure import measure


def row_of(entry: Entry, mode: str, dense_up_to: int) -> Row:
    """Look closer at a contender that was timed: memory and exactness, and all of it.

    Args:
        entry: Who was timed.
        mode: With or without backward.
        dense_up_to: Longest text that is compared with the definition, in tokens.
    """
    case, pairs = entry.case, entry.built.pairs()
    peak = entry.tried(partial(peak_bytes, entry))
    error = None
    if entry.built and case.n <= dense_up_to:
        error = entry.tried(partial(max_error, entry))
    row = {
        "impl": entry.label,
        "length": case.n,
        "dtype": case.dtype,
        "mode": mode,
        "seconds": entry.median_s,
        "peak_bytes": peak,
        "max_error": error,
        "all_seconds": entry.seconds,
        "pairs": pairs,
        "operations": needed_operations(case, pairs, mode),
        "input_bytes": 3 * case.tensor_bytes,
    }
    return {**row, "note": entry.reason} if entry.reason else row


def peak_bytes(entry: Entry) -> int:
    """Measure the most memory of a call above its inputs, and add what it was given.

    Args:
        entry: Who runs.
    """
    return measure(entry.ready_call()).peak_bytes + entry.built.held_bytes


def max_error(entry: Entry) -> float:
    """Measure the largest difference from the definition, gradients included.

    Args:
        entry: Who runs.
    """
    got = entry.answer()
    expected = dense_answer(entry.inputs, entry.built.claim, backward=entry.backward)
    return largest_difference(entry.case, got, expected)
