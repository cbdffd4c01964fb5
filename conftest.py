"""Surroundings of every test and of every kernel that nbval starts.

Set before anything is imported: no network, one thread, no window, no user settings or
progress.
"""

import os
from pathlib import Path

_ROOT = Path(__file__).resolve().parent

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["LONGCTX_PROGRESS"] = "off"
os.environ["PYTHONHASHSEED"] = "0"
os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Not MPLBACKEND: a kernel must keep its own, or its notebook shows no figure.
os.environ.pop("MPLBACKEND", None)
os.environ["MATPLOTLIBRC"] = str(_ROOT / "tools" / "matplotlibrc")


def pytest_configure(config):
    """Let no property fail for the slowness of a busy machine."""
    from hypothesis import settings

    settings.register_profile("course", deadline=None)
    settings.load_profile("course")


def pytest_addoption(parser):
    """Add the two options of tests/lab; the short form is part of every run."""
    group = parser.getgroup("lab", "JupyterLab in a browser")
    whole = "open every lesson, exercise and solution, not one of each"
    group.addoption("--whole-lab", action="store_true", help=whole)
    shots = str(_ROOT / "runs" / "lab")
    group.addoption("--lab-shots", default=shots, help="folder of the screenshots")
