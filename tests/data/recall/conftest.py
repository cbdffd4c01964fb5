"""The five tasks, each with a slow search that finds its evidence in the ids alone."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from longctx_edu.data.recall import (
    ASK,
    MARK,
    AssociativeConfig,
    CopyingConfig,
    NeedleConfig,
    PasskeyConfig,
    VariablesConfig,
    associative_recall,
    copying,
    needle,
    passkey,
    variable_tracking,
)


def search_pairs(ids, config):
    """Behind each question stands a key: find where it stands before a value."""
    values = config.values
    found = {}
    for at in range(1, len(ids)):
        if ids[at - 1] == ASK:
            places = [
                e + 1
                for e in range(len(ids) - 1)
                if ids[e] == ids[at] and ids[e + 1] in values
            ]
            assert len(places) == 1
            found[at] = places[0]
    return found


def search_needles(ids, config):
    """The last token is a key: find the marked one."""
    values = config.values
    keys = config.keys
    assert ids[-2] == ASK and ids[-1] in keys
    places = [
        e + 2
        for e in range(len(ids) - 2)
        if ids[e] == MARK and ids[e + 1] == ids[-1] and ids[e + 2] in values
    ]
    assert len(places) == 1
    return {len(ids) - 1: places[0]}


def search_segment(ids, config):
    """From the question on, what stands behind the mark is due."""
    (ask,), (mark,) = (
        [t for t, token in enumerate(ids) if token == sign] for sign in (ASK, MARK)
    )
    return {ask + n: mark + 1 + n for n in range(len(ids) - ask)}


def search_chain(ids, config):
    """Follow the assignments from the last variable, each standing before the next."""
    values = config.values
    wanted, behind = ids[-1], len(ids) - 2
    assert ids[-2] == ASK
    hops = 0
    while True:
        places = [e for e in range(behind) if ids[e] == MARK and ids[e + 1] == wanted]
        assert len(places) == 1
        behind = places[0]
        wanted = ids[behind + 2]
        if wanted in values:
            assert hops == config.hops
            return {len(ids) - 1: behind + 2}
        hops += 1


@dataclass(frozen=True)
class Task:
    """A task: its generator, config, search, and how many of each kind it writes."""

    write: Callable
    config: type
    search: Callable
    kinds: Callable  # config -> number of keys, values, questions, marks


TASKS = {
    "associative": Task(
        associative_recall,
        AssociativeConfig,
        search_pairs,
        lambda c: (c.n_pairs + c.n_queries, c.n_pairs, c.n_queries, 0),
    ),
    "needle": Task(
        needle,
        NeedleConfig,
        search_needles,
        lambda c: (c.n_distractors + 2, c.n_distractors + 1, 1, c.n_distractors + 1),
    ),
    "passkey": Task(
        passkey,
        PasskeyConfig,
        search_segment,
        lambda c: (0, 2 * c.n_digits - 1, 1, 1),
    ),
    "copying": Task(
        copying,
        CopyingConfig,
        search_segment,
        lambda c: (0, 2 * c.length - 1, 1, 1),
    ),
    "variables": Task(
        variable_tracking,
        VariablesConfig,
        search_chain,
        lambda c: (
            c.n_chains * (2 * c.hops + 1) + 1,
            c.n_chains,
            1,
            c.n_chains * (c.hops + 1),
        ),
    ),
}


@pytest.fixture(params=TASKS)
def task(request):
    return TASKS[request.param]


@pytest.fixture
def is_flat():
    """Tell whether counts could come from chances all alike (chi square)."""

    def flat(counts):
        mean = sum(counts) / len(counts)
        chi_square = sum((count - mean) ** 2 / mean for count in counts)
        free = len(counts) - 1
        return chi_square < free + 4 * (2 * free) ** 0.5

    return flat
