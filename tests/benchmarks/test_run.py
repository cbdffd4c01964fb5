import json
from dataclasses import replace

import pytest

from longctx_edu.benchmarks import (
    OURS,
    PEERS,
    Built,
    CannotRun,
    Contender,
    Plan,
    chosen,
    run,
    run_benchmark,
)
from longctx_edu.benchmarks.contender import claims, everything, tensors
from longctx_edu.benchmarks.machine import gemm_rates, machine_facts, versions
from longctx_edu.benchmarks.record import Record

MODES = ["forward", "forward_backward"]
pytestmark = pytest.mark.usefixtures("quick_rates")


LITTLE = tensors(1, 1)


def peer(name, attend=lambda q, k, v: q * 1, memory=LITTLE, power=1):
    def build(case):
        return Built(attend, claims(everything(case)), lambda: case.n**2)

    return Contender(name, name, build, memory, power=power)


def fail(*_):
    raise RuntimeError("out of order")


def refuse(case):
    raise CannotRun("it is Sunday")


def reasons(report):
    return {(row["impl"], row["length"]): row["reason"] for row in report["skipped"]}


def test_the_report_is_what_json_holds(small):
    names = "window,online,block_sparse"
    peers = chosen("sdpa,sdpa_mask,hf_longformer,local_attention", PEERS, "peer")
    contenders = (*chosen(names, OURS, "one"), *peers)
    plan = Plan(contenders, small, lengths=(128, 64), repeats=2, dense_up_to=64)
    report = run_benchmark(plan)
    assert json.loads(json.dumps(report)) == report
    assert report["complete"]
    assert report["gemm_gflops"] == report["gemm_gflops_by_dtype"]["float32"] == 50.0
    assert report["skipped"] == report["variants"] == []
    order = [(row["length"], row["mode"], row["impl"]) for row in report["rows"]]
    names = [each.name for each in contenders]
    assert order == [
        (n, mode, name) for n in (64, 128) for mode in MODES for name in names
    ]
    for row in report["rows"]:
        assert row["seconds"] > 0
        assert len(row["all_seconds"]) == 2
        assert row["peak_bytes"] >= 0
        assert row["dtype"] == "float32"
        rate = row["operations"] / row["seconds"] / 50e9
        assert row["share_of_peak"] == pytest.approx(rate)
        assert (row["max_error"] is None) == (row["length"] == 128)
        assert (row["max_error"] or 0) < 5e-6
        assert row["input_bytes"] == 3 * row["length"] * 16 * 4


def test_the_best_rate_counts_and_shares_follow_it(small, monkeypatch):
    rates = iter([10.0, 40.0])
    monkeypatch.setattr(
        run, "gemm_rates", lambda dtypes: dict.fromkeys(dtypes, next(rates))
    )
    kept = []
    plan = Plan((peer("a"),), small, lengths=(64,), modes=("forward",), repeats=1)
    report = run_benchmark(plan, save=kept.append)
    shares = [each["rows"][0]["share_of_peak"] for each in kept if each["rows"]]
    assert shares[0] == pytest.approx(4 * shares[-1])
    assert report["gemm_gflops"] == 40.0
    assert [each["complete"] for each in kept] == [False, False, False, True]


def test_a_lower_rate_at_the_end_changes_nothing(small, monkeypatch):
    rates = iter([40.0, 10.0])
    monkeypatch.setattr(
        run, "gemm_rates", lambda dtypes: dict.fromkeys(dtypes, next(rates))
    )
    assert run_benchmark(Plan((), small, lengths=(64,)))["gemm_gflops"] == 40.0


def test_what_cannot_run_is_named_and_stops_nothing(small):
    contenders = (
        peer("broken", fail),
        Contender("closed", "", refuse, LITTLE),
        peer("large", memory=lambda case, backward: 10**15),
        peer("well"),
    )
    plan = Plan(contenders, small, lengths=(64,), modes=("forward",), repeats=1)
    report = run_benchmark(plan)
    assert [row["impl"] for row in report["rows"]] == ["well"]
    assert report["skipped"][0] == {
        "impl": "broken",
        "length": 64,
        "mode": "forward",
        "dtype": "float32",
        "reason": "RuntimeError: out of order",
    }
    said = reasons(report)
    assert said["closed", 64] == "it is Sunday"
    assert said["large", 64].startswith("a call takes about 1,000,000.0 GB, ")


def test_what_would_be_too_slow_is_not_tried(small, monkeypatch):
    slow = {64: 1.0}
    monkeypatch.setattr(Record, "seconds", lambda self, *_: slow)
    contenders = (peer("linear"), peer("square", power=2))
    plan = Plan(
        contenders, small, lengths=(512,), modes=("forward",), repeats=1, budget_s=30.0
    )
    report = run_benchmark(plan)
    assert [row["impl"] for row in report["rows"]] == ["linear"]
    said = "a call would take about 64 s, the budget is 30"
    assert reasons(report) == {("square", 512): said}


def test_backward_is_guessed_from_forward(small, monkeypatch):
    known = {"forward": {64: 20.0}, "forward_backward": {}}
    monkeypatch.setattr(Record, "seconds", lambda self, *which: known[which[-1]])
    plan = Plan((peer("a"),), small, lengths=(64,), repeats=1, budget_s=30.0)
    report = run_benchmark(plan)
    assert [row["mode"] for row in report["rows"]] == ["forward"]
    assert reasons(report)["a", 64] == "a call would take about 40 s, the budget is 30"


def test_a_mask_that_was_made_before_counts_as_memory(small):
    (masked,) = chosen("sdpa_mask", PEERS, "peer")
    plan = Plan((masked,), small, lengths=(2048,), modes=("forward",), repeats=1)
    (row,) = run_benchmark(replace(plan, dense_up_to=0))["rows"]
    assert row["peak_bytes"] >= 2048**2 * (1 + 4)  # its own, and torch's copy


def test_a_square_that_no_machine_would_do_in_time_is_not_tried(small):
    plan = Plan(
        (peer("a"), peer("b", power=2)),
        small,
        lengths=(2048,),
        modes=("forward",),
        repeats=1,
        budget_s=0.005,
    )
    report = run_benchmark(plan)
    assert ("b", 2048) in reasons(report)  # 2.7e8 operations, 5.4 ms at the rate
    assert [row["impl"] for row in report["rows"]] == ["a"]


def test_inputs_that_do_not_fit_are_not_made(small, monkeypatch):
    monkeypatch.setattr(run, "free_bytes", lambda: 10_000)
    plan = Plan((peer("a"),), small, lengths=(64,), modes=("forward",), variants=True)
    report = run_benchmark(plan)
    assert report["rows"] == report["variants"] == []
    said = "the inputs take 0.0 GB, 0.0 GB are free"
    assert set(reasons(report).values()) == {said}


def test_one_that_breaks_when_looked_at_keeps_its_time(small):
    calls = []

    def attend(q, k, v):
        calls.append(1)
        return fail() if len(calls) > 3 else q * 1

    plan = Plan(
        (peer("a", attend),), small, lengths=(64,), modes=("forward",), repeats=1
    )
    (row,) = run_benchmark(plan)["rows"]
    assert row["seconds"] > 0
    assert (row["peak_bytes"], row["max_error"]) == (None, None)
    assert row["note"] == "RuntimeError: out of order"


def test_ctrl_c_leaves_what_was_measured(small):
    def stop(q, k, v):
        if q.shape[2] > 64:
            raise KeyboardInterrupt
        return q * 1

    kept = []
    plan = Plan((peer("a", stop),), small, lengths=(64, 128), modes=("forward",))
    with pytest.raises(KeyboardInterrupt):
        run_benchmark(plan, save=kept.append)
    assert [row["length"] for row in kept[-1]["rows"]] == [64]
    assert not kept[-1]["complete"]


def test_the_variants_beside_the_plain_window(small):
    plan = Plan((), small, lengths=(64,), repeats=1, variants=True)
    report = run_benchmark(plan)
    names = ["plain", "causal", "dilation_2", "global_16", "padded"]
    order = [(row["mode"], row["variant"]) for row in report["variants"]]
    assert order == [(mode, name) for mode in MODES for name in names]
    plain = {
        row["mode"]: row for row in report["variants"] if row["variant"] == "plain"
    }
    for row in report["variants"]:
        ratio = row["seconds"] / plain[row["mode"]]["seconds"]
        assert row["ratio_to_plain"] == pytest.approx(ratio)
        assert row["max_error"] < 5e-6
        assert "impl" not in row


def test_short_formats_and_their_own_rates(small):
    dtypes = ("float32", "bfloat16")
    plan = Plan(
        (OURS[0],), small, lengths=(64,), dtypes=dtypes, modes=("forward",), repeats=1
    )
    report = run_benchmark(plan)
    errors = [row["max_error"] for row in report["rows"]]
    assert [row["dtype"] for row in report["rows"]] == list(dtypes)
    assert errors[0] < 5e-6 < errors[1] < 0.03
    assert set(report["gemm_gflops_by_dtype"]) == set(dtypes)


# the plan and the machine


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"lengths": ()}, "need lengths with at least one, got none"),
        ({"lengths": (64, 0)}, "need lengths >= 1, got 0"),
        ({"repeats": 0}, "need repeats >= 1, got 0"),
        ({"budget_s": 0.0}, "need budget_s > 0, got 0.0"),
        (
            {"dtypes": ("float8",)},
            "unknown dtype 'float8': did you mean float32 or float16? Known are "
            "bfloat16, float16, float32",
        ),
        (
            {"modes": ("backward",)},
            "unknown mode 'backward': did you mean forward_backward or forward? Known "
            "are forward, forward_backward",
        ),
    ],
)
def test_a_plan_that_cannot_be(change, line):
    with pytest.raises(ValueError) as refused:
        Plan((), **change)
    assert str(refused.value) == line


def test_a_plan_is_in_order_and_says_nothing_twice():
    plan = Plan((), lengths=(64, 16, 64), modes=("forward_backward", "forward"))
    assert (plan.lengths, plan.modes) == ((16, 64), tuple(MODES))


def test_who_takes_part():
    assert chosen("all", OURS, "one") == OURS
    assert chosen("none", PEERS, "peer") == ()
    with pytest.raises(ValueError, match=r"^unknown peer 'sdp': did you mean sdpa"):
        chosen("sdpa,sdp", PEERS, "peer")
    with pytest.raises(ValueError, match=r"^need a peer, all or none, got ''$"):
        chosen("", PEERS, "peer")


def test_the_machine_and_the_versions():
    facts = machine_facts()
    assert facts["threads"] >= 1
    assert facts["processor"]
    assert versions()["longctx-edu"] != "none"
    assert gemm_rates(["float32"], most=512)["float32"] > 0.1


def test_a_slow_format_is_not_tried_in_large(monkeypatch):
    from longctx_edu.benchmarks import machine

    tried = []

    def rate(size, dtype):
        tried.append(size)
        return 1.0

    monkeypatch.setattr(machine, "gemm_gflops", rate)
    assert gemm_rates(["float16"]) == {"float16": 1.0}
    assert tried == [512]


def test_a_version_that_is_not_there(monkeypatch):
    from longctx_edu.benchmarks import machine

    def none(name):
        raise machine.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(machine.metadata, "version", none)
    assert versions()["local-attention"] == "none"


def test_a_setting_of_the_plan_is_in_the_report(small):
    plan = Plan((), replace(small, seed=7), lengths=(16,), repeats=3)
    settings = run_benchmark(plan)["settings"]
    assert (settings["seed"], settings["left"], settings["repeats"]) == (7, 16, 3)
