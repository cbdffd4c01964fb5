"""Passkey: one marked number in a long noise, asked for at the end."""

from dataclasses import dataclass
from typing import ClassVar

from longctx_edu.data.recall.config import RecallConfig
from longctx_edu.data.recall.copying import copied
from longctx_edu.data.recall.sample import Recall


@dataclass(frozen=True, kw_only=True)
class PasskeyConfig(RecallConfig):
    """The dials of the passkey task; its values are the digits.

    Args:
        n_values: Different digits.
        n_digits: Digits of the key.

    Raises:
        ValueError: If a dial is too small, or the text too short.

    Example:
        >>> PasskeyConfig(n_noise=2).vocab_size
        14
    """

    n_values: int = 10
    n_digits: int = 1
    COUNTS: ClassVar[dict[str, int]] = {**RecallConfig.COUNTS, "n_digits": 1}

    @property
    def shortest(self) -> int:
        """The question stands behind the key."""
        return self.n_digits

    @property
    def needed(self) -> int:
        """The marker, the first digit, and from the question to the last answer."""
        return max(self.distances) + 1 + self.n_digits


def passkey(config: PasskeyConfig, index: int) -> Recall:
    """Hide a number in noise and ask for it, digit by digit.

    No other digit stands in the text. So this asks how far a model sees, and not
    whether it finds the right one of several: that is `needle`.

    Args:
        config: The dials.
        index: The sample's number, from 0.

    Raises:
        ValueError: If index is negative.

    Example:
        >>> config = PasskeyConfig(n_tokens=6, distances=(4,))
        >>> sample = passkey(config, 0)
        >>> sample.distances.tolist()
        [-1, -1, -1, -1, -1, 4]
        >>> bool(sample.answers[5] == sample.ids[1])
        True

    Source: Mohtashami and Jaggi 2023 (landmark attention), section 4.2. Built in
        lesson 06.
    """
    return copied(config, index, config.n_digits)
