"""Ctrl-C during training: the step in progress ends, then the state is saved."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Interrupted(KeyboardInterrupt):
    """Training was stopped by Ctrl-C.

    Args:
        folder: Where a state is saved that can be resumed; None where none is.
        step: The steps that this state holds.

    Example:
        >>> print(Interrupted(Path("runs/a"), 7))
        stopped by Ctrl-C; the state after step 7 is in runs/a, resume=True continues it
        >>> print(Interrupted(None, 0))
        stopped by Ctrl-C; nothing was saved
    """

    def __init__(self, folder: Path | None, step: int):
        saved = f"the state after step {step} is in {folder}, resume=True continues it"
        super().__init__(
            f"stopped by Ctrl-C; {saved if folder else 'nothing was saved'}"
        )
        self.folder, self.step = folder, step


@contextmanager
def held_interrupts() -> Iterator[threading.Event]:
    """Hold Ctrl-C back until the end of the block, so that no step is torn in two.

    The block can ask whether it was pressed, and end early. A second Ctrl-C strikes
    at once. Where Ctrl-C is ignored (a background job) or the caller is not the main
    thread, nothing is changed.

    Raises:
        KeyboardInterrupt: At the end of the block, if Ctrl-C was pressed in it.

    Example:
        >>> with held_interrupts() as asked:
        ...     asked.is_set()
        False
    """
    asked = threading.Event()

    def note(signum: int, frame: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) in (signal.SIG_IGN, None):
        yield asked
        return
    previous = signal.signal(signal.SIGINT, note)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, previous)
    if asked.is_set():
        raise KeyboardInterrupt
