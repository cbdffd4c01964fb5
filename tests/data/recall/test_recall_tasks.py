"""What holds for every recall task."""

import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from functools import partial

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from longctx_edu.data.recall import ASK, MARK, AssociativeConfig, NeedleConfig
from longctx_edu.masks import dense_mask, window
from longctx_edu.metrics import score_recall

DIALS = {
    "n_queries": st.integers(1, 4),
    "n_pairs": st.integers(4, 6),
    "n_distractors": st.integers(0, 5),
    "n_digits": st.integers(1, 4),
    "length": st.integers(1, 9),
    "hops": st.integers(0, 4),
    "n_chains": st.integers(1, 3),
}
of_each_task = partial(
    settings,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def draw_config(draw, kind):
    """Return a config whose text is as short as can be, or a few tokens longer."""
    dials = {
        name: draw(dial)
        for name, dial in DIALS.items()
        if name in kind.__dataclass_fields__
    }
    dials |= {"n_values": draw(st.integers(2, 9)), "n_noise": draw(st.integers(1, 5))}
    dials |= {"seed": draw(st.integers(0, 10**12)), "n_tokens": 10**6}
    shortest = kind(distances=(1000,), **dials).shortest
    low = draw(st.integers(shortest, shortest + 30))
    some = st.sets(st.integers(shortest, shortest + 60), min_size=1, max_size=4)
    distances = draw(st.one_of(st.just(range(low, low + 9)), some.map(tuple)))
    wide = kind(distances=distances, **dials)
    return replace(wide, n_tokens=wide.needed + draw(st.integers(0, 7)))


# equals the definition: a search in the ids alone finds the same evidence


@of_each_task(max_examples=60)
@given(data=st.data(), index=st.integers(0, 10**9))
def test_the_search_finds_every_answer_at_its_distance(task, data, index):
    config = draw_config(data.draw, task.config)
    sample = task.write(config, index)
    assert len(sample) == len(sample.ids) == config.n_tokens
    found = task.search(sample.ids.tolist(), config)
    for at in range(len(sample)):
        answer, distance = int(sample.answers[at]), int(sample.distances[at])
        if at in found:
            assert answer == sample.ids[found[at]] and answer in config.values
            assert distance == at - found[at] and distance in config.distances
        else:
            assert (answer, distance) == (-100, -1)


@of_each_task(max_examples=30)
@given(data=st.data(), index=st.integers(0, 10**9))
def test_nothing_else_is_key_value_or_marker(task, data, index):
    config = draw_config(data.draw, task.config)
    ids = task.write(config, index).ids.tolist()
    n_keys, n_values, n_asks, n_marks = task.kinds(config)
    assert sum(token in config.keys for token in ids) == n_keys
    assert sum(token in config.values for token in ids) == n_values
    assert ids.count(ASK) == n_asks and ids.count(MARK) == n_marks
    rest = len(ids) - n_keys - n_values - n_asks - n_marks
    assert sum(token in config.noise for token in ids) == rest


def test_kinds_of_ids_lie_side_by_side(task):
    config = task.config(n_values=5, n_noise=3)
    kinds = [ASK, MARK, *config.keys, *config.values, *config.noise]
    assert kinds == list(range(config.vocab_size))
    assert len(config.values) == 5 and len(config.noise) == 3
    assert config.chance == 1 / 5


def test_a_window_sees_the_evidence_from_its_distance_on(task):
    config = task.config()
    sample = task.write(config, 3)
    for at in (sample.answers >= 0).nonzero().flatten().tolist():
        distance = int(sample.distances[at])
        for left, seen in ((distance, True), (distance - 1, False)):
            mask = dense_mask(window(left=left, right=0), len(sample))
            assert mask[at, at - distance] == seen


# evenly spread, and at chance


@pytest.mark.parametrize("distances", [(12, 13, 40, 55), range(20, 32)])
def test_distances_come_alike_often(task, distances, is_flat):
    """In the shortest text there is, where places are fewest."""
    wide = task.config(n_tokens=10**4, distances=distances)
    config = replace(wide, n_tokens=wide.needed)
    counts = Counter()
    for index in range(600):
        sample = task.write(config, index)
        counts.update(set(sample.distances[sample.answers >= 0].tolist()))
    assert set(counts) == set(distances)
    assert is_flat([counts[distance] for distance in distances])


def test_a_list_of_mostly_short_distances_is_not_flat(is_flat):
    assert not is_flat([600 / distance for distance in range(1, 9)])
    assert not is_flat([50] * 10 + [90, 10])


def test_answers_come_alike_often_and_a_guess_is_at_chance(task, is_flat):
    config = task.config(n_values=8)
    answers, counts = [], Counter()
    for index in range(500):
        sample = task.write(config, index)
        answers.append(sample.answers)
        counts.update(sample.answers[sample.answers >= 0].tolist())
    assert is_flat([counts[value] for value in config.values])
    answers = torch.stack(answers)
    low, high = config.values.start, config.values.stop
    guess = torch.randint(
        low, high, answers.shape, generator=torch.Generator().manual_seed(1)
    )
    most = torch.full_like(answers, counts.most_common(1)[0][0])
    for said in (guess, most):
        score = score_recall(said, answers, torch.zeros_like(answers)).overall
        noise = (config.chance * (1 - config.chance) / score.count) ** 0.5
        assert abs(score.accuracy - config.chance) < 4 * noise


def test_a_search_scores_one_at_every_distance(task):
    config = task.config(n_tokens=200, distances=(15, 60, 120))
    samples = [task.write(config, index) for index in range(60)]
    said = torch.full((60, 200), -7)
    for row, sample in zip(said, samples, strict=True):
        for at, evidence in task.search(sample.ids.tolist(), config).items():
            row[at] = sample.ids[evidence]
    scores = score_recall(
        said,
        torch.stack([sample.answers for sample in samples]),
        torch.stack([sample.distances for sample in samples]),
        buckets=[(d, d) for d in config.distances],
    )
    assert scores.overall.accuracy == 1
    assert [score.accuracy for score in scores.by_distance.values()] == [1, 1, 1]


# the same bytes, quickly

SCRIPT = """
import hashlib
from longctx_edu.data import recall as r
tasks = {
    r.AssociativeConfig: r.associative_recall, r.NeedleConfig: r.needle,
    r.PasskeyConfig: r.passkey, r.CopyingConfig: r.copying,
    r.VariablesConfig: r.variable_tracking,
}
samples = [write(config(seed=5), 7) for config, write in tasks.items()]
text = repr([(s.ids.tolist(), s.answers.tolist(), s.distances.tolist())
    for s in samples])
print(hashlib.sha256(text.encode()).hexdigest())
"""


def test_same_bytes_in_every_process(capsys):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "PYTHONHASHSEED": "77"},
        capture_output=True,
        text=True,
        check=True,
    )
    torch.manual_seed(12345)  # no global seed may matter
    exec(SCRIPT, {})
    assert capsys.readouterr().out == done.stdout


def test_other_seeds_and_indices_give_other_samples(task):
    seen = {
        tuple(task.write(task.config(seed=seed), index).ids.tolist())
        for seed in (0, 1, 2**32, 2**40)
        for index in (0, 1, 2**32)
    }
    assert len(seen) == 12


def test_a_sample_leaves_the_global_chance_alone(task):
    torch.manual_seed(0)
    before = torch.get_rng_state()
    task.write(task.config(), 0)
    assert torch.equal(before, torch.get_rng_state())


def test_a_hundred_thousand_tokens_take_milliseconds(task):
    config = task.config(n_tokens=100_000, distances=(50, 5_000, 99_000))
    times = []
    for index in range(5):
        start = time.process_time()
        task.write(config, index)
        times.append(time.process_time() - start)
    assert min(times) < 0.1


# messages


def test_refuses_a_text_one_token_too_short(task):
    needed = task.config(n_tokens=10**4).needed
    task.write(task.config(n_tokens=needed), 0)
    message = (
        f"^need n_tokens >= {needed} to place all, with distances up to 64, "
        f"got n_tokens={needed - 1}$"
    )
    with pytest.raises(ValueError, match=message):
        task.config(n_tokens=needed - 1)


def test_refuses_a_distance_that_is_too_short(task):
    shortest = task.config().shortest
    task.write(task.config(distances=(shortest,)), 0)
    message = f"^need distances >= {shortest}, got {shortest - 1}$"
    with pytest.raises(ValueError, match=message):
        task.config(distances=(64, shortest - 1))


@pytest.mark.parametrize("distances", [(), range(5, 5), (16, 64, 16)])
def test_refuses_no_distance_and_one_twice(distances):
    with pytest.raises(ValueError, match=r"^need at least one distance and "):
        NeedleConfig(distances=distances)


@pytest.mark.parametrize(("name", "least"), [("n_values", 2), ("n_noise", 1)])
def test_refuses_too_few_ids(task, name, least):
    message = f"^need {name} >= {least}, got {name}={least - 1}$"
    with pytest.raises(ValueError, match=message):
        task.config(**{name: least - 1})


def test_refuses_a_negative_index(task):
    with pytest.raises(ValueError, match=r"^need index >= 0, got index=-1$"):
        task.write(task.config(), -1)


def test_a_config_is_a_key():
    assert {AssociativeConfig(): 1}[AssociativeConfig()] == 1
