"""Where a training run stands: it counts, logs, saves and finishes.

What a saved state holds and when it may be continued stands in `state.py`.
"""

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from torch import Tensor, nn

from longctx_edu.training.checkpoints import copy_weights, load_weights, save_weights
from longctx_edu.training.config import TrainConfig
from longctx_edu.training.engine import Engine
from longctx_edu.training.files import write_tensors
from longctx_edu.training.history import METRICS, History, MetricsLog
from longctx_edu.training.interrupts import Interrupted
from longctx_edu.training.state import STATE, Position


class Run:
    """Counts, logs and saves what the loop does; without a folder, in memory.

    Args:
        folder: Where everything is kept; None = nowhere.
        identity: What has to be the same when the run is resumed, as JSON holds it.
        config: When to save, when to stop.
        at: Where it stands.
        tensors: The saved state to continue from; None for a new run.
    """

    def __init__(
        self,
        folder: Path | None,
        identity: Mapping,
        config: TrainConfig,
        *,
        at: Position,
        tensors: Mapping[str, Tensor] | None = None,
    ):
        self.folder, self.identity, self.config = folder, identity, config
        self.at, self._tensors = at, tensors
        self.log = MetricsLog(folder / METRICS if folder else None)
        self.saved_step = None if tensors is None else at.step
        self.best_weights: dict[str, Tensor] = {}
        self._clock = self._last_save = time.perf_counter()

    def count_step(self, loss: float, learning_rate: float, tokens: int) -> dict:
        """Log a step that was taken.

        Args:
            loss: Its mean loss.
            learning_rate: Of this step.
            tokens: In its batch, padding not counted.
        """
        passed = self._tick()
        self.at.training_s += passed
        self.at.done += 1
        self.at.step += 1
        self.at.tokens += tokens
        row = {"step": self.at.step, "epoch": self.at.epoch + 1, "loss": loss}
        row |= {"learning_rate": learning_rate, "tokens": tokens}
        row |= {"elapsed_s": round(self.at.elapsed_s, 4)}
        self.log.add({"kind": "step", **row})
        return row

    def count_epoch(
        self, scores: Mapping[str, float], score: float | None, model: nn.Module
    ) -> None:
        """Log an epoch, keep the model if it is the best, see if patience ran out.

        Args:
            scores: What the evaluation gave; empty without one.
            score: The one that counts; higher is better. NaN is never the best.
            model: As it was scored.
        """
        self._tick()
        at, patience = self.at, self.config.patience
        at.epoch, at.done = at.epoch + 1, 0
        best = -math.inf if at.best_score is None else at.best_score
        if score is not None and score > best:
            at.best_epoch, at.best_score = at.epoch, score
            self._keep_best(model)
        if patience and at.epoch - (at.best_epoch or 0) >= patience:
            at.stopped_early = at.epoch < self.config.epochs
        steps = [row for row in self.log.of_kind("step") if row["epoch"] == at.epoch]
        mean = sum(row["loss"] for row in steps) / len(steps) if steps else None
        row = {"kind": "epoch", "epoch": at.epoch, "step": at.step}
        row |= {"training_loss": mean, "elapsed_s": round(at.elapsed_s, 4)}
        self.log.add(row | dict(scores))
        self._tick()  # keeping weights is no training

    def is_due(self) -> bool:
        """Tell whether the settings ask for a state now."""
        every = self.config.save_every_steps
        if every and self.at.step % every == 0:
            return True
        return time.perf_counter() - self._last_save >= self.config.save_every_s

    def restore(self, engine: Engine) -> None:
        """Bring the engine to where the run stands; a new run needs nothing.

        Args:
            engine: Built for the run's next step.
        """
        if self._tensors is not None:
            engine.restore(dict(self._tensors))
            self._tensors = None

    def save(self, engine: Engine | None) -> None:
        """Save the state in one file; without an engine, the counters alone.

        Args:
            engine: What the next step depends on; None after the last step.

        Raises:
            UserError: If it cannot be written; the state before it stays.
        """
        self._last_save = time.perf_counter()
        if self.folder is None or (engine and self.saved_step == self.at.step):
            return
        self.log.sync()
        tensors = engine.state() if engine else {}
        header = {"at": asdict(self.at), "identity": self.identity}
        write_tensors(self.folder / STATE, tensors, header)
        self.saved_step = self.at.step

    def finish(self, model: nn.Module) -> History:
        """Put the best weights into the model, and say what was done.

        Args:
            model: As the last step left it.
        """
        if not self.at.finished:
            self.at.finished = True
            if self.folder and self.at.best_epoch is None:
                save_weights(model, None, self.folder)
            self.save(None)
        if self.folder:
            load_weights(model, self.folder)
        elif self.best_weights:
            model.load_state_dict(self.best_weights)
        model.eval()
        return History(
            self.log.of_kind("step"),
            self.log.of_kind("epoch"),
            best_epoch=self.at.best_epoch,
            stopped_early=self.at.stopped_early,
            seconds=self.at.elapsed_s,
            training_s=self.at.training_s,
            tokens=self.at.tokens,
        )

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Turn Ctrl-C into `Interrupted`, with the state that was saved last."""
        self._clock = self._last_save = time.perf_counter()
        try:
            yield
        except KeyboardInterrupt:
            folder = self.folder if self.saved_step is not None else None
            raise Interrupted(folder, self.saved_step or 0) from None

    def _keep_best(self, model: nn.Module) -> None:
        if self.folder:
            save_weights(model, None, self.folder)
        else:
            self.best_weights = copy_weights(model)

    def _tick(self) -> float:
        now = time.perf_counter()
        passed, self._clock = now - self._clock, now
        self.at.elapsed_s += passed
        return passed
