"""Recall, trained and scored: against a slow count, and a reach that must show."""

from dataclasses import dataclass, replace
from functools import partial

import pytest
import torch

from longctx_edu.attention import causal_attention
from longctx_edu.data.recall import (
    AssociativeConfig,
    CopyingConfig,
    NeedleConfig,
    PasskeyConfig,
    RecallConfig,
    VariablesConfig,
    passkey,
)
from longctx_edu.models import LanguageModel, Transformer, TransformerConfig
from longctx_edu.recipes import (
    fit_recall,
    read_in_segments,
    read_whole,
    recall_by_distance,
    recall_samples,
)
from longctx_edu.training import TrainConfig

TASK = PasskeyConfig(n_tokens=12, distances=(2, 4, 7), n_values=3, n_noise=2)
ONCE = TrainConfig(epochs=1, batch_tokens=96, precision="fp32")


def model(left=None, seed=0, dropout=0.0, positions="none", n_layers=1):
    torch.manual_seed(seed)
    config = TransformerConfig(
        vocab_size=TASK.vocab_size,
        d_model=16,
        d_ff=16,
        n_heads=2,
        n_layers=n_layers,
        positions=positions,
        dropout=dropout,
    )
    return LanguageModel(Transformer(config, partial(causal_attention, left=left)))


def weights(of):
    return torch.cat([parameter.flatten() for parameter in of.parameters()])


# samples


@pytest.mark.parametrize(
    "config",
    [
        AssociativeConfig(n_tokens=128, distances=(3, 9)),
        CopyingConfig(n_tokens=40, distances=(9, 20)),
        NeedleConfig(n_tokens=64, distances=(3, 9)),
        PasskeyConfig(n_tokens=20, distances=(3, 9)),
        VariablesConfig(n_tokens=64, distances=(9, 20)),
    ],
)
def test_each_task_has_its_samples(config):
    samples = recall_samples(config, 5)
    assert [len(sample) for sample in samples] == [config.n_tokens] * 5
    asked = [sample.distances[sample.answers >= 0].tolist() for sample in samples]
    assert all(asked) and {d for row in asked for d in row} <= {*config.distances}


def test_the_samples_are_those_of_the_task():
    for index, sample in enumerate(recall_samples(TASK, 4)):
        assert torch.equal(sample.ids, passkey(TASK, index).ids)


# scores


def test_the_scores_equal_a_slow_count():
    reader = model(left=3)
    scores = recall_by_distance(reader, TASK, n_samples=30, batch_size=7)
    other = replace(TASK, seed=TASK.seed + 1_000_003)
    right = {distance: [0, 0] for distance in TASK.distances}
    for index in range(30):
        sample = passkey(other, index)
        with torch.no_grad():
            said = reader(sample.ids[None])[0, -1].argmax()
        row = right[int(sample.distances[-1])]
        row[0] += int(said == sample.answers[-1])
        row[1] += 1
    got = {low: [s.right, s.count] for (low, _), s in scores.by_distance.items()}
    assert got == right
    assert scores.overall.count == 30


def test_the_test_texts_are_none_of_the_training():
    seen = {tuple(sample.ids.tolist()) for sample in recall_samples(TASK, 200)}
    said = []

    def read(reader, ids):
        said.extend(tuple(row) for row in ids.tolist())
        return reader(ids)

    long = replace(TASK, n_tokens=40)
    seen = {tuple(sample.ids.tolist()) for sample in recall_samples(long, 200)}
    recall_by_distance(model(), long, n_samples=50, read=read)
    assert len(said) == 50 and not seen & {*said}


def test_buckets_may_be_given():
    scores = recall_by_distance(model(), TASK, n_samples=9, buckets=[(1, 5), (6, None)])
    assert [*scores.by_distance] == [(1, 5), (6, None)]
    assert sum(score.count for score in scores.by_distance.values()) == 9


def test_scoring_switches_dropout_off_and_leaves_the_mode():
    reader, modes = model(dropout=0.5).train(), []

    def read(reader, ids):
        modes.append(reader.training)
        return reader(ids)

    recall_by_distance(reader, TASK, n_samples=40, batch_size=20, read=read)
    assert modes == [False, False]
    assert reader.training
    assert weights(reader).grad_fn is not None  # gradients are on again


# training


def test_a_window_learns_what_it_sees_and_nothing_beyond():
    reader = model(left=4)
    train = TrainConfig(
        epochs=4, batch_tokens=384, learning_rate=1e-2, precision="fp32"
    )
    fit_recall(reader, TASK, n_samples=1024, train=train, progress=False)
    scores = recall_by_distance(reader, TASK, n_samples=300).by_distance
    assert scores[2, 2].accuracy > 0.95 and scores[4, 4].accuracy > 0.95
    assert scores[7, 7].accuracy < 0.5  # one in three by chance
    assert not reader.training


def test_training_is_repeatable_and_counts_its_tokens():
    readers = [model(), model()]
    for reader in readers:
        history = fit_recall(reader, TASK, n_samples=20, train=ONCE, progress=False)
        assert len(history.steps) == 3 and history.tokens == 20 * 12
    assert torch.equal(weights(readers[0]), weights(readers[1]))
    assert not torch.equal(weights(readers[0]), weights(model()))


def test_the_loss_is_that_of_the_answers_alone():
    reader = model()
    batch = recall_samples(TASK, 8)
    with torch.no_grad():
        logits = torch.stack([reader(sample.ids[None])[0, -1] for sample in batch])
    answers = torch.stack([sample.answers[-1] for sample in batch])
    wanted = torch.nn.functional.cross_entropy(logits, answers)
    history = fit_recall(reader, TASK, n_samples=8, train=ONCE, progress=False)
    assert history.steps[0]["loss"] == pytest.approx(float(wanted), abs=1e-5)


# reading in segments


@pytest.mark.parametrize("size", [1, 4, 5, 12, 30])
def test_segments_with_all_the_memory_are_the_whole_text(size):
    reader = model(positions="rotary", n_layers=2).eval()
    ids = torch.stack([sample.ids for sample in recall_samples(TASK, 3)])
    with torch.no_grad():
        whole = read_whole(reader, ids)
        parts = read_in_segments(reader, ids, size=size, memory=12)
    torch.testing.assert_close(parts, whole, rtol=0, atol=1e-5)


def test_segments_without_memory_stand_alone():
    reader = model(n_layers=2).eval()
    ids = torch.stack([sample.ids for sample in recall_samples(TASK, 3)])
    with torch.no_grad():
        parts = read_in_segments(reader, ids, size=5, memory=0)
        alone = [reader(ids[:, start : start + 5]) for start in (0, 5, 10)]
    torch.testing.assert_close(parts, torch.cat(alone, dim=1), rtol=0, atol=1e-6)


def test_training_reads_as_it_is_told():
    readers = [model(), model()]
    reads = [read_whole, partial(read_in_segments, size=4, memory=4)]
    for reader, read in zip(readers, reads, strict=True):
        fit_recall(reader, TASK, n_samples=20, train=ONCE, read=read, progress=False)
    assert not torch.equal(weights(readers[0]), weights(readers[1]))


# messages


@dataclass(frozen=True, kw_only=True)
class Unknown(RecallConfig):
    @property
    def shortest(self):
        return 1

    @property
    def needed(self):
        return 1


def test_a_config_of_no_task_is_refused():
    with pytest.raises(ValueError, match=r"need a config of .*Passkey.*, got Unknown"):
        recall_samples(Unknown(), 3)


@pytest.mark.parametrize("n_samples", [0, -2])
def test_no_text_is_refused(n_samples):
    for call in (fit_recall, recall_by_distance):
        more = {"train": ONCE} if call is fit_recall else {}
        with pytest.raises(
            ValueError, match=rf"need n_samples >= 1, got n_samples={n_samples}"
        ):
            call(model(), TASK, n_samples=n_samples, **more)
