"""What a benchmark measures, checked where it is set."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from longctx_edu.benchmarks.cases import DTYPES, MODES, Case, Setting
from longctx_edu.benchmarks.contender import Contender
from longctx_edu.errors import unknown_name


@dataclass(frozen=True)
class Plan:
    """All that is measured: every contender at every length, in turn.

    Args:
        contenders: Who takes part.
        setting: The attention that is asked for.
        lengths: Of a text, in tokens.
        dtypes: Number formats, by name.
        modes: "forward", without gradients, or "forward_backward".
        repeats: Measured calls of each.
        budget_s: Seconds that a call may take; a slower one is left out. The repeats
            of a slow one are fewer, so that together they take little more.
        dense_up_to: Longest text that is compared with the definition, in tokens.
        variants: Measure the window's variants beside the plain one as well.

    Raises:
        ValueError: If a value is outside its range, or a name is unknown.

    Example:
        >>> Plan((), lengths=(64, 16)).lengths
        (16, 64)
    """

    contenders: tuple[Contender, ...]
    setting: Setting = field(default_factory=Setting)
    lengths: tuple[int, ...] = (1024, 4096, 16384)
    dtypes: tuple[str, ...] = ("float32",)
    modes: tuple[str, ...] = MODES
    repeats: int = 5
    budget_s: float = 120.0
    dense_up_to: int = 4096
    variants: bool = False

    def __post_init__(self):
        for name in ("lengths", "dtypes", "modes"):
            values = tuple(dict.fromkeys(getattr(self, name)))
            if not values:
                raise ValueError(f"need {name} with at least one, got none")
            object.__setattr__(self, name, values)
        if min(self.lengths) < 1:
            raise ValueError(f"need lengths >= 1, got {min(self.lengths)}")
        object.__setattr__(self, "lengths", tuple(sorted(self.lengths)))
        known(self.dtypes, "dtype", DTYPES)
        known(self.modes, "mode", MODES)
        object.__setattr__(self, "modes", tuple(m for m in MODES if m in self.modes))
        if self.repeats < 1:
            raise ValueError(f"need repeats >= 1, got {self.repeats}")
        if not self.budget_s > 0:
            raise ValueError(f"need budget_s > 0, got {self.budget_s}")

    def cases(self) -> list[Case]:
        """List the cases, the shortest first, so that it can be known what is slow."""
        return [Case(self.setting, n, d) for n in self.lengths for d in self.dtypes]


def known(names: Sequence[str], kind: str, there: Collection[str]) -> None:
    """Refuse a name that there is not.

    Args:
        names: Those that are asked for.
        kind: What they are, for the message.
        there: Those that there are.

    Raises:
        UserError: If one is unknown.
    """
    for name in names:
        if name not in there:
            raise unknown_name(kind, name, there)
