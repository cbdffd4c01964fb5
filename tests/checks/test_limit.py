"""The time limit: an alarm in the main thread, a watchdog elsewhere, nothing left."""

import signal
import threading
import time

import pytest
import torch

from longctx_edu.checks import limit
from longctx_edu.checks.lesson_05 import check_band_pairs, check_window_mask
from longctx_edu.checks.limit import TookTooLong, at_most, can_alarm, limit_s
from longctx_edu.checks.report import check

needs_alarms = pytest.mark.skipif(
    not hasattr(signal, "setitimer"), reason="no alarms on this system"
)


def loop(*_, **__):
    while True:
        pass


def loop_that_swallows(*_, **__):
    times = 0
    while times < 2:
        try:
            loop()
        except:  # noqa: E722 - what a learner may write
            times += 1
    loop()


def in_a_thread(work):
    """Run in another thread than the main one; return what came."""
    came = []
    thread = threading.Thread(target=lambda: came.append(work()))
    thread.start()
    thread.join(60)
    assert not thread.is_alive(), "the loop goes on"
    return came[0]


def here(work):
    return work()


@pytest.fixture(params=[here, in_a_thread], ids=["main", "thread"])
def run(request):
    return request.param


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setenv("LONGCTX_CHECK_SECONDS", "0.3")


def test_the_main_thread_takes_an_alarm_and_another_does_not():
    assert can_alarm() == hasattr(signal, "setitimer")
    assert not in_a_thread(can_alarm)


@pytest.mark.parametrize("checked", [check_band_pairs, check_window_mask])
def test_an_endless_loop_becomes_a_sentence_with_its_line(checked, run):
    message = run(lambda: checked(loop)).message
    assert "your function took more than 0.3 s" in message
    assert "pass" in message or "while True:" in message
    assert message.count("hint:") == 1 and "LONGCTX_CHECK_SECONDS" in message


def test_a_loop_that_swallows_the_first_alarm_meets_another(run, monkeypatch):
    monkeypatch.setattr(limit, "AGAIN_S", 0.1)
    verdict = run(lambda: check_band_pairs(loop_that_swallows))
    assert "took more than" in verdict.message


@needs_alarms
def test_a_sleep_is_cut_short_in_the_main_thread():
    started = time.monotonic()
    assert "time.sleep" in check_band_pairs(lambda *_, **__: time.sleep(60)).message
    assert time.monotonic() - started < 30


def test_a_learners_except_exception_does_not_catch_it(run):
    def careful(*_, **__):
        try:
            loop()
        except Exception:
            return 0

    assert "took more than" in run(lambda: check_band_pairs(careful)).message


def test_what_ends_in_time_is_not_touched(run):
    def counted():
        with at_most(20.0):
            return sum(range(1000))

    assert run(counted) == 499500


def test_nothing_comes_late(run):
    def quick_then_slow():
        for _ in range(20):
            with at_most(0.05):
                pass
        until = time.monotonic() + 0.3
        while time.monotonic() < until:
            pass
        return "whole"

    assert run(quick_then_slow) == "whole"


@needs_alarms
def test_an_alarm_that_was_set_before_still_rings():
    rung = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(1))
    earlier = signal.setitimer(signal.ITIMER_REAL, 0.4)
    try:
        with pytest.raises(TookTooLong), at_most(0.1):
            loop()
        assert rung == [] and 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 0.4
        until = time.monotonic() + 20
        while not rung and time.monotonic() < until:
            time.sleep(0.01)
        assert rung == [1]
    finally:
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *earlier)


@needs_alarms
def test_handler_and_timer_are_as_before():
    handler = signal.getsignal(signal.SIGALRM)
    check_band_pairs(loop)
    check_band_pairs(lambda *_, **__: 1)
    assert signal.getsignal(signal.SIGALRM) is handler


def test_ctrl_c_goes_through_and_leaves_no_alarm(run):
    def stopped():
        raise KeyboardInterrupt

    @check("")
    def check_any(answer):
        answer()

    def tried():
        with pytest.raises(KeyboardInterrupt):
            check_any(stopped)
        time.sleep(0.5)
        return "alive"

    assert run(tried) == "alive"


@needs_alarms
def test_a_real_ctrl_c_stops_a_check_at_once(monkeypatch):
    monkeypatch.setenv("LONGCTX_CHECK_SECONDS", "30")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Timer(0.3, signal.raise_signal, [signal.SIGINT]).start()
    started = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            check_band_pairs(loop)
    finally:
        signal.signal(signal.SIGINT, before)
    assert time.monotonic() - started < 20


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("5", 5.0), ("0", 0.0), ("-1", 0.0), ("soon", 60.0), ("0.5", 0.5)],
)
def test_the_variable_sets_the_limit(said, seconds, monkeypatch):
    monkeypatch.setenv("LONGCTX_CHECK_SECONDS", said)
    assert limit_s() == seconds


@pytest.mark.parametrize("seconds", [0.0, float("inf"), float("nan")])
def test_no_limit_is_no_alarm(seconds):
    with at_most(seconds):
        assert torch.ones(2).sum() == 2
    monkeyed = signal.getitimer(signal.ITIMER_REAL)[0] if can_alarm() else 0
    assert monkeyed == 0 or monkeyed > 10, "only the one of the test's own timeout"
