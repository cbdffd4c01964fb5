"""The lab that the browser tests share: one server and one browser for a file of tests.

Not for a session: while Playwright runs, no other test could run a loop of its own.
"""

import os
import shutil
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def browser():
    """Start Chromium; skip where there is none."""
    playwright = pytest.importorskip("playwright.sync_api")
    pytest.importorskip("jupyterlab")
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(f"no browser on the path: {', '.join(NAMES)}")
    with playwright.sync_playwright() as play:
        # A browser that runs as root needs its sandbox off.
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        flags += ["--disable-dev-shm-usage", "--no-proxy-server"]
        opened = play.chromium.launch(executable_path=path, args=flags)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def lab(browser, tmp_path_factory):
    """Start the lab's server on a copy of the course."""
    from lab_server import running_lab

    with running_lab(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture
def shots(request):
    """Give the folder of the screenshots."""
    return Path(request.config.getoption("--lab-shots"))


@pytest.fixture
def open_notebook(browser, lab, shots, request):
    """Open notebooks; keep a picture of each at the end, and close them."""
    from lab_page import NotebookPage

    opened = []

    def open_one(name: str) -> NotebookPage:
        opened.append(NotebookPage(browser, lab, name))
        return opened[-1].open()

    yield open_one
    for page in opened:
        try:
            page.screenshot(shots, page.name.replace("/", "-").removesuffix(".ipynb"))
        finally:
            page.close()
