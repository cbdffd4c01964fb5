"""The moving parts of training, on Accelerate: built, stepped, saved, taken apart."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from accelerate import Accelerator
from accelerate.optimizer import AcceleratedOptimizer
from accelerate.scheduler import AcceleratedScheduler
from accelerate.state import AcceleratorState, GradientState, PartialState
from accelerate.utils import send_to_device
from torch import Tensor, nn

from longctx_edu.training.checkpoints import copy_weights
from longctx_edu.training.config import TrainConfig
from longctx_edu.training.optimizer import build_optimizer
from longctx_edu.training.randomness import random_state, set_random_state
from longctx_edu.training.state import Position

SINGLETONS = (AcceleratorState, PartialState, GradientState)
WRAPPING = ("forward", "_original_forward", "_is_accelerate_prepared")


@dataclass
class Engine:
    """A model with what moves it.

    Args:
        model: Prepared by Accelerate: under bf16 its forward runs in autocast.
        accelerator: Does the backward pass and the clipping.
        optimizer: AdamW.
        schedule: Sets the optimizer's learning rates.
        max_norm: Longest gradient of a step.
        steps: Steps taken.
    """

    model: nn.Module
    accelerator: Accelerator
    optimizer: AcceleratedOptimizer
    schedule: AcceleratedScheduler
    max_norm: float
    steps: int

    def step(self, loss: Callable, batch: dict) -> tuple[float, float]:
        """Move the weights once against the gradient of the loss.

        Args:
            loss: Called with model and batch, gives the mean loss.
            batch: What `collate` made; is moved to the model's device.

        Returns:
            The loss, and the learning rate of the step.

        Raises:
            ValueError: If loss or gradient is not finite; the weights stay.
        """
        self.optimizer.zero_grad()
        device = next(self.model.parameters()).device
        mean = loss(self.model, send_to_device(batch, device))
        self.accelerator.backward(mean)
        norm = self.accelerator.clip_grad_norm_(self.model.parameters(), self.max_norm)
        rate = self.schedule.get_last_lr()[0]
        if not (torch.isfinite(mean) and torch.isfinite(norm)):
            raise ValueError(
                f"need a finite loss and gradient, got loss={mean.item()} and a "
                f"gradient of norm {norm.item()} at step {self.steps + 1}: try a "
                f"smaller learning_rate (here {rate:.1e}), a longer warmup, or "
                "precision='fp32'"
            )
        self.optimizer.step()
        self.schedule.step()
        self.steps += 1
        return mean.item(), rate

    def state(self) -> dict[str, Tensor]:
        """Copy all that the next step depends on to the CPU."""
        tensors = {f"weights/{k}": v for k, v in copy_weights(self.model).items()}
        moments = self.optimizer.optimizer.state
        for name, parameter in self.model.named_parameters():
            for slot, value in moments.get(parameter, {}).items():
                copied = value.to("cpu", copy=True).contiguous()
                tensors[f"optimizer/{name}/{slot}"] = copied
        return tensors | random_state()

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Take over a state; the schedule was built for its step already.

        Args:
            tensors: What `state` gave.
        """
        parts: dict[str, dict[str, Tensor]] = {"weights": {}, "optimizer": {}}
        for key, value in tensors.items():
            kind, _, name = key.partition("/")
            parts.setdefault(kind, {})[name] = value
        self.model.load_state_dict(parts["weights"])
        parameters = dict(self.model.named_parameters())
        moments = self.optimizer.optimizer.state
        for key, value in parts["optimizer"].items():
            name, _, slot = key.rpartition("/")
            own = parameters[name]
            device = "cpu" if slot == "step" else own.device  # AdamW counts on the CPU
            moments[own][slot] = value.to(device, copy=True)
        set_random_state(tensors)


@contextmanager
def engine(
    model: nn.Module, config: TrainConfig, at: Position, *, total: int
) -> Iterator[Engine]:
    """Prepare a model for training where it is; hand it back unwrapped, in any case.

    Accelerate marks a model as prepared for good, and would then pass over another
    precision: the mark is taken away.

    Args:
        model: On the device where it is to be trained.
        config: Learning rates, decay, warm-up, schedule, clipping.
        at: Where the run stands: its precision, its steps.
        total: Steps of the whole run.

    Source: Accelerate's quick tour; Micikevicius et al. 2018, section 3.
    """
    optimizer, schedule = build_optimizer(model, config, total=total, step=at.step)
    before = {name: vars(model)[name] for name in WRAPPING if name in vars(model)}
    vars(model).pop("_is_accelerate_prepared", None)
    if "_original_forward" in before:
        model.forward = before["_original_forward"]
    try:
        with _own_accelerate():
            accelerator = Accelerator(
                cpu=next(model.parameters()).device.type == "cpu",
                device_placement=False,
                mixed_precision="bf16" if at.precision == "bf16" else "no",
            )
            parts = accelerator.prepare(model, optimizer, schedule)
            prepared, optimizer, schedule = parts
            norm = config.max_norm
            yield Engine(prepared, accelerator, optimizer, schedule, norm, at.step)
    finally:
        for name in WRAPPING:
            vars(model).pop(name, None)
        vars(model).update(before)
        model.eval()


@contextmanager
def _own_accelerate() -> Iterator[None]:
    """Give the block a fresh Accelerate, and the process its own again afterwards.

    Accelerate keeps one state per process, with one precision that cannot change.
    """
    shared = [kind._shared_state for kind in SINGLETONS]
    before = [dict(state) for state in shared]
    for state in shared:
        state.clear()
    try:
        yield
    finally:
        for state, old in zip(shared, before, strict=True):
            state.clear()
            state.update(old)
