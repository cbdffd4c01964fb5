"""The lab's server leaves nothing behind, and touches nothing of the user's."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

pytest.importorskip("playwright.sync_api", reason="need playwright to drive a browser")

from lab_faults import formulas_in
from lab_server import ROOT, copy_course, end, lab_command, port_of, start, surroundings

# A server with a child that will not listen; the child's number is what it says.
STUBBORN = """
import subprocess, sys, time
deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); " \\
    "print('deaf', flush=True); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(600)
"""
STARTER = """
import sys, time
sys.path[:0] = {path!r}
from pathlib import Path
from lab_server import start
folder = Path({folder!r})
sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
print(start(sleep, folder, {{}}, folder / "log").pid, flush=True)
time.sleep(600)
"""


def until(holds, what):
    """Wait for something that comes soon."""
    last = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < last, f"waited 60 s for {what}"
        time.sleep(0.05)


def gone(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_the_command_is_that_of_make_lab():
    program, *rest = lab_command()
    assert Path(program) == Path(sys.prefix) / "bin" / "jupyter"
    assert rest[0] == "lab"
    recipe = (ROOT / "Makefile").read_text().split("\nlab:")[1].split("\n\n")[0]
    assert " ".join(rest) in recipe


def test_nothing_of_the_users_is_used(tmp_path):
    env = surroundings(tmp_path)
    own = [n for n in env if re.match(r"JUPYTER.*_DIR|IPYTHONDIR|LONGCTX_HOME", n)]
    assert len(own) == 7
    assert all(env[name].startswith(str(tmp_path)) for name in own)
    assert env["LONGCTX_PROGRESS"] == "on"


def test_a_copy_holds_every_notebook(tmp_path):
    course = copy_course(tmp_path / "course")
    for folder in ("notebooks", "exercises", "solutions"):
        names = {path.name for path in (ROOT / folder).glob("*.ipynb")}
        assert {path.name for path in (course / folder).glob("*.ipynb")} == names


def test_the_end_takes_children_that_do_not_listen(tmp_path):
    log = tmp_path / "log"
    command = [sys.executable, "-c", STUBBORN]
    server = start(command, tmp_path, dict(os.environ), log)
    until(lambda: log.read_text().strip(), "the child's number")
    child = int(log.read_text())
    assert not gone(child)
    end(server)
    assert server.poll() is not None
    assert gone(child)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux ends orphans, others do not")
def test_a_killed_test_takes_its_server_along(tmp_path):
    code = STARTER.format(path=[str(Path(__file__).parent)], folder=str(tmp_path))
    starter = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    with starter:
        pid = int(starter.stdout.readline())
        assert not gone(pid)
        starter.send_signal(signal.SIGKILL)
    until(lambda: gone(pid), "the server to follow")


def test_a_server_that_ends_at_once_says_why(tmp_path):
    log = tmp_path / "log"
    code = "print('no such option'); raise SystemExit(3)"
    server = start([sys.executable, "-c", code], tmp_path, dict(os.environ), log)
    with pytest.raises(AssertionError, match="it ended with 3:\nno such option"):
        port_of(server, tmp_path, "", log)


@pytest.mark.parametrize(
    ("text", "count"),
    [("no", 0), ("$n$ and $n^2$", 2), ("$$a$$", 1), ("`$x` and $y$", 1), ("$open", 0)],
)
def test_formulas_are_counted(text, count):
    assert formulas_in(text) == count
