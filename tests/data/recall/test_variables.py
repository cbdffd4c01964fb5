from dataclasses import replace

import pytest

from longctx_edu.data.recall import (
    ASK,
    MARK,
    VariablesConfig,
    show,
    variable_tracking,
)


def assignments(ids):
    """Return (variable, what it takes) in the order of the text."""
    return [(ids[t + 1], ids[t + 2]) for t, token in enumerate(ids) if token == MARK]


def ends(ids, config):
    """Return the value that each variable has in the end, and how many hops away."""
    known = {}
    for name, source in assignments(ids):
        value, hops = known[source] if source in config.keys else (source, -1)
        known[name] = (value, hops + 1)
    return known


def test_the_shortest_text_by_hand():
    config = VariablesConfig(n_tokens=11, distances=(8,), hops=2, n_chains=1)
    sample = variable_tracking(config, 0)
    ids = sample.ids.tolist()
    x, value, y, z = ids[1], ids[2], ids[4], ids[7]
    assert ids == [*(MARK, x, value), *(MARK, y, x), *(MARK, z, y), ASK, z]
    assert sample.answers.tolist() == [-100] * 10 + [value]
    assert sample.distances.tolist() == [-1] * 10 + [8]
    a, b, c = (f"k{name - config.keys.start}" for name in (x, y, z))
    v = f"v{value - config.values.start}"
    assert show(sample, config) == f"! {a} {v} ! {b} {a} ! {c} {b} ? {c} -> {v}"


@pytest.mark.parametrize("index", range(20))
def test_each_chain_has_its_hops_and_each_variable_one_assignment(index):
    config = VariablesConfig(n_keys=12, hops=3, n_chains=3)
    ids = variable_tracking(config, index).ids.tolist()
    known = ends(ids, config)
    assert set(known) == set(config.keys)
    assert sorted(hops for _, hops in known.values()) == sorted([0, 1, 2, 3] * 3)
    assert known[ids[-1]][1] == 3


def test_no_hops_ask_for_the_value_itself():
    config = VariablesConfig(hops=0, n_chains=1, n_tokens=40, distances=(9,))
    ids = variable_tracking(config, 0).ids.tolist()
    assert assignments(ids) == [(ids[-1], ids[-10])]


def test_the_value_of_the_other_chain_is_at_chance():
    config = VariablesConfig(distances=(100,), n_values=8)
    values, right = config.values, 0
    for index in range(400):
        sample = variable_tracking(config, index)
        ids = sample.ids.tolist()
        (other,) = (
            ids[t]
            for t in range(len(ids))
            if ids[t] in values and len(ids) - 1 - t != 100
        )
        right += other == sample.answers[-1]
    noise = (config.chance * (1 - config.chance) / 400) ** 0.5
    assert abs(right / 400 - config.chance) < 4 * noise


# messages


def test_refuses_more_variables_than_there_are():
    message = (
        r"^need n_chains \* \(hops \+ 1\) <= n_keys, got n_chains=2, hops=8 "
        "and n_keys=16$"
    )
    with pytest.raises(ValueError, match=message):
        VariablesConfig(hops=8, distances=(100,))


@pytest.mark.parametrize(("name", "least"), [("hops", 0), ("n_chains", 1)])
def test_refuses_counts_that_are_too_small(name, least):
    message = f"^need {name} >= {least}, got {name}={least - 1}$"
    with pytest.raises(ValueError, match=message):
        VariablesConfig(**{name: least - 1})


def test_the_room_that_chains_need():
    config = VariablesConfig(hops=3, n_chains=1)
    assert (config.shortest, config.needed) == (11, 67)
    assert replace(config, n_keys=40, n_chains=5).needed == 19 * 5 + 3 + 2
