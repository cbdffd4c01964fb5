"""Associative recall: keys with their values, and several questions for a value."""

from dataclasses import dataclass
from typing import ClassVar

from longctx_edu.data.recall.config import ASK, RecallConfig
from longctx_edu.data.recall.draft import Draft, room_for
from longctx_edu.data.recall.sample import Recall


@dataclass(frozen=True, kw_only=True)
class AssociativeConfig(RecallConfig):
    """The dials of associative recall.

    Args:
        n_keys: Different keys; each stands in one pair of a text at most.
        n_pairs: Keys with values in a text.
        n_queries: How many of these are asked for, once each.

    Raises:
        ValueError: If a dial is too small, there are more pairs than keys or more
            queries than pairs, or the text is too short.

    Example:
        >>> config = AssociativeConfig(n_keys=4, n_values=3, n_noise=2, n_pairs=2)
        >>> config.keys, config.values, config.noise, config.vocab_size
        (range(2, 6), range(6, 9), range(9, 11), 11)
    """

    n_keys: int = 16
    n_pairs: int = 4
    n_queries: int = 2
    COUNTS: ClassVar[dict[str, int]] = {**RecallConfig.COUNTS, "n_queries": 1}

    def __post_init__(self) -> None:
        if not self.n_queries <= self.n_pairs <= self.n_keys:
            raise ValueError(
                f"need n_queries <= n_pairs <= n_keys, got n_queries={self.n_queries}, "
                f"n_pairs={self.n_pairs} and n_keys={self.n_keys}"
            )
        super().__post_init__()

    @property
    def shortest(self) -> int:
        """The question starts behind the pair."""
        return 2

    @property
    def needed(self) -> int:
        """Each pair with its question takes at most 12 starts from the next one."""
        asked = max(self.distances) + 2 + 12 * (self.n_queries - 1)
        if self.n_pairs == self.n_queries:
            return asked
        return max(asked, room_for(self.n_pairs + self.n_queries, 2))


def associative_recall(config: AssociativeConfig, index: int) -> Recall:
    """Write pairs of a key and a value, and ask for some of them.

    A question is the marker and the key; the value is due at the key, and does not
    follow in the text. Each question has a distance of its own.

    Args:
        config: The dials.
        index: The sample's number, from 0.

    Raises:
        ValueError: If index is negative.

    Example:
        >>> config = AssociativeConfig(n_tokens=9, distances=(6,), n_pairs=1,
        ...     n_queries=1)
        >>> sample = associative_recall(config, 0)
        >>> at = int((sample.answers >= 0).nonzero())
        >>> bool(sample.ids[at - 6] == sample.answers[at])
        True

    Source: Arora et al. 2023 (Zoology), section 3, where most gaps are short; here
        all asked distances come equally often.
    """
    draft = Draft(config, index)
    keys = draft.deal(config.keys, config.n_pairs)
    values = draft.draw(config.values, config.n_pairs)
    distances = draft.draw(config.distances, config.n_queries)
    asked, unasked = config.n_queries, range(config.n_queries, config.n_pairs)
    for key, value, distance in zip(keys[:asked], values, distances, strict=False):
        start = draft.place(2, distance)
        draft.write(start, (key, value))
        draft.write(start + distance, (ASK, key))
        draft.ask(start + distance + 1, evidence=start + 1)
    for number in unasked:
        draft.write(draft.place(2), (keys[number], values[number]))
    return draft.sample()
