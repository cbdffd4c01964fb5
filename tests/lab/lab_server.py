"""The server that `make lab` starts, on a copy of the course, and how it ends.

Nothing of it is the user's: folder, settings, progress, kernels' files and the port are
its own, so two may run at a time, and the project is never written to.
"""

import contextlib
import ctypes
import json
import os
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("lessons", "notebooks", "exercises", "solutions")
START_S = 240
PR_SET_PDEATHSIG = 1  # Linux, prctl(2): a signal when the parent is gone
SETTINGS = {
    # No question about news over the page; every cell stands in the page, seen or not.
    "apputils-extension/notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
    "notebook-extension/tracker": {"windowingMode": "none"},
}


@dataclass(frozen=True)
class Lab:
    """A running server: where it listens, its password, its course."""

    port: int
    token: str
    course: Path
    home: Path

    def address(self, notebook: str) -> str:
        """Give the page of one notebook, alone."""
        base = f"http://127.0.0.1:{self.port}/doc/tree/{notebook}"
        return f"{base}?token={self.token}&reset"

    @property
    def progress(self) -> dict:
        """What is noted of the learner's exercises."""
        path = self.progress_file
        return json.loads(path.read_text())["exercises"] if path.exists() else {}

    @property
    def progress_file(self) -> Path:
        """Where it is noted."""
        return self.home / "longctx" / "progress.json"


def copy_course(folder: Path) -> Path:
    """Copy what a learner opens."""
    for name in COPIED:
        shutil.copytree(
            ROOT / name,
            folder / name,
            ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"),
        )
    return folder


def lab_command() -> list[str]:
    """Read from the Makefile what `make lab` runs, with this environment's programs."""
    asked = ["make", "--no-print-directory", "-n", "lab", f"VENV={sys.prefix}"]
    env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    said = subprocess.run(
        asked, cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )
    return shlex.split(said.stdout.strip().split("\n")[-1])


def surroundings(home: Path) -> dict[str, str]:
    """Give the server folders of its own, and write its settings there."""
    own = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
        "LONGCTX_HOME": "longctx",
    }
    for name, values in SETTINGS.items():
        path = home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    return {
        **kept,
        **{variable: str(home / folder) for variable, folder in own.items()},
        "JUPYTER_PREFER_ENV_PATH": "1",
        "LONGCTX_PROGRESS": "on",
    }


@contextlib.contextmanager
def running_lab(folder: Path) -> Iterator[Lab]:
    """Start the server and end it, with its kernels, whatever happens between."""
    home, course = folder / "home", copy_course(folder / "course")
    home.mkdir()
    token = secrets.token_hex(16)
    command = [
        *lab_command(),
        "--no-browser",
        "--ip=127.0.0.1",
        "--port=0",
        f"--IdentityProvider.token={token}",
        "--LabApp.expose_app_in_browser=True",
        *(["--allow-root"] if os.geteuid() == 0 else []),
    ]
    log = home / "server.log"
    server = start(command, course, surroundings(home), log)
    try:
        yield Lab(port_of(server, home / "runtime", token, log), token, course, home)
    finally:
        end(server)


def start(
    command: list[str], folder: Path, env: dict[str, str], log: Path
) -> subprocess.Popen:
    """Start a process that does not outlive this one, even where this one is killed."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def die_with_parent():
        if libc is not None:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

    with log.open("wb") as out:
        return subprocess.Popen(
            command,
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            preexec_fn=die_with_parent,
        )


def port_of(server: subprocess.Popen, runtime: Path, token: str, log: Path) -> int:
    """Wait until the server answers; the port is one that it found free itself."""
    last = time.monotonic() + START_S
    local = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < last and server.poll() is None:
        for path in runtime.glob("jpserver-*.json"):
            with contextlib.suppress(OSError, ValueError, KeyError):
                port = json.loads(path.read_text())["port"]
                address = f"http://127.0.0.1:{port}/api?token={token}"
                with local.open(address, timeout=5):
                    return port
        time.sleep(0.1)
    ended = "" if server.poll() is None else f", it ended with {server.poll()}"
    said = log.read_text(errors="replace")[-2000:]
    raise AssertionError(f"waited {START_S} s for the lab's server{ended}:\n{said}")


def end(server: subprocess.Popen) -> None:
    """End the server and every process that it started."""
    family = []
    with contextlib.suppress(psutil.NoSuchProcess):
        family = psutil.Process(server.pid).children(recursive=True)
    server.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.wait(15)
    if server.poll() is None:
        server.kill()
        server.wait()
    _, alive = psutil.wait_procs(family, timeout=5)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=5)
