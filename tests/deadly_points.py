"""Points that end the process that looks one of them up, as a lack of memory would."""

import os
import signal


class DeadlyPoints(dict):
    """Points whose key "02/..." kills whoever asks for it."""

    def __getitem__(self, key: str) -> float:
        if key.startswith("02/"):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__getitem__(key)
