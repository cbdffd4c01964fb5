"""What every contender is asked: one pattern, one length, the same numbers for all."""

from dataclasses import dataclass, field
from functools import cached_property

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from longctx_edu.masks import Predicate, causal, global_tokens, padding, window
from longctx_edu.measure import device

DTYPES = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}
MODES = ("forward", "forward_backward")


@dataclass(frozen=True)
class Setting:
    """The attention that is asked for, whatever the length.

    Args:
        left: Keys visible before a query, itself not counted.
        right: Keys visible after a query, itself not counted; none if causal.
        dilation: Distance between neighbouring visible keys, in tokens.
        causal: Nobody looks ahead.
        n_global: First tokens of a text that see all and are seen by all.
        padded: Share of the text, at its end, that is padding.
        batch: Texts side by side.
        n_heads: Attention heads.
        d_head: Width of a query, a key and a value.
        seed: Decides the numbers.

    Raises:
        ValueError: If a value is outside its range.

    Example:
        >>> Setting(left=128, right=128).n_heads
        8
    """

    left: int = 256
    right: int = 256
    dilation: int = 1
    causal: bool = False
    n_global: int = 1
    padded: float = 0.0
    batch: int = 1
    n_heads: int = 8
    d_head: int = 64
    seed: int = 0

    def __post_init__(self):
        least = {"left": 0, "right": 0, "n_global": 0, "seed": 0}
        least |= {"dilation": 1, "batch": 1, "n_heads": 1, "d_head": 1}
        for name, low in least.items():
            if getattr(self, name) < low:
                raise ValueError(f"need {name} >= {low}, got {getattr(self, name)}")
        if not 0 <= self.padded < 1:
            raise ValueError(f"need padded in [0, 1), got padded={self.padded}")


@dataclass(frozen=True)
class Case:
    """A setting at one length and in one number format.

    Args:
        setting: The attention that is asked for.
        n: Length of a text, in tokens, padding counted.
        dtype: Number format, by its name.

    Example:
        >>> case = Case(Setting(padded=0.25), n=16, dtype="float32")
        >>> case.n_real, case.tensor_bytes
        (12, 32768)
    """

    setting: Setting
    n: int
    dtype: str

    @cached_property
    def n_real(self) -> int:
        """Tokens that are no padding; at least one."""
        return max(1, self.n - round(self.n * self.setting.padded))

    @cached_property
    def right(self) -> int:
        """Keys visible after a query."""
        return 0 if self.setting.causal else self.setting.right

    @cached_property
    def tensor_bytes(self) -> int:
        """Bytes of the queries, and as many for keys, values or results."""
        each = self.setting.batch * self.setting.n_heads * self.setting.d_head
        return each * self.n * DTYPES[self.dtype].itemsize

    @cached_property
    def flags(self) -> Bool[Tensor, "batch token"] | None:
        """True for a global token; None where there are none."""
        if self.setting.n_global == 0:
            return None
        first = torch.arange(self.n, device=device()) < self.setting.n_global
        return first.repeat(self.setting.batch, 1)

    @cached_property
    def keep(self) -> Bool[Tensor, "batch token"] | None:
        """True for a real token; None where all are."""
        if self.n_real == self.n:
            return None
        first = torch.arange(self.n, device=device()) < self.n_real
        return first.repeat(self.setting.batch, 1)

    def window(self, *, with_globals: bool = True) -> Predicate:
        """Say who may look at whom in the window; texts of a batch are alike.

        Args:
            with_globals: The global tokens count as well.
        """
        asked = self.setting
        seen = window(left=asked.left, right=self.right, dilation=asked.dilation)
        if with_globals and self.flags is not None:
            seen = seen | global_tokens(self.flags[0].cpu())
        return self.only_allowed(seen)

    def only_allowed(self, seen: Predicate) -> Predicate:
        """Take away padding and, where asked for, what lies ahead.

        Args:
            seen: Who may look at whom otherwise.
        """
        if self.keep is not None:
            seen = seen & padding(self.keep[0].cpu())
        return seen & causal() if self.setting.causal else seen


@dataclass(frozen=True)
class Inputs:
    """The numbers that all contenders get.

    Args:
        q: What each token asks for.
        k: What each token offers.
        v: What each token gives.
        out_grad: The gradient that comes back, 0 for padding; None without backward.
    """

    q: Float[Tensor, "batch head token d_head"]
    k: Float[Tensor, "batch head token d_head"]
    v: Float[Tensor, "batch head token d_head"]
    out_grad: Float[Tensor, "batch head token d_head"] | None = field(default=None)


def make_inputs(case: Case, *, backward: bool) -> Inputs:
    """Draw queries, keys and values, and the gradient where it is needed.

    The same case gives the same numbers, on every device.

    Args:
        case: Which sizes, which seed.
        backward: Draw the gradient as well.

    Example:
        >>> make_inputs(Case(Setting(), 16, "float32"), backward=False).q.shape
        torch.Size([1, 8, 16, 64])
    """
    asked, generator = case.setting, torch.Generator().manual_seed(case.setting.seed)
    shape = (asked.batch, asked.n_heads, case.n, asked.d_head)

    def draw() -> Tensor:
        x = torch.randn(shape, generator=generator)
        return x.to(device(), DTYPES[case.dtype])

    q, k, v = draw(), draw(), draw()
    if not backward:
        return Inputs(q, k, v)
    out_grad = draw()
    out_grad[:, :, case.n_real :] = 0
    return Inputs(q, k, v, out_grad)
