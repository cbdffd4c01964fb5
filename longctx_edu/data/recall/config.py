"""What all recall tasks share: dials, token ids, and chance."""

import hashlib
from dataclasses import dataclass
from typing import ClassVar

import torch

ASK, MARK = 0, 1
"""The ids of the two markers: a question follows; evidence follows."""


@dataclass(frozen=True, kw_only=True)
class RecallConfig:
    """The dials that every recall task has.

    Token ids stand in this order, and no two kinds share one: the markers `ASK` and
    `MARK`, keys, values, noise. All draws are alike for each candidate; values are
    drawn one by one, so that whoever cannot see the evidence is right once in
    `n_values`, whatever else they see.

    Args:
        n_tokens: Length of a text, in tokens.
        distances: Distances to ask for, in tokens, each as often as the others: a
            tuple of the very distances, `(16, 64)`, or a range, `range(16, 65)`.
        n_values: Different values that an answer can have.
        n_noise: Different tokens that say nothing.
        seed: Where chance comes from; take another for a test set.

    Raises:
        ValueError: If a dial is too small, or the text too short for its evidence.
    """

    n_tokens: int = 256
    distances: tuple[int, ...] | range = (16, 64)
    n_values: int = 16
    n_noise: int = 16
    seed: int = 0
    n_keys: ClassVar[int] = 0  # a task with keys makes it a dial
    COUNTS: ClassVar[dict[str, int]] = {"n_values": 2, "n_noise": 1}

    def __post_init__(self) -> None:
        for name, least in self.COUNTS.items():
            if getattr(self, name) < least:
                raise ValueError(
                    f"need {name} >= {least}, got {name}={getattr(self, name)}"
                )
        if not self.distances or len(set(self.distances)) < len(self.distances):
            raise ValueError(
                f"need at least one distance and none twice, got {self.distances}"
            )
        if min(self.distances) < self.shortest:
            raise ValueError(
                f"need distances >= {self.shortest}, got {min(self.distances)}"
            )
        if self.n_tokens < self.needed:
            raise ValueError(
                f"need n_tokens >= {self.needed} to place all, with distances up to "
                f"{max(self.distances)}, got n_tokens={self.n_tokens}"
            )

    @property
    def shortest(self) -> int:
        """The shortest distance that can be asked for, in tokens."""
        raise NotImplementedError

    @property
    def needed(self) -> int:
        """The shortest text in which all can be placed, in tokens."""
        raise NotImplementedError

    @property
    def keys(self) -> range:
        """The ids of the keys."""
        return range(MARK + 1, MARK + 1 + self.n_keys)

    @property
    def values(self) -> range:
        """The ids of the values."""
        return range(self.keys.stop, self.keys.stop + self.n_values)

    @property
    def noise(self) -> range:
        """The ids of the tokens that say nothing."""
        return range(self.values.stop, self.values.stop + self.n_noise)

    @property
    def vocab_size(self) -> int:
        """All ids of the task: what a model of it must know."""
        return self.noise.stop

    @property
    def chance(self) -> float:
        """How often a guess among the values is right."""
        return 1 / self.n_values


def generator_of(config: RecallConfig, index: int) -> torch.Generator:
    """Return the sample's own source of chance.

    On a CPU, torch takes the lowest 32 bits of a seed and drops the rest, so seed and
    index are mixed into these.

    Args:
        config: Holds the seed.
        index: The sample's number, from 0.

    Raises:
        ValueError: If index is negative.
    """
    if index < 0:
        raise ValueError(f"need index >= 0, got index={index}")
    mixed = hashlib.blake2b(f"{config.seed} {index}".encode(), digest_size=4).digest()
    return torch.Generator().manual_seed(int.from_bytes(mixed, "big"))
