import copy
import io
import itertools
import json
import math
import warnings
from contextlib import redirect_stderr

import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from tiny_tagger import collate, loss, make_examples, make_model

from longctx_edu.errors import UserError
from longctx_edu.training import (
    History,
    TrainConfig,
    fit,
    learning_rate_at,
    load_weights,
    parameter_groups,
    plan_batches,
    read_config,
)

CONFIG = TrainConfig(epochs=3, learning_rate=0.02, batch_tokens=20, precision="fp32")


def weights(model):
    return {name: weight.clone() for name, weight in model.state_dict().items()}


def equal(a, b):
    return all(torch.equal(a[name], b[name]) for name in a)


def train_by_hand(model, examples, config):
    """The loop without Accelerate, folders and progress: what `fit` has to equal."""
    plan = plan_batches([len(example) for example in examples], config)
    total = sum(map(len, plan))
    warmup = round(config.warmup * total)
    optimizer = torch.optim.AdamW(parameter_groups(model, config), fused=True)
    peaks = [group["lr"] for group in optimizer.param_groups]
    losses = []
    model.train()
    torch.manual_seed(config.seed)
    for step, batch in enumerate(itertools.chain(*plan)):
        for group, peak in zip(optimizer.param_groups, peaks, strict=True):
            group["lr"] = peak * learning_rate_at(step, total, warmup, config.schedule)
        optimizer.zero_grad()
        mean = loss(model, collate([examples[i] for i in batch]))
        mean.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), config.max_norm)
        optimizer.step()
        losses.append(mean.item())
    return losses


@pytest.mark.parametrize("schedule", ["linear", "cosine", "constant"])
def test_equals_the_loop_by_hand(model, examples, task, schedule):
    config = TrainConfig(
        epochs=2,
        learning_rate=0.02,
        head_learning_rate=0.1,
        batch_tokens=20,
        max_norm=0.5,
        weight_decay=0.3,
        schedule=schedule,
        precision="fp32",
    )
    twin = copy.deepcopy(model)
    losses = train_by_hand(twin, examples, config)
    history = fit(model, examples, config=config, **task)
    assert [row["loss"] for row in history.steps] == losses
    assert equal(weights(model), weights(twin))


def test_learns(model, examples, task):
    config = TrainConfig(
        epochs=15, learning_rate=0.1, batch_tokens=40, precision="fp32"
    )
    history = fit(model, examples, config=config, **task)
    assert history.epochs[0]["training_loss"] > 0.9
    assert history.epochs[-1]["training_loss"] < 0.3


def test_same_seed_same_weights_and_the_callers_randomness_stays(task, examples):
    ends = []
    for noise in (1, 2):
        torch.manual_seed(noise)
        before = torch.get_rng_state()
        model = make_model()
        fit(model, examples, config=CONFIG, **task)
        assert torch.equal(torch.get_rng_state(), before)
        ends.append(weights(model))
    assert equal(*ends)
    model = make_model()
    other = TrainConfig(
        epochs=3, learning_rate=0.02, batch_tokens=20, precision="fp32", seed=1
    )
    fit(model, examples, config=other, **task)
    assert not equal(weights(model), ends[0])


def test_history_says_what_was_done(model, examples, task):
    history = fit(
        model, examples, config=CONFIG, evaluate=lambda m: {"f1": 0.5}, **task
    )
    plan = plan_batches([len(example) for example in examples], CONFIG)
    assert isinstance(history, History)
    assert [row["step"] for row in history.steps] == [
        *range(1, sum(map(len, plan)) + 1)
    ]
    assert [row["epoch"] for row in history.epochs] == [1, 2, 3]
    assert history.epochs[-1]["step"] == history.steps[-1]["step"]
    assert history.tokens == 3 * sum(map(len, examples))
    assert sum(row["tokens"] for row in history.steps) == history.tokens
    assert 0 < history.training_s <= history.seconds
    assert history.tokens_per_s == history.tokens / history.training_s
    assert (history.best_epoch, history.stopped_early) == (1, False)
    assert set(history.steps[0]) == {
        "step", "epoch", "loss", "learning_rate", "tokens", "elapsed_s",
    }  # fmt: skip
    elapsed = [row["elapsed_s"] for row in history.steps]
    assert elapsed == sorted(elapsed)


def test_metrics_are_json_lines(model, examples, task, tmp_path):
    history = fit(
        model,
        examples,
        config=CONFIG,
        evaluate=lambda m: {"f1": 0.5, "loss": 2.0},
        folder=tmp_path / "run",
        **task,
    )
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert [r for r in rows if r["kind"] == "step"] == [
        {"kind": "step", **row} for row in history.steps
    ]
    assert [r for r in rows if r["kind"] == "epoch"] == [
        {"kind": "epoch", **row} for row in history.epochs
    ]
    assert history.epochs[0]["f1"] == 0.5
    assert history.epochs[0]["loss"] == 2.0


@pytest.mark.parametrize("in_folder", [True, False])
def test_the_best_weights_come_back(model, examples, task, tmp_path, in_folder):
    scores, seen = iter([0.1, 0.7, 0.7, 0.3]), []

    def evaluate(model):
        assert not model.training
        assert not torch.is_grad_enabled()
        seen.append(weights(model))
        return {"f1": next(scores)}

    config = TrainConfig(
        epochs=4, learning_rate=0.02, batch_tokens=20, precision="fp32"
    )
    folder = tmp_path / "run" if in_folder else None
    history = fit(
        model, examples, config=config, evaluate=evaluate, folder=folder, **task
    )
    assert history.best_epoch == 2
    assert equal(weights(model), seen[1])
    assert not model.training
    if folder:
        again = make_model(seed=8)
        load_weights(again, folder)
        assert equal(weights(again), seen[1])
    else:
        assert list(tmp_path.iterdir()) == []


def test_stops_when_patience_runs_out(model, examples, task):
    scores = iter([0.1, 0.5, 0.4, 0.5, 0.9])
    config = TrainConfig(epochs=5, batch_tokens=20, patience=2, precision="fp32")
    history = fit(
        model, examples, config=config, evaluate=lambda m: {"f1": next(scores)}, **task
    )
    assert [row["f1"] for row in history.epochs] == [0.1, 0.5, 0.4, 0.5]
    assert (history.best_epoch, history.stopped_early) == (2, True)


def test_patience_that_runs_out_at_the_end_stops_nothing(model, examples, task):
    scores = iter([0.5, 0.4, 0.3])
    config = TrainConfig(epochs=3, batch_tokens=20, patience=2, precision="fp32")
    history = fit(
        model, examples, config=config, evaluate=lambda m: {"f1": next(scores)}, **task
    )
    assert (len(history.epochs), history.stopped_early) == (3, False)


def test_patience_counts_from_the_best(model, examples, task):
    scores = iter([0.1, 0.0, 0.2, 0.1, 0.3])
    config = TrainConfig(epochs=5, batch_tokens=20, patience=2, precision="fp32")
    history = fit(
        model, examples, config=config, evaluate=lambda m: {"f1": next(scores)}, **task
    )
    assert (history.best_epoch, history.stopped_early) == (5, False)


def test_a_score_that_is_no_number_is_never_the_best(model, examples, task):
    scores, last = iter([math.nan] * 3), []

    def evaluate(model):
        last.append(weights(model))
        return {"f1": next(scores)}

    history = fit(model, examples, config=CONFIG, evaluate=evaluate, **task)
    assert history.best_epoch is None
    assert equal(weights(model), last[-1])


def test_without_evaluation_the_last_weights_are_saved(model, examples, task, tmp_path):
    describe = {"d_model": 8}
    fit(model, examples, config=CONFIG, folder=tmp_path, describe=describe, **task)
    again = make_model(seed=8)
    load_weights(again, tmp_path)
    assert equal(weights(again), weights(model))
    assert read_config(tmp_path) == describe
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "config.json", "metrics.jsonl", "model.safetensors", "state.safetensors",
    ]  # fmt: skip


def test_both_precisions_in_one_process(examples, task):
    seen = {}
    model = make_model()
    for turn, precision in enumerate(["fp32", "bf16", "fp32", "bf16"]):
        kinds = []

        def watched(model, batch, kinds=kinds):
            hook = model.head.register_forward_hook(
                lambda module, args, out: kinds.append(out.dtype)
            )
            logits = model(batch["tokens"])
            hook.remove()
            assert logits.dtype == torch.float32
            return loss(model, batch)

        config = TrainConfig(epochs=1, batch_tokens=40, precision=precision)
        fit(model, examples, config=config, **(task | {"loss": watched}))
        expected = torch.bfloat16 if precision == "bf16" else torch.float32
        assert set(kinds) == {expected}, (turn, precision)
        seen[precision] = weights(model)
        assert all(p.dtype == torch.float32 for p in model.parameters())
        for name in ("forward", "_original_forward", "_is_accelerate_prepared"):
            assert name not in vars(model)
    assert not equal(seen["fp32"], seen["bf16"])


@pytest.mark.parametrize(("theirs", "ours"), [("bf16", "fp32"), ("no", "bf16")])
def test_another_accelerator_of_the_process_lives_on(
    model, examples, task, theirs, ours
):
    other = Accelerator(cpu=True, mixed_precision=theirs)
    try:
        config = TrainConfig(epochs=1, precision=ours)
        fit(model, examples, config=config, **task)
        assert other.mixed_precision == theirs
        assert Accelerator(cpu=True, mixed_precision=theirs).device == other.device
        assert model(torch.tensor([[1]])).dtype == torch.float32
    finally:
        AcceleratorState._reset_state(True)


def test_a_forward_of_the_callers_own_is_trained_and_kept(model, examples, task):
    calls, plain = [], model.forward

    def own(tokens):
        calls.append(1)
        return plain(tokens)

    model.forward = own
    config = TrainConfig(epochs=1, precision="bf16")
    history = fit(model, examples, config=config, **task)
    assert len(calls) == len(history.steps)
    assert model.forward is own


@pytest.mark.parametrize(("theirs", "ours"), [("bf16", "fp32"), ("no", "bf16")])
def test_a_model_that_another_accelerator_prepared(examples, task, theirs, ours):
    kinds = []
    model = make_model()
    Accelerator(cpu=True, mixed_precision=theirs).prepare(model)
    AcceleratorState._reset_state(True)
    model.head.register_forward_hook(lambda m, a, out: kinds.append(out.dtype))
    config = TrainConfig(epochs=1, precision=ours)
    fit(model, examples, config=config, **task)
    assert set(kinds) == {torch.bfloat16 if ours == "bf16" else torch.float32}
    assert vars(model)["_is_accelerate_prepared"]
    assert ("_original_forward" in vars(model)) == (theirs == "bf16")


def test_a_model_is_unwrapped_after_an_error_too(model, examples, task):
    def fail(model, batch):
        raise RuntimeError("its own")

    config = TrainConfig(precision="bf16")
    with pytest.raises(RuntimeError, match="its own"):
        fit(model, examples, config=config, **(task | {"loss": fail}))
    assert "forward" not in vars(model)
    assert "_is_accelerate_prepared" not in vars(model)


def test_on_step_sees_each_row(model, examples, task):
    rows = []
    history = fit(model, examples, config=CONFIG, on_step=rows.append, **task)
    assert rows == history.steps


def test_progress_shows_steps_loss_and_rate_or_nothing(model, examples, task):
    shown = {}
    for progress in (True, False):
        with redirect_stderr(io.StringIO()) as out:
            fit(model, examples, config=CONFIG, **(task | {"progress": progress}))
        shown[progress] = out.getvalue()
    assert shown[False] == ""
    for part in ("loss=", "tokens/s=", "epoch 3", "100%"):
        assert part in shown[True]


def test_no_warning_is_raised(model, examples, task, tmp_path):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit(model, examples, config=CONFIG, folder=tmp_path, **task)
    assert [str(warning.message) for warning in caught] == []


def test_one_example_of_one_token(model, task):
    history = fit(model, [[1]], config=TrainConfig(epochs=1, precision="fp32"), **task)
    assert [row["tokens"] for row in history.steps] == [1]


def test_auto_precision_is_decided_once(model, examples, task, tmp_path, monkeypatch):
    from longctx_edu.training import loop

    monkeypatch.setattr(loop, "faster_precision", lambda device: "bf16")
    fit(model, examples, config=TrainConfig(epochs=1), folder=tmp_path, **task)
    from longctx_edu.training.files import read_header

    header, _ = read_header(tmp_path / "state.safetensors")
    assert header["at"]["precision"] == "bf16"
    assert header["identity"]["config"]["precision"] == "auto"


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops(model, examples, task, bad):
    calls = []

    def spoilt(model, batch):
        calls.append(1)
        return loss(model, batch) * (bad if len(calls) == 4 else 1.0)

    with pytest.raises(ValueError) as error:
        fit(model, examples, config=CONFIG, **(task | {"loss": spoilt}))
    text = str(error.value)
    assert text.startswith(f"need a finite loss and gradient, got loss={bad} and a ")
    assert "at step 4: try a smaller learning_rate (here 2.0e-02)" in text
    assert text.endswith("a longer warmup, or precision='fp32'")
    assert all(weight.isfinite().all() for weight in model.parameters())


def test_a_gradient_that_is_no_number_stops(model, examples, task):
    def spoilt(model, batch):
        mean = loss(model, batch)
        return mean + torch.sqrt(mean - mean.detach())

    with pytest.raises(ValueError, match=r"gradient of norm (nan|inf) at step 1: try"):
        fit(model, examples, config=CONFIG, **(task | {"loss": spoilt}))


def test_messages(model, examples, task, tmp_path):
    with pytest.raises(ValueError, match=r"^need at least one example, got none$"):
        fit(model, [], config=CONFIG, **task)
    with pytest.raises(ValueError, match=r"^need evaluate for patience=2, got none$"):
        fit(model, examples, config=TrainConfig(patience=2), **task)
    with pytest.raises(ValueError) as error:
        fit(model, examples, config=CONFIG, evaluate=lambda m: {"a": 1, "b": 2}, **task)
    assert str(error.value) == (
        "need monitor among the scores, got monitor='f1' and scores a, b"
    )


def test_a_folder_in_use_is_not_overwritten_unasked(model, examples, task, tmp_path):
    config = TrainConfig(epochs=1, batch_tokens=40, precision="fp32")
    fit(model, examples, config=config, folder=tmp_path, **task)
    kept = (tmp_path / "model.safetensors").read_bytes()
    with pytest.raises(UserError) as error:
        fit(make_model(5), examples, config=config, folder=tmp_path, **task)
    assert str(error.value) == (
        f"{tmp_path} already holds a run: continue it with --resume, or choose "
        "another folder with --out"
    )
    (tmp_path / "state.safetensors").unlink()
    with pytest.raises(UserError) as error:
        fit(make_model(5), examples, config=config, folder=tmp_path, **task)
    assert str(error.value) == (
        f"{tmp_path} already holds a model: choose another folder with --out"
    )
    assert (tmp_path / "model.safetensors").read_bytes() == kept
    history = fit(
        make_model(5), examples, config=config, folder=tmp_path, overwrite=True, **task
    )
    assert (tmp_path / "model.safetensors").read_bytes() != kept
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert len(lines) == len(history.steps) + 1


def test_a_folder_that_cannot_be_written_ends_at_once(model, examples, task, tmp_path):
    (tmp_path / "file").write_text("")
    steps = []
    with pytest.raises(UserError, match=r"^cannot write .*/file/run/metrics\.jsonl: "):
        fit(
            model,
            examples,
            config=CONFIG,
            folder=tmp_path / "file" / "run",
            on_step=steps.append,
            **task,
        )
    assert steps == []


def test_a_disk_that_fills_up_leaves_the_last_state(
    model, examples, task, tmp_path, full_disk
):
    config = TrainConfig(
        epochs=3, batch_tokens=20, save_every_steps=2, precision="fp32"
    )
    size = []

    def fill(row):
        if row["step"] == 3:
            size.append((tmp_path / "state.safetensors").read_bytes())
            full_disk(2000)

    with pytest.raises(
        UserError, match=r"^cannot write .*/state\.safetensors: File too"
    ):
        fit(model, examples, config=config, folder=tmp_path, on_step=fill, **task)
    assert (tmp_path / "state.safetensors").read_bytes() == size[0]
    assert not list(tmp_path.glob(".*"))


def test_a_disk_full_for_metrics_is_named(model, examples, task, tmp_path, full_disk):
    def fill(row):
        full_disk(150)

    with pytest.raises(UserError, match=r"^cannot write .*/metrics\.jsonl: File too"):
        fit(model, examples, config=CONFIG, folder=tmp_path, on_step=fill, **task)


def test_examples_may_be_anything_with_a_length(model, task):
    class Text:
        def __init__(self, tokens):
            self.tokens = tokens

        def __len__(self):
            return len(self.tokens)

    texts = [Text(tokens) for tokens in make_examples(6)]
    unpack = lambda some: collate([text.tokens for text in some])
    history = fit(model, texts, config=CONFIG, **(task | {"collate": unpack}))
    assert history.tokens == 3 * sum(map(len, texts))
