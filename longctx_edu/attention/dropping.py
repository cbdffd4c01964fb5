"""Dropout that can be repeated: the backward pass drops the same weights again."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Dropping:
    """Which weights are dropped, by a seed instead of a tensor.

    Args:
        share: Share of the weights set to 0; the rest is scaled up.
        seed: Where the random numbers of all tiles begin.

    Example:
        >>> dropping = Dropping(share=0.5, seed=1)
        >>> factors = dropping.factors((100,), torch.ones(1), 0)
        >>> sorted(set(factors.tolist()))
        [0.0, 2.0]
        >>> torch.equal(factors, dropping.factors((100,), torch.ones(1), 0))
        True
    """

    share: float
    seed: int

    @classmethod
    def draw(cls, share: float) -> "Dropping | None":
        """Begin at a number from torch's own generator; None where none is dropped.

        Args:
            share: Share of the weights set to 0.
        """
        if share == 0:
            return None
        return cls(share, int(torch.randint(2**31, (), device="cpu")))

    def of(self, *part: int) -> "Dropping":
        """Begin elsewhere, for another part of the weights.

        Args:
            *part: Numbers that name the part.
        """
        return Dropping(self.share, hash((self.seed, *part)) % 2**63)

    def factors(
        self, shape: tuple[int, ...], like: Tensor, *tile: int
    ) -> Float[Tensor, "..."]:
        """Draw the factors on a tile's weights: 0, or what keeps the mean.

        Args:
            shape: Of the weights.
            like: A tensor on their device.
            *tile: Numbers that name the tile.
        """
        generator = torch.Generator(like.device)
        generator.manual_seed(hash((self.seed, *tile)) % 2**63)
        wide = torch.promote_types(like.dtype, torch.float32)
        draws = torch.rand(
            shape, generator=generator, device=like.device, dtype=torch.float32
        )
        return (draws >= self.share).to(wide) / (1 - self.share)
