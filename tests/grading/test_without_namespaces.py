"""Where the system allows no namespaces: what still holds, and that it is said."""

import re
import sys

import pytest

from longctx_edu.course.outline import PACKAGE
from longctx_edu.grading import landlock
from longctx_edu.grading.limits import Limits
from longctx_edu.grading.sandbox import Sandbox

SHORT = Limits(call_s=2.0, check_s=4.0, total_s=30.0)
RIGHT = "import torch\ndef causal_mask(n):\n    return torch.ones(n, n).tril().bool()\n"
LOCKED = sys.platform == "linux" and landlock.version() >= 6

ATTEMPTS = {
    "reads the solutions": (
        f"open({str(PACKAGE.parent / 'solutions' / '01_attention.ipynb')!r})",
        "PermissionError",
    ),
    "reads the environment of its parent": (
        "import os\nopen(f'/proc/{os.getppid()}/environ')",
        "PermissionError",
    ),
    "writes elsewhere": ("open('/tmp/elsewhere.txt', 'w')", "PermissionError"),
    "kills its parent in C": (
        "import ctypes, os\nassert ctypes.CDLL(None).kill(os.getppid(), 9) == 0",
        "AssertionError",
    ),
    "opens a socket in C": (
        "import ctypes, struct\nc = ctypes.CDLL(None)\ns = c.socket(2, 1, 0)\n"
        "at = struct.pack('<H', 2) + struct.pack('>H', 9) + bytes([127, 0, 0, 1])\n"
        "assert c.connect(s, at + bytes(8), 16) == 0",
        "AssertionError",
    ),
    "starts a process": ("import os\nos.fork()", "may not start a process"),
    "leaves a process behind": (
        "import ctypes\nc = ctypes.CDLL(None)\nif c.fork() == 0:\n"
        "    c.setsid()\n    c.fork()\n    while True:\n        pass\n"
        "raise ValueError('left')",
        "ValueError: left",
    ),
}


@pytest.fixture(scope="module")
def open_sandbox():
    with Sandbox(SHORT, room=False) as made:
        yield made


def test_it_is_said(open_sandbox):
    assert open_sandbox.walls["namespaces"] == "not asked for"


@pytest.mark.skipif(not LOCKED, reason="this system has no Landlock 6")
@pytest.mark.parametrize("name", ATTEMPTS)
def test_files_processes_and_the_network_stay_shut(name, open_sandbox, judge_alone):
    code, words = ATTEMPTS[name]
    came = judge_alone(open_sandbox, f"{code}\n# %%\n{RIGHT}")
    assert re.search(words, came.faults[1]), came.faults
    assert came.mark.status == "passed"


def test_what_it_writes_is_gone_for_the_next(open_sandbox, judge_alone):
    judge_alone(open_sandbox, "open('left.txt', 'w').write('x')")
    came = judge_alone(open_sandbox, f"import os\nprint(os.listdir('.'))\n{RIGHT}")
    assert came.printed == "[]\n"
