import re
import time

import pytest
import torch

from longctx_edu import measure as module
from longctx_edu.errors import UserError
from longctx_edu.measure import Measurement, device, gemm_gflops, measure

on_cpu = pytest.mark.skipif(device().type == "cuda", reason="watches the process")


@on_cpu
def test_sees_what_is_allocated():
    found = measure(torch.ones, 50_000_000)  # 200 MB
    assert found.peak_bytes == pytest.approx(200e6, rel=0.1)


@on_cpu
def test_sees_the_result_of_a_call_shorter_than_a_sample(monkeypatch):
    monkeypatch.setattr(module, "SAMPLE_S", 60.0)
    assert measure(torch.ones, 50_000_000).peak_bytes == pytest.approx(200e6, rel=0.1)


@on_cpu
def test_sees_what_is_freed_before_the_end():
    def hump():
        big = torch.ones(40_000_000)  # 160 MB
        time.sleep(0.05)
        return big.sum().item()

    assert measure(hump).peak_bytes == pytest.approx(160e6, rel=0.1)


@on_cpu
def test_memory_from_before_does_not_count():
    held = torch.ones(40_000_000)
    assert measure(lambda: None).peak_bytes < 20e6
    assert held[0] == 1


def test_time_is_the_median():
    naps = iter([0.3, 0.02, 0.02])
    found = measure(lambda: time.sleep(next(naps)), repeats=3)
    assert 0.02 <= found.elapsed_s < 0.2


def test_warmup_calls_are_not_measured_and_arguments_are_handed_on():
    calls = []
    found = measure(lambda a, b: calls.append((a, b)), 1, "x", repeats=2, warmup=3)
    assert calls == [(1, "x")] * 5
    assert isinstance(found, Measurement)


def test_an_error_of_the_call_passes_through():
    def fail():
        raise RuntimeError("its own")

    with pytest.raises(RuntimeError, match="its own"):
        measure(fail)


def test_rate_is_two_n_cubed_over_the_time(monkeypatch):
    monkeypatch.setattr(module, "measure", lambda *a, **k: Measurement(2e-3, 0))
    assert gemm_gflops(100) == pytest.approx(2 * 100**3 / 2e-3 / 1e9)


def test_rate_in_both_formats():
    assert gemm_gflops(128) > 0
    assert gemm_gflops(128, torch.bfloat16) > 0


def test_device_can_be_chosen(monkeypatch):
    monkeypatch.setenv("LONGCTX_DEVICE", "cpu")
    assert device() == torch.device("cpu")


def test_device_prefers_the_faster(monkeypatch):
    monkeypatch.delenv("LONGCTX_DEVICE", raising=False)
    for cuda, mps, picked in [(1, 1, "cuda"), (0, 1, "mps"), (0, 0, "cpu")]:
        monkeypatch.setattr(torch.cuda, "is_available", lambda cuda=cuda: bool(cuda))
        monkeypatch.setattr(
            torch.backends.mps, "is_available", lambda mps=mps: bool(mps)
        )
        assert device().type == picked


def test_messages(monkeypatch):
    with pytest.raises(ValueError) as error:
        measure(len, [], repeats=0)
    assert str(error.value) == (
        "need repeats >= 1 and warmup >= 0, got repeats=0, warmup=0"
    )
    with pytest.raises(ValueError, match=r"^need n >= 1, got n=0$"):
        gemm_gflops(0)
    monkeypatch.setenv("LONGCTX_DEVICE", "tpu")
    text = "unknown device in LONGCTX_DEVICE 'tpu': "
    with pytest.raises(UserError, match=f"^{re.escape(text)}"):
        device()


def test_memory_that_was_freed_before_shows_again():
    def parts():
        # Blocks below the size from which the C library asks the system each time.
        return [torch.ones(4_000) for _ in range(4_000)]

    first = measure(parts).peak_bytes
    again = measure(parts).peak_bytes
    assert again > 0.7 * first > 20_000_000
