"""A text of noise into which a task writes its evidence and its questions."""

from collections.abc import Sequence

import torch

from longctx_edu.data.recall.config import RecallConfig, generator_of
from longctx_edu.data.recall.sample import NO_ANSWER, Recall


class Draft:
    """A sample while it is written.

    Args:
        config: The dials.
        index: The sample's number, from 0.
    """

    def __init__(self, config: RecallConfig, index: int):
        self.generator = generator_of(config, index)
        n, noise = config.n_tokens, config.noise
        self.ids = torch.randint(
            noise.start, noise.stop, (n,), generator=self.generator
        )
        self.answers = torch.full((n,), NO_ANSWER)
        self.distances = torch.full((n,), -1)
        self.free = torch.ones(n, dtype=torch.bool)

    def below(self, stop: int) -> int:
        """Draw a whole number from 0 to stop - 1."""
        return int(torch.randint(stop, (), generator=self.generator))

    def draw(self, ids: Sequence[int], count: int) -> list[int]:
        """Draw one by one: the same may come twice."""
        return [ids[self.below(len(ids))] for _ in range(count)]

    def deal(self, ids: Sequence[int], count: int) -> list[int]:
        """Draw so that none comes twice."""
        order = torch.randperm(len(ids), generator=self.generator)
        return [ids[i] for i in order[:count].tolist()]

    def write(self, start: int, tokens: Sequence[int]) -> None:
        """Put tokens in the place of noise."""
        self.ids[start : start + len(tokens)] = torch.tensor(tokens)
        self.take(start, len(tokens))

    def take(self, start: int, width: int) -> None:
        """Let nothing else be placed here."""
        self.free[start : start + width] = False

    def ask(self, at: int, evidence: int, count: int = 1) -> None:
        """Demand at a position what stands at another, and so on for `count` tokens."""
        self.answers[at : at + count] = self.ids[evidence : evidence + count]
        self.distances[at : at + count] = at - evidence

    def place(self, width: int, distance: int | None = None) -> int:
        """Take room for `width` tokens; all starts that have it are alike.

        With a distance, take as much room that many tokens later as well.
        """
        starts = self.free.unfold(0, width, 1).all(-1)
        if distance is not None:
            starts = starts[:-distance] & starts[distance:]
        places = starts.nonzero()
        start = int(places[self.below(len(places))])
        self.take(start, width)
        if distance is not None:
            self.take(start + distance, width)
        return start

    def place_in_order(
        self, count: int, width: int, start: int, stop: int
    ) -> list[int]:
        """Draw starts of `count` pieces in a free stretch, all arrangements alike."""
        slots = stop - start - count * (width - 1)  # as if a piece were one token
        taken = sorted(self.deal(range(slots), count))
        return [start + slot + i * (width - 1) for i, slot in enumerate(taken)]

    def sample(self) -> Recall:
        """Return what was written."""
        return Recall(self.ids, self.answers, self.distances)


def room_for(count: int, width: int) -> int:
    """Return in how many tokens `place` never runs out of room for pieces.

    A piece that stands takes `2 * width - 1` starts from the ones that follow.

    Args:
        count: Number of pieces.
        width: Tokens of each.

    Example:
        >>> room_for(1, 3), room_for(2, 3)
        (3, 8)
    """
    return (count - 1) * (2 * width - 1) + width
