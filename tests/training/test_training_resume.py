import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tiny_tagger import make_examples, make_model

from longctx_edu.errors import UserError
from longctx_edu.training import Interrupted, TrainConfig, fit, history, loop
from longctx_edu.training.files import read_header
from longctx_edu.training.interrupts import held_interrupts

WORKER = Path(__file__).with_name("train_worker.py")
CONFIG = TrainConfig(
    epochs=3, learning_rate=0.02, batch_tokens=20, save_every_steps=3, precision="fp32"
)


def evaluate(model):
    return {"f1": float(model.head.weight.detach().sum()) + torch.rand(()).item()}


def rows(folder):
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def without_time(some):
    return [{k: v for k, v in row.items() if k != "elapsed_s"} for row in some]


def same_run(folder, other):
    ours, theirs = (load_file(f / "model.safetensors") for f in (folder, other))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert without_time(rows(folder)) == without_time(rows(other))


@pytest.fixture
def left_alone(task, examples, tmp_path):
    folder = tmp_path / "alone"
    history = fit(
        make_model(), examples, config=CONFIG, evaluate=evaluate, folder=folder, **task
    )
    return folder, history


def start_worker(folder, hang_at=0, resume=False):
    mode = "resume" if resume else "start"
    command = [sys.executable, str(WORKER), str(folder), str(hang_at), mode]
    quiet = {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env=os.environ | quiet
    )


def end(worker):
    error = worker.communicate()[1]
    assert worker.returncode == 0, error


def test_kill_in_the_middle_of_an_epoch_then_resume(tmp_path):
    alone = start_worker(tmp_path / "alone")
    killed = start_worker(tmp_path / "killed", hang_at=15)
    metrics = tmp_path / "killed" / "metrics.jsonl"
    while not metrics.exists() or '"step": 15,' not in metrics.read_text():
        assert killed.poll() is None, killed.communicate()[1]
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    header, _ = read_header(tmp_path / "killed" / "state.safetensors")
    assert header["at"]["epoch"] == 1  # one epoch is scored
    assert header["at"]["done"] > 0  # and steps of the next one are taken
    assert header["at"]["step"] < 15  # not all of them are in the state
    end(start_worker(tmp_path / "killed", resume=True))
    end(alone)
    same_run(tmp_path / "killed", tmp_path / "alone")
    steps = [row["step"] for row in rows(tmp_path / "killed") if row["kind"] == "step"]
    assert steps == list(range(1, len(steps) + 1))


@pytest.mark.parametrize("at", [1, 5, 8, 9, 10, 17])
def test_ctrl_c_saves_the_step_and_resume_ends_the_same(
    left_alone, task, examples, tmp_path, at
):
    alone, history = left_alone
    folder = tmp_path / "stopped"

    def press(row):
        if row["step"] == at:
            signal.raise_signal(signal.SIGINT)

    settings = {"config": CONFIG, "evaluate": evaluate, "folder": folder, **task}
    with pytest.raises(Interrupted) as stop:
        fit(make_model(), examples, on_step=press, **settings)
    assert (stop.value.folder, stop.value.step) == (folder, at)
    assert isinstance(stop.value, KeyboardInterrupt)
    assert str(stop.value) == (
        f"stopped by Ctrl-C; the state after step {at} is in {folder}, "
        "resume=True continues it"
    )
    resumed = fit(make_model(seed=7), examples, resume=True, **settings)
    same_run(folder, alone)
    assert without_time(resumed.steps) == without_time(history.steps)
    assert without_time(resumed.epochs) == without_time(history.epochs)
    assert (resumed.best_epoch, resumed.tokens) == (history.best_epoch, history.tokens)


def test_ctrl_c_while_evaluating(left_alone, task, examples, tmp_path):
    calls = []

    def pressed(model):
        calls.append(1)
        torch.rand(5)  # what a torn evaluation drew does not count
        if len(calls) == 2:
            signal.raise_signal(signal.SIGINT)
        return evaluate(model)

    folder = tmp_path / "stopped"
    first = make_model()
    with pytest.raises(Interrupted) as stop:
        fit(first, examples, config=CONFIG, evaluate=pressed, folder=folder, **task)
    taken = [row["step"] for row in rows(folder) if row["epoch"] <= 2]
    assert stop.value.step == taken[-1]
    assert "forward" not in vars(first)
    assert len([row for row in rows(folder) if row["kind"] == "epoch"]) == 1


def test_every_step_can_be_the_last(left_alone, task, examples, tmp_path):
    """Resume at each step in turn, again and again: still the same run."""
    alone, history = left_alone
    folder, resume = tmp_path / "stopped", False
    for step in range(1, len(history.steps) + 1):

        def press(row, step=step):
            if row["step"] == step:
                signal.raise_signal(signal.SIGINT)

        settings = {"config": CONFIG, "evaluate": evaluate, "folder": folder, **task}
        with pytest.raises(Interrupted):
            fit(make_model(), examples, resume=resume, on_step=press, **settings)
        resume = True
    fit(make_model(), examples, resume=True, **settings)
    same_run(folder, alone)


def test_a_crash_at_any_step_costs_nothing_but_time(
    left_alone, task, examples, tmp_path
):
    """Nothing is saved at the crash: the rows behind the last state are cut."""
    alone, history = left_alone
    for step in range(4, len(history.steps) + 1):
        folder = tmp_path / f"crashed at {step}"

        def crash(row, step=step):
            if row["step"] == step:
                raise RuntimeError("its own")

        settings = {"config": CONFIG, "evaluate": evaluate, "folder": folder, **task}
        with pytest.raises(RuntimeError, match="its own"):
            fit(make_model(), examples, on_step=crash, **settings)
        fit(make_model(), examples, resume=True, **settings)
        same_run(folder, alone)


def test_ctrl_c_without_a_folder(model, examples, task):
    press = lambda row: signal.raise_signal(signal.SIGINT)
    with pytest.raises(Interrupted) as stop:
        fit(model, examples, config=CONFIG, on_step=press, **task)
    assert (stop.value.folder, stop.value.step) == (None, 0)
    assert str(stop.value) == "stopped by Ctrl-C; nothing was saved"


def test_a_second_ctrl_c_strikes_at_once():
    reached = []
    with pytest.raises(KeyboardInterrupt), held_interrupts() as asked:
        signal.raise_signal(signal.SIGINT)
        reached.append(asked.is_set())
        signal.raise_signal(signal.SIGINT)
        reached.append("after the second")
    assert reached == [True]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_is_delivered_at_the_end_of_the_block():
    with pytest.raises(KeyboardInterrupt), held_interrupts():
        signal.raise_signal(signal.SIGINT)


def test_ignored_ctrl_c_and_other_threads_are_left_alone(model, examples, task):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with held_interrupts() as asked:
        signal.raise_signal(signal.SIGINT)
    assert not asked.is_set()
    ended = []
    train = lambda: ended.append(fit(model, examples, config=CONFIG, **task))
    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert len(ended[0].epochs) == 3


def test_bf16_and_early_stopping_survive_too(task, examples, tmp_path, monkeypatch):
    """The precision that "auto" chose at the start is kept by the resumed run."""
    config = TrainConfig(epochs=9, learning_rate=0.02, batch_tokens=20, patience=2)
    score = lambda model: {"f1": -abs(model.head.bias[0].item())}
    settings = {"config": config, "evaluate": score, **task}
    monkeypatch.setattr(loop, "faster_precision", lambda device: "bf16")
    alone = fit(make_model(), examples, folder=tmp_path / "alone", **settings)
    assert alone.stopped_early
    last = alone.steps[-1]["step"]

    def press(row):
        if row["step"] == last - 2:
            signal.raise_signal(signal.SIGINT)

    folder = tmp_path / "stopped"
    with pytest.raises(Interrupted):
        fit(make_model(), examples, folder=folder, on_step=press, **settings)
    monkeypatch.setattr(loop, "faster_precision", lambda device: "fp32")
    resumed = fit(make_model(), examples, folder=folder, resume=True, **settings)
    assert resumed.stopped_early
    assert resumed.best_epoch == alone.best_epoch
    same_run(folder, tmp_path / "alone")


def test_a_finished_run_is_handed_back_at_once(left_alone, task, examples):
    folder, history = left_alone
    model, steps = make_model(seed=7), []
    before = {path: path.read_bytes() for path in folder.iterdir()}
    again = fit(
        model,
        examples,
        config=CONFIG,
        evaluate=lambda m: pytest.fail("nothing is left to evaluate"),
        folder=folder,
        resume=True,
        on_step=steps.append,
        **task,
    )
    assert again == history
    assert steps == []
    best = load_file(folder / "model.safetensors")
    assert all(torch.equal(model.state_dict()[name], best[name]) for name in best)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_state_is_one_file_without_a_pickle(task, examples, tmp_path):
    press = lambda row: signal.raise_signal(signal.SIGINT)
    with pytest.raises(Interrupted):
        fit(
            make_model(),
            examples,
            config=CONFIG,
            folder=tmp_path,
            on_step=press,
            **task,
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "metrics.jsonl",
        "state.safetensors",
    ]
    header, shapes = read_header(tmp_path / "state.safetensors")
    assert header["at"]["step"] == 1
    kinds = {name.split("/")[0] for name in shapes}
    assert kinds == {"weights", "optimizer", "random"}
    assert shapes["optimizer/head.weight/exp_avg"] == (3, 8)


def test_saved_by_the_clock_too(task, examples, tmp_path):
    config = TrainConfig(epochs=1, batch_tokens=10, save_every_s=1e-6, precision="fp32")
    seen = []

    def look(row):
        path = tmp_path / "state.safetensors"
        seen.append(read_header(path)[0]["at"]["step"] if path.exists() else 0)

    fit(make_model(), examples, config=config, folder=tmp_path, on_step=look, **task)
    assert seen == list(range(len(seen)))


def test_no_state_is_written_twice(task, examples, tmp_path, monkeypatch):
    from longctx_edu.training import run

    seen, write = [], run.write_tensors

    def note(path, tensors, header):
        seen.append((header["at"]["step"], header["at"]["finished"]))
        write(path, tensors, header)

    monkeypatch.setattr(run, "write_tensors", note)
    config = TrainConfig(
        epochs=2, batch_tokens=20, save_every_steps=1, precision="fp32"
    )
    history = fit(make_model(), examples, config=config, folder=tmp_path, **task)
    steps = [row["step"] for row in history.steps]
    assert seen == [(step, False) for step in steps] + [(steps[-1], True)]


@pytest.fixture
def stopped(task, examples, tmp_path):
    press = lambda row: signal.raise_signal(signal.SIGINT)
    settings = {"config": CONFIG, "folder": tmp_path, "describe": {"left": 4}, **task}
    with pytest.raises(Interrupted):
        fit(make_model(), examples, on_step=press, **settings)
    return settings | {"resume": True}


def test_how_often_it_saves_may_change(stopped, examples):
    config = TrainConfig(
        epochs=3,
        learning_rate=0.02,
        batch_tokens=20,
        save_every_s=5.0,
        precision="fp32",
    )
    assert (
        len(fit(make_model(), examples, **(stopped | {"config": config})).epochs) == 3
    )


def test_other_settings_are_named(stopped, examples, tmp_path):
    config = TrainConfig(
        epochs=3, learning_rate=0.5, batch_tokens=20, seed=4, precision="fp32"
    )
    with pytest.raises(UserError) as error:
        fit(make_model(), examples, **(stopped | {"config": config}))
    assert str(error.value) == (
        f"cannot resume {tmp_path} with other settings or data: got config "
        "learning_rate 0.5, not 0.02; config seed 4, not 0; give what the run began "
        "with, or start another folder"
    )


def test_other_data_and_another_description_are_named(stopped, examples):
    with pytest.raises(UserError, match=r"got data examples 23, not 24; data tokens "):
        fit(make_model(), examples[1:], **stopped)
    with pytest.raises(
        UserError, match=r"got data digest of lengths '\w+', not '\w+';"
    ):
        fit(make_model(), examples[1:] + examples[:1], **stopped)
    with pytest.raises(UserError, match=r"got model left 9, not 4; give what"):
        fit(make_model(), examples, **(stopped | {"describe": {"left": 9}}))
    with pytest.raises(UserError, match=r"got config monitor 'a', not 'f1'; give what"):
        fit(make_model(), examples, monitor="a", **stopped)


def test_another_architecture_is_named(stopped, examples):
    with pytest.raises(
        UserError, match=r"state\.safetensors holds another architecture"
    ):
        fit(make_model(d_model=6), examples, **stopped)


def test_nothing_to_resume(model, examples, task, tmp_path):
    settings = {"config": CONFIG, "resume": True, **task}
    for folder in (tmp_path, tmp_path / "gone"):
        with pytest.raises(UserError) as error:
            fit(model, examples, folder=folder, **settings)
        assert str(error.value) == (
            f"nothing to resume in {folder}: no state.safetensors; start it without "
            "--resume"
        )
    with pytest.raises(
        UserError, match=r"^need a folder to resume from, got folder=None$"
    ):
        fit(model, examples, **settings)


def test_half_a_line_of_metrics_is_cut(stopped, examples, tmp_path):
    with open(tmp_path / "metrics.jsonl", "a") as file:
        file.write('{"kind": "step", "st')
    history = fit(make_model(), examples, **stopped)
    assert [row["step"] for row in rows(tmp_path) if row["kind"] == "step"] == [
        row["step"] for row in history.steps
    ]
    assert history.steps[0]["step"] == 1


def test_lost_metrics_do_not_hinder_the_training(stopped, examples, tmp_path):
    (tmp_path / "metrics.jsonl").unlink()
    history = fit(make_model(), examples, **stopped)
    assert history.steps[0]["step"] == 2
    assert history.tokens == 3 * sum(map(len, examples))


def test_metrics_that_do_not_reach_the_disk_are_named(
    task, examples, tmp_path, monkeypatch
):
    def fail(descriptor):
        raise OSError(28, "No space left on device")

    break_disk = lambda row: monkeypatch.setattr(history.os, "fsync", fail)
    with pytest.raises(UserError, match=r"^cannot write .*/metrics\.jsonl: No space"):
        fit(
            make_model(),
            examples,
            config=CONFIG,
            folder=tmp_path,
            on_step=break_disk,
            **task,
        )


def test_a_broken_state_is_refused(stopped, examples, tmp_path):
    path = tmp_path / "state.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(
        UserError, match=r"^cannot read .*: it is truncated or no safete"
    ):
        fit(make_model(), examples, **stopped)
    from longctx_edu.training.files import write_tensors

    write_tensors(path, {"a": torch.zeros(2)})
    with pytest.raises(
        UserError, match=r"is no state of a training run; choose another"
    ):
        fit(make_model(), examples, **stopped)


def test_examples_are_the_same_in_every_process():
    assert make_examples()[0] == make_examples()[0]
