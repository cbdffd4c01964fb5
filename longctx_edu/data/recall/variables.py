"""Variable tracking: x = 7, y = x, z = y; what is z?"""

from dataclasses import dataclass
from typing import ClassVar

from longctx_edu.data.recall.config import ASK, MARK, RecallConfig
from longctx_edu.data.recall.draft import Draft, room_for
from longctx_edu.data.recall.sample import Recall


@dataclass(frozen=True, kw_only=True)
class VariablesConfig(RecallConfig):
    """The dials of variable tracking; its keys are the variables.

    Args:
        n_keys: Different variables; each is assigned once in a text at most.
        hops: Assignments of a variable to a variable in each chain; 0 asks for the
            variable that took the value itself.
        n_chains: Chains with a value of their own; one is asked for.

    Raises:
        ValueError: If a dial is too small, the chains need more variables than there
            are, or the text is too short.

    Example:
        >>> VariablesConfig(hops=3).shortest
        11
    """

    n_keys: int = 16
    hops: int = 2
    n_chains: int = 2
    COUNTS: ClassVar[dict[str, int]] = {
        **RecallConfig.COUNTS,
        "hops": 0,
        "n_chains": 1,
    }

    def __post_init__(self) -> None:
        if self.n_chains * (self.hops + 1) > self.n_keys:
            raise ValueError(
                f"need n_chains * (hops + 1) <= n_keys, got n_chains={self.n_chains}, "
                f"hops={self.hops} and n_keys={self.n_keys}"
            )
        super().__post_init__()

    @property
    def shortest(self) -> int:
        """The hops stand between the value and the question, three tokens each."""
        return 3 * self.hops + 2

    @property
    def needed(self) -> int:
        """Marker and variable before the value; room for the other chains."""
        asked = max(self.distances) + 3
        if self.n_chains == 1:
            return asked
        return max(asked, room_for(self.n_chains * (self.hops + 1), 3) + 2)


def variable_tracking(config: VariablesConfig, index: int) -> Recall:
    """Write chains of assignments, and ask for the last variable of one.

    An assignment is the marker, the variable, and what it takes: a value, or a
    variable that was assigned before. The distance is that to the value.

    Args:
        config: The dials.
        index: The sample's number, from 0.

    Raises:
        ValueError: If index is negative.

    Example:
        >>> config = VariablesConfig(n_tokens=8, distances=(5,), hops=1, n_chains=1)
        >>> x, v, y, x_again = variable_tracking(config, 0).ids[[1, 2, 4, 5]].tolist()
        >>> x == x_again and v in config.values and y in config.keys
        True

    Source: Hsieh et al. 2024 (RULER), section 3, which asks for all names of a chain.
    """
    draft = Draft(config, index)
    size = config.hops + 1
    names = draft.deal(config.keys, config.n_chains * size)
    values = draft.draw(config.values, config.n_chains)
    (distance,) = draft.draw(config.distances, 1)
    last = config.n_tokens - 1
    evidence = last - distance
    hops = draft.place_in_order(config.hops, 3, evidence + 1, last - 1)
    draft.write(last - 1, (ASK, names[config.hops]))
    write_chain(draft, [evidence - 2, *hops], values[0], names[:size])
    draft.ask(last, evidence)
    for number in range(1, config.n_chains):
        starts = sorted(draft.place(3) for _ in range(size))
        chain = names[number * size : (number + 1) * size]
        write_chain(draft, starts, values[number], chain)
    return draft.sample()


def write_chain(draft: Draft, starts: list[int], value: int, names: list[int]) -> None:
    """Assign the value to the first name, and each name to the next."""
    sources = [value, *names[:-1]]
    for start, name, source in zip(starts, names, sources, strict=True):
        draft.write(start, (MARK, name, source))
