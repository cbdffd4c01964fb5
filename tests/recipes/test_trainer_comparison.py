from dataclasses import replace

import pytest
import torch
from rich.console import Console
from transformers import AutoModel

from longctx_edu.errors import UserError
from longctx_edu.recipes import trainer_comparison
from longctx_edu.recipes.config import NerConfig
from longctx_edu.recipes.show_trainers import show_trainers
from longctx_edu.recipes.tagger import build
from longctx_edu.recipes.trainer_batches import Counted, as_features, examples_a_batch
from longctx_edu.recipes.trainer_comparison import Best, compare_trainers, loss_at_start
from longctx_edu.recipes.trainer_peer import arguments, collator, under_their_head
from longctx_edu.recipes.trainer_turns import (
    GROUPED,
    OURS,
    PLAIN,
    Way,
    three_ways,
    train_once,
)
from longctx_edu.training import TrainConfig, parameter_groups

TRAINING = TrainConfig(epochs=2, batch_tokens=200, precision="fp32", learning_rate=1e-2)


@pytest.fixture(scope="module")
def config(small_bert):
    return NerConfig(model=small_bert, attention="chunks", size=32, dropout=0.0)


@pytest.fixture
def tagger(config, splits):
    return build(config, splits.types)


@pytest.fixture
def pieces(tagger, splits):
    return tagger.pieces(splits.train)


@pytest.fixture(scope="module")
def report(config, splits):
    saved = []
    done = compare_trainers(
        splits,
        config,
        TRAINING,
        rounds=2,
        steps=2,
        save=lambda report: saved.append(report["complete"]),
    )
    assert saved == [False, False, False, False, True]
    return done


def rows_by_name(report):
    return {row["name"]: row for row in report["rows"]}


# The same start


def test_all_have_the_same_loss_before_any_step(report):
    losses = [row["loss_at_start"] for row in report["rows"]]
    assert max(losses) - min(losses) < 1e-4
    assert min(losses) > 0


def test_their_head_gives_our_logits(tagger, pieces):
    batch, theirs = (
        tagger.collate(pieces[:5]),
        collator(tagger)(as_features(pieces[:5])),
    )
    assert torch.equal(batch["inputs"], theirs["input_ids"])
    assert torch.equal(batch["keep"], theirs["attention_mask"].bool())
    assert torch.equal(batch["labels"], theirs["labels"])
    tagger.model.eval()
    ours = tagger.model(batch["inputs"], keep=batch["keep"])
    found = under_their_head(tagger).eval()(**theirs)
    torch.testing.assert_close(found.logits, ours)
    torch.testing.assert_close(found.loss, tagger.loss(tagger.model, batch))


def test_they_train_our_weights_with_our_decay(tagger, tmp_path):
    from transformers import Trainer

    how = replace(TRAINING, weight_decay=0.3)
    theirs = under_their_head(tagger)
    said = arguments(how, str(tmp_path), batch=2, grouped=False, steps=10)
    groups = Trainer(theirs, said).create_optimizer().param_groups
    ours = parameter_groups(tagger.model, how)
    by_decay = [
        {g["weight_decay"]: {id(p) for p in g["params"]} for g in each}
        for each in (groups, ours)
    ]
    assert by_decay[0] == by_decay[1]
    assert set(by_decay[0]) == {0.3, 0.0}


def test_a_different_start_is_refused(config, splits, monkeypatch):
    def loss(way, *_):
        return 2.0 if way.batch else 1.0

    monkeypatch.setattr(trainer_comparison, "loss_at_start", loss)
    with pytest.raises(UserError, match="same loss in all ways before any step, got 1"):
        compare_trainers(splits, config, TRAINING)


# The same training


def test_all_read_the_same_examples_as_often(report, pieces):
    tokens = sum(map(len, pieces))
    for row in report["rows"]:
        done = row["training"]
        assert done["tokens"] == TRAINING.epochs * tokens
        assert done["padded_tokens"] >= done["tokens"]
        assert done["seconds"] > 0
        assert done["tokens_per_s"] == done["tokens"] / done["seconds"]
        assert len(row["dev_f1"]) == TRAINING.epochs
    for turn in range(2):
        read = [row["speed"]["turns"][turn]["tokens"] for row in report["rows"]]
        assert len(set(read)) == 1
        assert read[0] < tokens


def test_steps(report, pieces):
    rows = rows_by_name(report)
    for name in (PLAIN, GROUPED):
        batches = -(-len(pieces) // rows[name]["batch"])
        assert rows[name]["steps_an_epoch"] == batches
        assert rows[name]["training"]["steps"] == TRAINING.epochs * batches
    ours = rows[OURS]["training"]["steps"]
    assert abs(ours - TRAINING.epochs * rows[OURS]["steps_an_epoch"]) <= 2


def test_grouping_leaves_less_padding(report):
    rows = rows_by_name(report)
    padding = {name: row["training"]["padding"] for name, row in rows.items()}
    assert padding[GROUPED] < padding[PLAIN]
    assert padding[OURS] < padding[PLAIN]


def test_trainer_gets_our_settings(tmp_path):
    how = replace(TRAINING, max_norm=0.7, schedule="cosine", warmup=0.25, seed=5)
    said = arguments(how, str(tmp_path), batch=3, grouped=True, steps=12)
    assert said.per_device_train_batch_size == 3
    assert (said.num_train_epochs, said.learning_rate) == (2, 1e-2)
    assert (said.max_grad_norm, said.lr_scheduler_type) == (0.7, "cosine")
    assert (said.get_warmup_steps(12), said.seed, said.bf16) == (3, 5, False)
    assert said.train_sampling_strategy == "group_by_length"
    assert said.report_to == []
    how = replace(TRAINING, precision="bf16")
    said = arguments(how, str(tmp_path), batch=3, grouped=False, steps=12)
    assert (said.bf16, said.train_sampling_strategy) == (True, "random")


@pytest.mark.parametrize(
    "way",
    [
        Way(OURS, "fp32", 9),
        Way(PLAIN, "fp32", 9, 4),
        Way(GROUPED, "bf16", 9, 4, grouped=True),
    ],
    ids=lambda way: way.name,
)
def test_each_learns(tagger, pieces, way):
    before = loss_at_start(way, tagger, pieces)
    how = replace(TRAINING, epochs=4)
    train_once(way, tagger, pieces, how)
    assert loss_at_start(way, tagger, pieces) < before - 0.1
    assert not tagger.model.training


def test_scoring_is_not_on_the_clock(tagger, pieces, monkeypatch):
    from longctx_edu.recipes import trainer_peer

    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(trainer_peer, "perf_counter", lambda: next(clock))
    calls = []

    def score():
        calls.append(next(clock))
        return 0.0

    done = train_once(Way(PLAIN, "fp32", 9, 4), tagger, pieces, TRAINING, score=score)
    # Read at the start, around each of two scorings, and at the end.
    assert (done["seconds"], len(calls)) == (30, 2)


def test_the_best_epoch_counts(tagger, splits, monkeypatch):
    found = iter([0.2, 0.6, 0.4])
    monkeypatch.setattr(
        trainer_comparison, "dev_scorer", lambda *_: lambda _: {"f1": next(found)}
    )
    best = Best(tagger, splits.dev)
    with torch.no_grad():
        for epoch in range(3):
            tagger.model.head.bias.fill_(epoch)
            best.score()
    best.restore()
    assert best.f1 == [0.2, 0.6, 0.4]
    assert tagger.model.head.bias.eq(1).all()


def test_a_set_without_dev_ends_with_the_last_weights(config, splits):
    report = compare_trainers(
        replace(splits, dev=[]), config, TRAINING, rounds=1, steps=1
    )
    assert [row["dev_f1"] for row in report["rows"]] == [[], [], []]
    assert all(0 <= row["test"]["f1"] <= 1 for row in report["rows"])


def test_the_callers_random_numbers_stay(tagger, pieces):
    before = torch.get_rng_state()
    for way in (Way(OURS, "fp32", 9), Way(PLAIN, "fp32", 9, 4)):
        train_once(way, tagger, pieces, replace(TRAINING, epochs=1))
    assert torch.equal(torch.get_rng_state(), before)


# Batches


def test_batches_have_as_many_tokens_at_the_mean(pieces):
    lengths = [len(piece) for piece in pieces]
    plain, grouped = (
        examples_a_batch(lengths, 200.0, grouped=grouped) for grouped in (False, True)
    )
    mean = sum(lengths) / len(lengths)
    assert plain <= grouped <= 1 + 200 / mean
    assert examples_a_batch([30], 200.0, grouped=True) == 1
    assert examples_a_batch([30] * 9, 2.0, grouped=False) == 1


def test_three_ways(pieces):
    ours, plain, grouped = three_ways(pieces, replace(TRAINING, precision="bf16"))
    assert (ours.precision, plain.precision, grouped.precision) == (
        "bf16",
        "fp32",
        "bf16",
    )
    assert (ours.batch, plain.grouped, grouped.grouped) == (None, False, True)


def test_counting():
    batch = {"mask": torch.tensor([[1, 1, 0], [1, 1, 1]])}
    counted = Counted(lambda examples: batch, "mask")
    assert counted([]) is batch
    counted([])
    assert (counted.real, counted.padded) == (10, 12)


# The table


def table_of(report, capsys):
    show_trainers(report, Console(width=110))
    return capsys.readouterr().out


def test_the_table(report, capsys):
    out = table_of(report, capsys)
    rows = rows_by_name(report)
    assert "gazette" in out
    for name in (OURS, PLAIN, GROUPED):
        line = next(line for line in out.splitlines() if line.startswith(f"  {name} "))
        row = rows[name]
        assert f"{row['speed']['ours_is_faster']:.2f} x" in line
        assert f"{row['training']['seconds']:,.1f}" in line
        assert line.endswith(f"{row['test']['f1']:.3f}")
    assert rows[OURS]["speed"]["ours_is_faster"] == 1


def test_the_table_without_scores(report, capsys):
    rows = [
        {k: v for k, v in row.items() if k not in ("training", "dev_f1", "test")}
        for row in report["rows"]
    ]
    out = table_of({**report, "rows": rows}, capsys)
    assert "test F1" not in out
    assert "tokens/s" in out


# Messages


def test_what_cannot_be_compared(config, splits):
    def refused(config=config, **more):
        with pytest.raises(UserError) as error:
            compare_trainers(splits, config, TRAINING, **more)
        return str(error.value)

    assert refused(rounds=0) == "need rounds >= 1, got rounds=0"
    assert refused(steps=0) == "need steps >= 1, got steps=0"
    assert refused(NerConfig(attention="chunks")) == (
        "need a pretrained model, which Trainer can train too, got model='scratch': "
        "use minilm, a folder or an id of the Hub"
    )


def test_a_head_of_more_layers_is_refused(tagger):
    from transformers import ModernBertConfig

    sizes = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1}
    config = ModernBertConfig(
        vocab_size=40, num_attention_heads=2, pad_token_id=0, **sizes
    )
    tagger.model.encoder.model = AutoModel.from_config(config)
    with pytest.raises(UserError, match=r"one linear layer, got ModernBert\w+ with"):
        under_their_head(tagger)
