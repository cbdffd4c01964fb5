import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def real_data():
    """Return a function that finds a real data set's folder, or skips the test."""

    def folder(name):
        named = os.environ.get("LONGCTX_DATA", "").split(os.pathsep)
        bases = [Path(each) for each in named if each]
        bases.append(ROOT.parent / "shared" / "data")
        for base in bases:
            if (base / name).is_dir():
                return base / name
            if base.name == name and base.is_dir():
                return base
        pytest.skip(f"no {name} in LONGCTX_DATA or in ../shared/data")

    return folder


@pytest.fixture(autouse=True)
def _no_data_named(monkeypatch, request, tmp_path):
    """Let no variable of the machine decide a test, but for those on real data."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user"))
    if "real_data" not in request.fixturenames:
        monkeypatch.delenv("LONGCTX_DATA", raising=False)
