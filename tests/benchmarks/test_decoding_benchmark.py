import json
from io import StringIO

import pytest
import torch
from rich.console import Console

from longctx_edu.attention import kv_cache_bytes
from longctx_edu.benchmarks import DecodingPlan, run_decoding, show_decoding
from longctx_edu.benchmarks.decoding import next_logits
from longctx_edu.memory import KVCache
from longctx_edu.models import build_language_model

TINY = {"n_layers": 2, "n_heads": 4, "n_kv_heads": 2, "d_model": 16, "vocab_size": 20}
PLAN = DecodingPlan(
    length=32, stream=90, left=10, sinks=2, piece=16, steps=3, again=2, **TINY
)


@pytest.fixture(scope="module")
def report():
    return run_decoding(PLAN)


def test_the_report_is_what_json_holds(report):
    assert json.loads(json.dumps(report)) == report
    assert report["complete"]
    assert report["settings"]["left"] == 10


def test_each_length_is_measured_both_ways(report):
    rows = [(row["length"], row["way"]) for row in report["steps"]]
    assert rows == [(n, way) for n in (4, 8, 16, 32) for way in ("no cache", "cache")]
    for row in report["steps"]:
        assert row["tokens_per_s"] == pytest.approx(1 / row["seconds"])
        assert row["measured_steps"] == (3 if row["way"] == "cache" else 2)


def test_the_caches_hold_what_the_formula_says(report):
    full, window, sinks = report["streams"]
    kinds = ["full", "window", "window + sinks"]
    assert [row["cache"] for row in report["streams"]] == kinds
    assert [row["kept_tokens"] for row in report["streams"]] == [90, 12, 12]
    one = kv_cache_bytes(1, n_layers=2, n_kv_heads=2, d_head=4, number_bytes=4)
    assert full["cache_bytes"] == full["formula_bytes"] == 90 * one
    assert window["cache_bytes"] == window["formula_bytes"] == 12 * one
    assert sinks["cache_bytes"] == sinks["formula_bytes"] == 12 * one
    for row in report["streams"]:
        assert row["reserved_bytes"] >= row["cache_bytes"]
        assert row["peak_bytes"] >= 0
        assert row["tokens_per_s"] == pytest.approx(90 / row["seconds"])


def test_a_step_with_a_cache_says_what_one_without_says():
    torch.manual_seed(0)
    model = build_language_model(PLAN.model_config()).double()
    ids = torch.randint(20, (1, 9))
    cache = KVCache(2)
    next_logits(model, ids[:, :-1], cache)
    kept = next_logits(model, ids[:, -1:], cache)
    torch.testing.assert_close(kept, next_logits(model, ids))
    torch.testing.assert_close(kept, model(ids)[:, -1:])


def test_the_report_is_kept_as_it_grows():
    kept = []

    def keep(report):
        kept.append((report["complete"], len(report["steps"]), len(report["streams"])))

    run_decoding(PLAN, save=keep)
    assert kept == [
        *[(False, n, 0) for n in range(1, 9)],
        *[(False, 8, n) for n in range(1, 4)],
        (True, 8, 3),
    ]


def test_the_tables(report):
    out = StringIO()
    show_decoding(report, Console(file=out, width=100))
    said = out.getvalue()
    assert "median of 3 steps with a cache, of 2 without" in said
    assert "2 layers, 4 heads of queries, 2 of keys, d_model 16" in said
    assert "a stream, 16 tokens at a time" in said
    assert "window + sinks, 12" in said


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"length": 7}, "need length >= 8, got length=7"),
        ({"stream": 0}, "need stream >= 1, got stream=0"),
        ({"left": 0}, "need left >= 1, got left=0"),
        ({"sinks": -1}, "need sinks >= 0, got sinks=-1"),
        ({"again": 0}, "need again >= 1, got again=0"),
        ({"n_kv_heads": 3}, "need n_heads that divides d_model"),
    ],
)
def test_a_number_without_meaning_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        DecodingPlan(**wrong)
