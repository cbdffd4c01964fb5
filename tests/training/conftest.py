"""What the tests of training share; the model and its data stand in `tiny_tagger`."""

import os
import signal
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from tiny_tagger import collate, loss, make_examples, make_model


@pytest.fixture(autouse=True)
def default_interrupt():
    """Ctrl-C raises KeyboardInterrupt, also where the tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def model():
    return make_model()


@pytest.fixture
def examples():
    return make_examples()


@pytest.fixture
def task():
    """The arguments of `fit` that every test needs."""
    return {"collate": collate, "loss": loss, "progress": False}


@pytest.fixture
def full_disk(monkeypatch):
    """Let every write of more than a few bytes fail, by the system's own limit."""
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(limit_bytes: int = 64):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limits[1]))
        return os.strerror(27)

    yield fill
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
