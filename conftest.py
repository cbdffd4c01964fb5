"""Surroundings of every test and of every kernel that nbval starts.

Set before anything is imported: no network, one thread, no window, no user settings.
"""

import os
from pathlib import Path

_ROOT = Path(__file__).resolve().parent

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["PYTHONHASHSEED"] = "0"
os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Not MPLBACKEND: a kernel must keep its own, or its notebook shows no figure.
os.environ.pop("MPLBACKEND", None)
os.environ["MATPLOTLIBRC"] = str(_ROOT / "tools" / "matplotlibrc")
