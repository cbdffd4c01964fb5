"""Copying: say a marked segment again, token by token, when the delimiter comes."""

from dataclasses import dataclass
from typing import ClassVar

from longctx_edu.data.recall.config import ASK, MARK, RecallConfig
from longctx_edu.data.recall.draft import Draft
from longctx_edu.data.recall.sample import Recall


@dataclass(frozen=True, kw_only=True)
class CopyingConfig(RecallConfig):
    """The dials of the copying task.

    Args:
        length: Tokens to copy.

    Raises:
        ValueError: If a dial is too small, or the text too short.

    Example:
        >>> config = CopyingConfig(n_values=3, n_noise=2)
        >>> config.values, config.noise
        (range(2, 5), range(5, 7))
    """

    length: int = 8
    COUNTS: ClassVar[dict[str, int]] = {**RecallConfig.COUNTS, "length": 1}

    @property
    def shortest(self) -> int:
        """The delimiter stands behind the segment."""
        return self.length

    @property
    def needed(self) -> int:
        """The marker, the first token, and from the delimiter to the last answer."""
        return max(self.distances) + 1 + self.length


def copying(config: CopyingConfig, index: int) -> Recall:
    """Write a marked segment into noise and ask for it, at the end of the text.

    The first token is due at the delimiter, the second at the first, and so on: all
    of a sample have one distance. A token may stand twice in a segment.

    Args:
        config: The dials.
        index: The sample's number, from 0.

    Raises:
        ValueError: If index is negative.

    Example:
        >>> config = CopyingConfig(n_tokens=7, distances=(4,), length=2)
        >>> sample = copying(config, 0)
        >>> sample.distances.tolist()
        [-1, -1, -1, -1, -1, 4, 4]
        >>> bool((sample.answers[5:] == sample.ids[1:3]).all())
        True

    Source: Graves et al. 2014, section 4.1.
    """
    return copied(config, index, config.length)


def copied(config: RecallConfig, index: int, length: int) -> Recall:
    """Mark a segment in noise and ask for it at the end.

    Args:
        config: The dials.
        index: The sample's number, from 0.
        length: Tokens of the segment.
    """
    draft = Draft(config, index)
    segment = draft.draw(config.values, length)
    (distance,) = draft.draw(config.distances, 1)
    ask = config.n_tokens - length
    draft.write(ask, (ASK, *segment[:-1]))
    draft.write(ask - distance - 1, (MARK, *segment))
    draft.ask(ask, evidence=ask - distance, count=length)
    return draft.sample()
