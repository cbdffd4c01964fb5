import time

import torch

from longctx_edu.training import faster_precision, precision


def test_measured_once_and_quickly():
    faster_precision.cache_clear()
    started = time.perf_counter()
    first = faster_precision("cpu")
    assert time.perf_counter() - started < 2.5  # 0.6 s on a quiet machine
    assert faster_precision.cache_info().misses == 1
    assert faster_precision("cpu") == first
    assert faster_precision.cache_info().hits == 1


def test_names_the_faster(monkeypatch):
    monkeypatch.setattr(precision, "time", Clock({torch.bfloat16: 1, torch.float32: 2}))
    assert faster_precision.__wrapped__("cpu") == "bf16"


def test_a_draw_takes_the_exact_format(monkeypatch):
    monkeypatch.setattr(precision, "time", Clock({torch.bfloat16: 8, torch.float32: 9}))
    assert faster_precision.__wrapped__("cpu") == "fp32"


def test_other_devices_take_fp32():
    assert faster_precision("meta") == "fp32"


class Clock:
    """Products in float32 and bfloat16 take turns; each takes a given time."""

    def __init__(self, cost: dict):
        self.costs = [cost[torch.float32], cost[torch.bfloat16]]
        self.now, self.calls = 0.0, 0

    def perf_counter(self) -> float:
        return 0.0  # the deadline is never reached

    def process_time(self) -> float:
        # Start and stop of a product in turn; only stops move the clock.
        if self.calls % 2:
            self.now += self.costs[self.calls // 2 % 2]
        self.calls += 1
        return self.now
