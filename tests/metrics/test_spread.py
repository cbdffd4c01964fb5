import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from longctx_edu.metrics import over_seeds
from longctx_edu.metrics.spread import t_within

# equals a table, and scipy


@pytest.mark.parametrize(
    ("level", "freedom", "t"),
    [(0.95, 1, 12.706), (0.95, 2, 4.303), (0.9, 5, 2.015), (0.99, 30, 2.750)],
)
def test_t_equals_the_printed_tables(level, freedom, t):
    assert t_within(level, freedom) == pytest.approx(t, abs=5e-4)


@given(st.floats(0.01, 0.999), st.integers(1, 60))
def test_t_equals_scipy(level, freedom):
    stats = pytest.importorskip("scipy.stats")
    wanted = stats.t.ppf((1 + level) / 2, freedom)
    assert t_within(level, freedom) == pytest.approx(wanted, rel=1e-9)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=9))
def test_mean_and_spread_equal_those_of_torch(values):
    done, numbers = over_seeds(values), torch.tensor(values, dtype=torch.double)
    assert done.values == tuple(values)
    assert done.mean == pytest.approx(float(numbers.mean()))
    assert done.spread == pytest.approx(float(numbers.std()), abs=1e-12)


def test_the_interval_equals_the_one_of_scipy():
    stats = pytest.importorskip("scipy.stats")
    values = [0.5, 0.6, 0.55, 0.8]
    done = over_seeds(values, level=0.9)
    wanted = stats.t.interval(0.9, 3, loc=0.6125, scale=stats.sem(values))
    assert (done.low, done.high) == pytest.approx(wanted)
    assert done.level == 0.9


# properties


def test_the_interval_holds_the_truth_as_often_as_it_says():
    held, generator = 0, torch.Generator().manual_seed(0)
    for _ in range(400):
        values = torch.randn(3, generator=generator, dtype=torch.double).tolist()
        done = over_seeds(values, level=0.8)
        held += done.low <= 0 <= done.high
    assert held / 400 == pytest.approx(0.8, abs=0.05)


def test_equal_scores_have_no_spread():
    done = over_seeds([0.5, 0.5])
    assert (done.mean, done.spread, done.low, done.high) == (0.5, 0, 0.5, 0.5)


# what is refused


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda: over_seeds([0.5]), "need the scores of at least 2 seeds, got 1"),
        (lambda: over_seeds([1.0, 2.0], level=1.5), "need 0 < level < 1, got 1.5"),
        (lambda: t_within(0.5, 0), "need at least 1 degree of freedom, got 0"),
    ],
)
def test_messages(call, line):
    with pytest.raises(ValueError, match=f"^{re.escape(line)}$"):
        call()
