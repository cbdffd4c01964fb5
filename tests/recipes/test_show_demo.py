import io

import pytest
from rich.console import Console

from longctx_edu.recipes.show_demo import show_demo


def buckets(*f1s):
    ranges = [(0, 0), (1, 127), (128, 511), (512, 1023), (1024, None)]
    both = zip(ranges, [*f1s, None, None, None], strict=False)
    return [
        {
            "low": low,
            "high": high,
            "f1": f1 or 0.0,
            "support": 0.0 if f1 is None else 9.0,
        }
        for (low, high), f1 in both
    ]


def model(f1):
    scores = {"precision": f1, "recall": f1, "f1": f1, "f1_far": f1 / 2}
    return {
        **scores,
        "by_distance_ambiguous": buckets(f1, f1 / 2),
        "before": {"precision": 0.01, "recall": 0.02, "f1": 0.03},
        "four_times": {"f1": f1 / 4, "by_distance_ambiguous": buckets(None, f1 / 4)},
        "seconds": 12.34,
        "tokens_per_s": 5678.9,
        "reading_tokens_per_s": 1234.5,
        "peak_bytes": 98_700_000,
    }


@pytest.fixture
def lines():
    report = {
        "sizes": {"test_tokens": 1024},
        "far_tokens": 128,
        "models": {"chunks": model(0.4), "window_global": model(0.96)},
    }
    out = io.StringIO()
    show_demo(report, Console(file=out, width=80))
    text = [line.rstrip() for line in out.getvalue().splitlines()]
    assert all(len(line) <= 80 for line in text)
    return text


def row(lines, name, number=0):
    found = [line for line in lines if line.startswith(f"  {name}  ")]
    return found[number].removeprefix(f"  {name}").split()


def test_quality_before_and_after(lines):
    assert row(lines, "F1 before training") == ["0.030", "0.030"]
    assert row(lines, "F1 after training") == ["0.400", "0.960"]
    assert row(lines, "recall before training") == ["0.020", "0.020"]


def test_distances_at_both_lengths(lines):
    assert row(lines, "0") == ["0.400", "0.960"]
    assert row(lines, "1 to 127") == ["0.200", "0.480"]
    assert row(lines, "1 to 127", 1) == ["0.100", "0.240"]
    assert sum(line.startswith("  0  ") for line in lines) == 1  # no entity at 4 x
    assert row(lines, "F1, all entities") == ["0.100", "0.240"]


def test_cost(lines):
    assert row(lines, "training (s)") == ["12.3", "12.3"]
    assert row(lines, "training (tokens/s)") == ["5,679", "5,679"]
    assert row(lines, "peak of a step (MB)") == ["99", "99"]


def test_the_promise_stands_last(lines):
    assert lines[-1] == (
        "  far (128 tokens and more): F1 chunks 0.200, window + global 0.480"
    )
