"""What the tests of attention share stands in `attention_cases`."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from longctx_edu.attention import tile


@pytest.fixture
def formulas_only(monkeypatch):
    """No fused kernel, as on a machine without one."""
    monkeypatch.setattr(tile, "_FLASH", None)
