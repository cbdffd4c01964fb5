"""A time limit for what a learner wrote: an endless loop becomes a sentence.

In the main thread of Unix an alarm interrupts; elsewhere a second thread asks Python
to. A single call that does not come back to Python, into C, is not cut short.
"""

import ctypes
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

LIMIT_S = 60.0
AGAIN_S = 1.0  # between alarms, for a loop that swallows the first


class TookTooLong(BaseException):
    """What ends the learner's function; `except Exception` does not catch it."""


def limit_s() -> float:
    """Return the seconds that a check may take: LONGCTX_CHECK_SECONDS, 0 for no end."""
    try:
        return max(0.0, float(os.environ.get("LONGCTX_CHECK_SECONDS", LIMIT_S)))
    except ValueError:
        return LIMIT_S


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise `TookTooLong` in what runs longer.

    Args:
        seconds: The limit; 0 for none.

    Raises:
        TookTooLong: In the code inside, when the time is over, and again each second.
    """
    if not 0 < seconds < threading.TIMEOUT_MAX:
        yield
    elif can_alarm():
        with _alarm(seconds):
            yield
    else:
        with _watchdog(seconds):
            yield


def can_alarm() -> bool:
    """Tell whether this thread can be interrupted by an alarm of the system."""
    main = threading.current_thread() is threading.main_thread()
    return main and hasattr(signal, "setitimer")


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Let the system's alarm raise; a timer that was set before goes on afterwards."""
    over = False

    def ring(*_: object) -> None:
        if not over:
            raise TookTooLong

    started, left, every = time.monotonic(), 0.0, 0.0
    before = signal.getsignal(signal.SIGALRM) or signal.SIG_DFL
    try:
        signal.signal(signal.SIGALRM, ring)
        left, every = signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN_S)
        try:
            yield
        finally:
            over = True
    finally:  # also where the alarm rang in the line above
        over = True
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
        if left:
            rest = left - (time.monotonic() - started)
            signal.setitimer(signal.ITIMER_REAL, max(rest, 0.001), every)


@contextmanager
def _watchdog(seconds: float) -> Iterator[None]:
    """Let a second thread ask Python to raise in this one."""
    watched, turn, over = threading.get_ident(), threading.Lock(), threading.Event()

    def ask(kind: object) -> None:
        raises = ctypes.pythonapi.PyThreadState_SetAsyncExc
        raises(ctypes.c_ulong(watched), kind)

    def watch() -> None:
        wait = seconds
        while not over.wait(wait):
            with turn:
                if not over.is_set():
                    ask(ctypes.py_object(TookTooLong))
            wait = AGAIN_S

    threading.Thread(target=watch, daemon=True, name="time limit").start()
    try:
        try:
            yield
        finally:
            over.set()
    finally:  # also where the exception came in the line above
        over.set()
        with turn:  # what was asked for and has not come is taken back
            ask(None)
