import gc

import pytest

from longctx_edu.benchmarks import Setting, run


@pytest.fixture
def small():
    """A setting that runs in milliseconds."""
    return Setting(left=16, right=16, n_heads=2, d_head=8)


@pytest.fixture
def quick_rates(monkeypatch):
    """The machine's rate, without its products."""
    monkeypatch.setattr(run, "gemm_rates", lambda dtypes: dict.fromkeys(dtypes, 50.0))


@pytest.fixture(autouse=True)
def _quick_collections():
    """Let the collections before each measurement pass over what is there already."""
    gc.freeze()
    yield
    gc.unfreeze()
