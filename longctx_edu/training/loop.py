"""The training loop, all of it visible. It knows nothing of what the model is for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from tqdm.auto import tqdm

from longctx_edu.training.batches import plan_batches
from longctx_edu.training.checkpoints import save_config
from longctx_edu.training.config import TrainConfig
from longctx_edu.training.engine import Engine, engine
from longctx_edu.training.history import History
from longctx_edu.training.interrupts import held_interrupts
from longctx_edu.training.precision import faster_precision
from longctx_edu.training.randomness import own_randomness
from longctx_edu.training.run import Run
from longctx_edu.training.state import Position, identity, need_no_state, read_state


@dataclass(frozen=True)
class _Task:
    """What is to be learnt: the caller's arguments of `fit` that give it a meaning."""

    examples: Sequence
    collate: Callable
    loss: Callable
    evaluate: Callable | None
    monitor: str
    on_step: Callable | None


def fit(
    model: nn.Module,
    examples: Sequence,
    *,
    collate: Callable,
    loss: Callable,
    config: TrainConfig,
    evaluate: Callable | None = None,
    monitor: str = "f1",
    folder: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    on_step: Callable | None = None,
    progress: bool = True,
    describe: dict | None = None,
) -> History:
    """Train a model on the device it is on, and leave its best weights in it.

    A run that is killed and resumed ends with the weights of one left alone, if
    all its randomness is torch's and its device computes the same twice.

    Args:
        model: Comes back in evaluation mode.
        examples: What to learn from; `len(example)` is its number of tokens.
        collate: Makes a batch, a dict of tensors, from a list of examples.
        loss: Called with model and batch, gives the mean loss as a scalar.
        config: Everything that can be set.
        evaluate: Called with the model after each epoch, gives scores by name.
        monitor: The score that picks the best epoch; higher is better.
        folder: Keeps weights, state and metrics; None = nothing is written.
        resume: Continue the run in the folder.
        overwrite: Begin anew in a folder that holds a run.
        on_step: Called with the row of each step.
        progress: Show a bar.
        describe: What `config.json` says, for building the model again.

    Raises:
        ValueError: If there is nothing to learn from, or the loss is not finite.
        UserError: If the folder does not fit what is asked for.
        Interrupted: At Ctrl-C, after the state was saved.
    """
    if config.patience and evaluate is None:
        raise ValueError(f"need evaluate for patience={config.patience}, got none")
    task = _Task(examples, collate, loss, evaluate, monitor, on_step)
    lengths = [len(example) for example in examples]
    plan = plan_batches(lengths, config)
    about = identity(config, lengths, monitor=monitor, describe=describe)
    place = Path(folder) if folder is not None else None
    if resume:
        run = _resume_run(model, config, place, about)
    else:
        run = _start_run(model, config, place, about, overwrite=overwrite)
    with run.interruptible():
        if not run.at.finished:
            _train(task, run, model, plan, progress=progress)
        return run.finish(model)


def _train(
    task: _Task,
    run: Run,
    model: nn.Module,
    plan: list[list[list[int]]],
    *,
    progress: bool,
) -> None:
    """Go through the epochs that are left, from where the run stands."""
    total = sum(len(batches) for batches in plan)
    with (
        own_randomness(model, run.config.seed),
        engine(model, run.config, run.at, total=total) as moving,
        tqdm(total=total, initial=run.at.step, disable=not progress) as bar,
    ):
        run.restore(moving)
        for batches in plan[run.at.epoch :]:
            _train_epoch(task, run, moving, batches[run.at.done :], bar)
            _score_epoch(task, run, model, bar)
            if run.at.stopped_early:
                break


def _train_epoch(
    task: _Task, run: Run, moving: Engine, batches: list[list[int]], bar: tqdm
) -> None:
    """Take the steps that are left of an epoch, and save the state behind them."""
    bar.set_description(f"epoch {run.at.epoch + 1}", refresh=False)
    moving.model.train()
    with held_interrupts() as asked:
        for batch in batches:
            examples = [task.examples[index] for index in batch]
            loss, rate = moving.step(task.loss, task.collate(examples))
            row = run.count_step(loss, rate, tokens=sum(map(len, examples)))
            bar.set_postfix(
                {"loss": f"{loss:.3f}", "tokens/s": f"{run.at.tokens_per_s:.0f}"},
                refresh=False,
            )
            bar.update()
            if task.on_step:
                task.on_step(row)
            if asked.is_set():
                break
            if run.is_due():
                run.save(moving)
        run.save(moving)


def _score_epoch(task: _Task, run: Run, model: nn.Module, bar: tqdm) -> None:
    """Score the model, keep it if it is the best, and see whether patience ran out."""
    scores: dict[str, float] = {}
    if task.evaluate:
        bar.set_postfix_str("evaluating")
        model.eval()
        with torch.no_grad():
            scores = {name: float(x) for name, x in task.evaluate(model).items()}
        if task.monitor not in scores:
            raise ValueError(
                f"need monitor among the scores, got monitor={task.monitor!r} "
                f"and scores {', '.join(scores) or 'none'}"
            )
    run.count_epoch(scores, scores.get(task.monitor), model)


def _start_run(
    model: nn.Module,
    config: TrainConfig,
    folder: Path | None,
    about: dict,
    *,
    overwrite: bool,
) -> Run:
    """Begin a run in a folder that holds none, and write what is known already."""
    need_no_state(folder, overwrite=overwrite)
    precision = config.precision
    if precision == "auto":
        precision = faster_precision(next(model.parameters()).device)
    run = Run(folder, about, config, at=Position(precision=precision))
    run.log.start()
    if folder and about["model"]:
        save_config(about["model"], folder)
    return run


def _resume_run(
    model: nn.Module, config: TrainConfig, folder: Path | None, about: dict
) -> Run:
    """Open a run where its saved state stands."""
    at, tensors = read_state(folder, about, model)
    run = Run(folder, about, config, at=at, tensors=tensors)
    run.log.cut(step=at.step, epoch=at.epoch)
    return run
