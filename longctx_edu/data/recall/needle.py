"""A needle in noise: a marked key with its value, some that distract, a question."""

from dataclasses import dataclass
from typing import ClassVar

from longctx_edu.data.recall.config import ASK, MARK, RecallConfig
from longctx_edu.data.recall.draft import Draft, room_for
from longctx_edu.data.recall.sample import Recall


@dataclass(frozen=True, kw_only=True)
class NeedleConfig(RecallConfig):
    """The dials of the needle task.

    Args:
        n_keys: Different keys; each stands in one needle of a text at most.
        n_distractors: Needles with other keys.

    Raises:
        ValueError: If a dial is too small, there are more needles than keys, or the
            text is too short.

    Example:
        >>> NeedleConfig(n_keys=4, n_values=3, n_noise=2).vocab_size
        11
    """

    n_keys: int = 16
    n_distractors: int = 3
    COUNTS: ClassVar[dict[str, int]] = {**RecallConfig.COUNTS, "n_distractors": 0}

    def __post_init__(self) -> None:
        if self.n_distractors >= self.n_keys:
            raise ValueError(
                f"need n_distractors < n_keys, got n_distractors={self.n_distractors} "
                f"and n_keys={self.n_keys}"
            )
        super().__post_init__()

    @property
    def shortest(self) -> int:
        """The question starts behind the value."""
        return 2

    @property
    def needed(self) -> int:
        """Marker and key before the evidence; needles of three, a question of two."""
        pieces = room_for(1 + self.n_distractors, 3) + 2
        return max(max(self.distances) + 3, pieces)


def needle(config: NeedleConfig, index: int) -> Recall:
    """Hide needles in noise and ask for the value of one, at the end of the text.

    Args:
        config: The dials.
        index: The sample's number, from 0.

    Raises:
        ValueError: If index is negative.

    Example:
        >>> config = NeedleConfig(n_tokens=9, distances=(5,), n_distractors=0)
        >>> sample = needle(config, 0)
        >>> sample.distances.tolist()
        [-1, -1, -1, -1, -1, -1, -1, -1, 5]
        >>> bool(sample.answers[8] == sample.ids[3])
        True

    Source: The task that Kamradt 2023 made known; several keys as in Hsieh et al.
        2024 (RULER), section 3.
    """
    draft = Draft(config, index)
    keys = draft.deal(config.keys, 1 + config.n_distractors)
    values = draft.draw(config.values, len(keys))
    (distance,) = draft.draw(config.distances, 1)
    last = config.n_tokens - 1
    draft.write(last - 1, (ASK, keys[0]))
    draft.write(last - distance - 2, (MARK, keys[0], values[0]))
    for key, value in zip(keys[1:], values[1:], strict=True):
        draft.write(draft.place(3), (MARK, key, value))
    draft.ask(last, evidence=last - distance)
    return draft.sample()
