import re
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from longctx_edu.metrics import (
    Score,
    bootstrap,
    entity_counts,
    entity_scores,
    paired_bootstrap,
)

TAGS = ["O", "B-A", "I-A", "B-B", "I-B"]
texts = st.lists(st.lists(st.sampled_from(TAGS), max_size=8), min_size=2, max_size=6)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def f1(counts):
    return Score.from_counts(*counts.sum(0).tolist()).f1


def bootstrap_by_loops(a, b, draws, generator):
    """Draw texts one draw at a time, and score the drawn texts as any others."""
    measured, drawn = f1(b) - f1(a), []
    for _ in range(draws):
        picked = torch.randint(len(a), (len(a),), generator=generator)
        drawn.append(f1(b[picked]) - f1(a[picked]))
    strayed = [abs(x - measured) >= abs(measured) - 1e-12 for x in drawn]
    return measured, sorted(drawn), (1 + sum(strayed)) / (1 + draws)


def made_up(n_texts, finds, *, generator, gold=None):
    """Counts of a system that finds a share of the entities, and as many wrong ones."""
    if gold is None:
        gold = torch.randint(1, 9, (n_texts,), generator=generator)
    chance = torch.full((n_texts, 9), finds)
    slots = torch.arange(9) < gold[:, None]
    right, wrong = (
        (torch.bernoulli(p, generator=generator).bool() & slots).sum(1)
        for p in (chance, 1 - chance)
    )
    return torch.stack([right, right + wrong, gold], 1)


def pair(n_texts=30, finds=(0.6, 0.7), seed=0):
    generator = seeded(seed)
    a = made_up(n_texts, finds[0], generator=generator)
    return a, made_up(n_texts, finds[1], generator=generator, gold=a[:, 2])


# counts equal those of the score


@given(st.data())
def test_counts_add_up_to_the_micro_score(data):
    gold = data.draw(texts)
    predicted = [
        data.draw(st.lists(st.sampled_from(TAGS), min_size=len(t), max_size=len(t)))
        for t in gold
    ]
    counts = entity_counts(gold, predicted)
    assert len(counts) == len(gold)
    wanted = entity_scores(gold, predicted)["micro"]
    assert Score.from_counts(*counts.sum(0).tolist()) == wanted
    starts = [[0, *range(2, len(t), 3)] for t in gold]
    parts = entity_counts(gold, predicted, starts)
    assert len(parts) == sum(map(len, starts))
    assert parts.sum(0).tolist() == counts.sum(0).tolist()


def test_an_entity_belongs_to_the_part_in_which_it_begins():
    tags = ["B-A", "I-A", "I-A", "B-A"]
    counts = entity_counts([tags, ["B-B"]], [tags, ["O"]], [[0, 2, 3], [0]])
    assert counts.tolist() == [[1, 1, 1], [0, 0, 0], [1, 1, 1], [0, 0, 1]]


# the test equals its definition


@pytest.mark.parametrize("most", [2_000_000, 100, 1])
@pytest.mark.parametrize("seed", [0, 1])
def test_equals_a_loop_with_the_same_draws(seed, most, monkeypatch):
    monkeypatch.setattr(bootstrap, "MOST", most)
    a, b = pair(seed=seed)
    measured, drawn, p = bootstrap_by_loops(a, b, 201, seeded(7))
    done = paired_bootstrap(a, b, generator=seeded(7), draws=201, level=0.9)
    assert (done.f1_a, done.f1_b) == pytest.approx((f1(a), f1(b)))
    assert done.difference == pytest.approx(measured)
    assert done.p_value == pytest.approx(p, abs=1e-12)
    assert done.low == pytest.approx(drawn[10])  # 5 % of 200 steps
    assert done.high == pytest.approx(drawn[190])
    assert (done.level, done.units, done.draws) == (0.9, 30, 201)


def test_draws_without_an_entity_score_0():
    a = torch.tensor([[0, 0, 0], [0, 0, 0], [0, 1, 1]])
    b = torch.tensor([[0, 0, 0], [0, 0, 0], [1, 1, 1]])
    done = paired_bootstrap(a, b, generator=seeded(), draws=500)
    assert (done.low, done.difference, done.high) == (0, 1, 1)
    assert done.p_value == pytest.approx((2 / 3) ** 3, abs=0.06)


# equals scipy


def test_the_interval_is_near_the_one_of_scipy():
    stats = pytest.importorskip("scipy.stats")
    a, b = (x.double().numpy() for x in pair(60))

    def difference(index):
        index = index.astype(int)
        x, y = a[index].sum(0), b[index].sum(0)
        return 2 * y[0] / (y[1] + y[2]) - 2 * x[0] / (x[1] + x[2])

    theirs = stats.bootstrap(
        (torch.arange(60.0).numpy(),),
        difference,
        n_resamples=2000,
        method="percentile",
        vectorized=False,
        rng=0,
    )
    ours = paired_bootstrap(*pair(60), generator=seeded(), draws=2000)
    low, high = theirs.confidence_interval
    width = high - low
    assert ours.low == pytest.approx(low, abs=0.06 * width)
    assert ours.high == pytest.approx(high, abs=0.06 * width)


# properties


def test_equal_systems_have_p_1():
    a, _ = pair()
    done = paired_bootstrap(a, a, generator=seeded(), draws=99)
    assert (done.difference, done.low, done.high, done.p_value) == (0, 0, 0, 1)


@given(seed=st.integers(0, 99), finds=st.floats(0.3, 0.9))
def test_the_other_way_round_it_says_the_same(seed, finds):
    a, b = pair(12, (0.6, finds), seed)
    there = paired_bootstrap(a, b, generator=seeded(seed), draws=50)
    back = paired_bootstrap(b, a, generator=seeded(seed), draws=50)
    assert (back.f1_a, back.f1_b) == (there.f1_b, there.f1_a)
    assert (back.difference, back.p_value) == (-there.difference, there.p_value)
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))


def test_the_seed_decides():
    a, b = pair()
    first, again, other = (
        paired_bootstrap(a, b, generator=seeded(s), draws=100) for s in (0, 0, 1)
    )
    assert first == again
    assert first.low != other.low


def test_intervals_hold_the_truth_and_equal_systems_are_seldom_called_different():
    """100 data sets of two equally good systems: about 95 intervals hold 0."""
    held = rejected = 0
    for seed in range(100):
        a, b = pair(40, (0.6, 0.6), seed)
        done = paired_bootstrap(a, b, generator=seeded(seed), draws=300)
        held += done.low <= 0 <= done.high
        rejected += done.p_value < 0.05
    assert 88 <= held <= 99
    assert 1 <= rejected <= 12


def test_a_large_difference_is_found():
    done = paired_bootstrap(*pair(60, (0.4, 0.8)), generator=seeded(), draws=999)
    assert done.p_value == 0.001
    assert done.low > 0.2


# several runs of a system


def test_runs_are_drawn_together_and_their_scores_averaged():
    (a, b), (c, _) = pair(seed=0), pair(seed=0, finds=(0.6, 0.9))
    assert torch.equal(a, c)
    _, d = pair(seed=0, finds=(0.6, 0.9))
    same = paired_bootstrap(a, b, generator=seeded(), draws=50)
    twice = paired_bootstrap(a[None], torch.stack([b, b]), generator=seeded(), draws=50)
    assert replace(twice, low=same.low, high=same.high) == same
    assert (twice.low, twice.high) == pytest.approx((same.low, same.high))
    mixed = paired_bootstrap(a, torch.stack([b, d]), generator=seeded(), draws=50)
    assert mixed.f1_b == pytest.approx((f1(b) + f1(d)) / 2)


# what is refused


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"b": pair(29)[1]}, "need both systems on the same texts, got 30 and 29"),
        (
            {"a": pair(1)[0], "b": pair(1)[1]},
            "need at least 2 texts or parts to draw from, got 1",
        ),
        (
            {"b": pair()[0] + torch.tensor([0, 0, 1])},
            "need both systems on the same texts, got texts with other numbers of gold "
            f"entities, {int(pair()[0][:, 2].sum())} and "
            f"{int(pair()[0][:, 2].sum()) + 30} in all",
        ),
        ({"draws": 0}, "need draws >= 1, got 0"),
        ({"level": 1.0}, "need 0 < level < 1, got 1.0"),
    ],
)
def test_messages(change, line):
    a, b = pair()
    asked = {"a": a, "b": b, "generator": seeded()} | change
    with pytest.raises(ValueError, match=f"^{re.escape(line)}$"):
        paired_bootstrap(asked.pop("a"), asked.pop("b"), **asked)


def test_predictions_that_do_not_fit():
    with pytest.raises(ValueError, match="need as many predicted texts as gold ones"):
        entity_counts([["O"]], [])
