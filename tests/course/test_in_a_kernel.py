"""A check in a real Jupyter kernel: time limit, Ctrl-C, what would end the kernel."""

import os
import signal
import threading

import pytest

SETUP = """
import os, sys
from longctx_edu.checks.lesson_00 import check_chunk_of
from longctx_edu.course import self_test
def loop(*_):
    while True:
        pass
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    """Return a kernel, and a function that runs code in it: what it shows, and how."""
    from jupyter_client.manager import start_new_kernel

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LONGCTX_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("LONGCTX_PROGRESS", "on")
        patch.setenv("LONGCTX_CHECK_SECONDS", "2")
        manager, client = start_new_kernel(kernel_name="python3")

    def run(code):
        shown = {}

        def show(message):
            content = message["content"]
            shown.update(content.get("data", {}))
            shown.update({"error": content["ename"]} if "ename" in content else {})

        client.execute_interactive(code, output_hook=show, timeout=200)
        return shown

    try:
        run(SETUP)
        yield manager, run
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_an_endless_loop_ends_and_the_kernel_goes_on(kernel):
    _, run = kernel
    assert "took more than 2 s" in run("check_chunk_of(loop)")["text/plain"]
    assert run("1 + 1")["text/plain"] == "2"


def test_an_interrupt_stops_the_cell_and_leaves_no_alarm(kernel):
    manager, run = kernel
    run("os.environ['LONGCTX_CHECK_SECONDS'] = '120'")
    # by its pid: the manager's own call would leave an event loop open in the thread
    pid = manager.provisioner.pid
    threading.Timer(1.0, os.kill, (pid, signal.SIGINT)).start()
    assert run("check_chunk_of(loop)")["error"] == "KeyboardInterrupt"
    code = "import signal; signal.getitimer(signal.ITIMER_REAL)[0]"
    assert run(code)["text/plain"] == "0.0"


def test_an_exit_in_a_learners_function_does_not_end_the_kernel(kernel):
    _, run = kernel
    said = run("check_chunk_of(lambda *_: sys.exit(0))")
    assert "SystemExit: 0" in said["text/plain"]


def test_progress_stands_under_the_verdict(kernel):
    _, run = kernel
    shown = run("check_chunk_of(lambda token, size: token // size)")
    assert "lesson 00: 1 of 3 done" in shown["text/html"]
    assert "done;" not in shown["text/plain"]


def test_a_self_test_shows_itself_folded(kernel):
    _, run = kernel
    shown = run("self_test('05')")
    assert shown["text/markdown"].count("<details>") >= 15
    assert "text/html" not in shown and "Right" not in shown["text/plain"]
