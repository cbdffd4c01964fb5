"""The settings of a training run, each checked where it is set."""

from dataclasses import dataclass
from typing import Literal

OPTIONAL = ("patience", "save_every_steps", "head_learning_rate", "layer_decay")
"""The settings that may be None."""


@dataclass(frozen=True)
class TrainConfig:
    """Say how a model is trained.

    Args:
        epochs: Passes over the examples.
        learning_rate: The peak, reached after warm-up.
        batch_tokens: Most tokens in a batch, padding counted.
        warmup: Share of all steps in which the learning rate rises.
        schedule: How the learning rate falls after warm-up.
        weight_decay: Decoupled decay of matrices; biases and norms have none.
        max_norm: Longest gradient of a step; a longer one is scaled down to it.
        patience: Epochs without a better score before training stops; None = never.
        precision: Of the matrix products; "auto" takes what this machine does faster.
        seed: Decides batches and dropout.
        save_every_s: Seconds between two saved states.
        save_every_steps: Steps between two saved states, in addition; None = never.
        head_learning_rate: Peak for parameters named "head..."; None = the same.
        layer_decay: Learning rate of a layer, as a share of that of the layer above
            it; the head has all, embeddings least. None = the same for all.

    Raises:
        ValueError: If a value is outside its range.

    Example:
        >>> TrainConfig(epochs=2, learning_rate=1e-3).schedule
        'linear'

    Source: Devlin et al. 2019, appendix A.2 and A.3. Built in lesson 09.
    """

    epochs: int = 3
    learning_rate: float = 2e-4
    batch_tokens: int = 1024
    warmup: float = 0.1
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    weight_decay: float = 0.01
    max_norm: float = 1.0
    patience: int | None = None
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    seed: int = 0
    save_every_s: float = 30.0
    save_every_steps: int | None = None
    head_learning_rate: float | None = None
    layer_decay: float | None = None

    def __post_init__(self):
        for name in ("epochs", "batch_tokens", "patience", "save_every_steps"):
            self._need(name, ">= 1", lambda value: value >= 1)
        rates = ("learning_rate", "head_learning_rate", "max_norm", "save_every_s")
        for name in rates:
            self._need(name, "> 0", lambda value: value > 0)
        for name in ("weight_decay", "seed"):
            self._need(name, ">= 0", lambda value: value >= 0)
        self._need("warmup", "in [0, 1)", lambda value: 0 <= value < 1)
        self._need("layer_decay", "in (0, 1]", lambda value: 0 < value <= 1)
        schedules, precisions = (
            ("linear", "cosine", "constant"),
            ("auto", "fp32", "bf16"),
        )
        self._need("schedule", f"in {schedules}", lambda value: value in schedules)
        self._need("precision", f"in {precisions}", lambda value: value in precisions)

    def _need(self, name: str, rule: str, holds) -> None:
        value = getattr(self, name)
        if value is None and name in OPTIONAL:
            return
        if value is None or not holds(value):
            raise ValueError(f"need {name} {rule}, got {name}={value!r}")
