"""No hostile submission gains a point, harms another, or leaves a process behind."""

import importlib.util
import re
import socket
from pathlib import Path

import pytest

from longctx_edu.course.outline import PACKAGE

ROOT = PACKAGE.parent
HERE = Path(__file__).parent


def load(name):
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


HOSTILE = load("hostile").HOSTILE
HONEST = """
import torch
def causal_mask(n_token):
    return torch.ones(n_token, n_token).tril().bool()
"""


@pytest.fixture(scope="module")
def port():
    """A server that nobody may reach."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.01)
        yield server


@pytest.mark.parametrize("name", HOSTILE)
def test_it_gains_nothing_and_harms_nobody(name, judge_in, tmp_path, port):
    code, exercise, words = HOSTILE[name]
    secret = tmp_path / "secret.txt"
    secret.write_text("swordfish-2")
    code = code.replace("ROOT", str(ROOT)).replace("SECRET", str(secret))
    came = judge_in(code.replace("PORT", str(port.getsockname()[1])), exercise)
    assert came.mark.status in ("failed", "missing", "review"), came.said
    assert re.search(words, came.said), came.said
    assert "swordfish" not in came.said + came.printed
    assert secret.read_text() == "swordfish-2"
    with pytest.raises(TimeoutError):
        port.accept()
    assert judge_in(HONEST).mark.status == "passed"


def test_there_are_enough_of_them():
    assert len(HOSTILE) >= 30


def test_gigabytes_of_output_are_cut_and_counted(judge_in):
    came = judge_in("for _ in range(3000):\n    print('x' * 2**20)")
    assert came.n_printed == 3000 * (2**20 + 1)
    assert len(came.printed) == 2000


def test_an_endless_cell_costs_only_itself(judge_in):
    came = judge_in(f"while True:\n    pass\n# %%{HONEST}")
    assert came.mark.status == "passed"
    assert "took longer than 2 s" in came.faults[1]


def test_a_process_that_ends_costs_only_its_own_cell(judge_in):
    came = judge_in(f"x = 1\n# %%\nimport os\nos._exit(0)\n# %%{HONEST}")
    assert came.mark.status == "passed"
    assert "process ended" in came.faults[2]


def test_a_session_leaves_no_files_for_the_next(judge_in):
    judge_in("open('left.txt', 'w').write('x')\nopen('/tmp/left.txt', 'w')")
    code = f"import os\nprint(os.listdir('.'), os.path.exists('/tmp/left.txt')){HONEST}"
    assert judge_in(code).printed == "[] False\n"


def test_the_sandbox_says_what_the_system_did_not_allow(sandbox):
    assert all(isinstance(why, str) and why for why in sandbox.walls.values())
