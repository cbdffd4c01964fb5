"""Many articles at the speed that a user sees: this process checks every call."""

import pickle
import subprocess
import sys
from functools import lru_cache

import pytest

SCRIPT = """
import pickle, sys
from longctx_edu.data.gazette import GazetteConfig, articles
config, count = pickle.loads(bytes.fromhex(sys.argv[1]))
sys.stdout.buffer.write(pickle.dumps(list(articles(config, count))))
"""


@pytest.fixture(scope="session")
def written():
    """Return what writes articles in a process of its own: `written(config, count)`."""

    @lru_cache
    def write(config, count):
        job = pickle.dumps((config, count)).hex()
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, job], capture_output=True, check=True
        )
        return pickle.loads(done.stdout)

    return write
