"""How a window falls into blocks of queries, and what each block can see.

Most blocks are alike: all keys that their window reaches are there, and the band of
visible keys has the same shape in each, so one mask serves them all. Where the text
ends, and where a text of the batch has padding, blocks stand alone with their own.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from longctx_edu.masks import window


@dataclass(frozen=True)
class Band:
    """A window over the places of a stream, cut into blocks of queries.

    Args:
        n: Length of the stream, in places.
        left: Keys before a query, itself not counted; at most n - 1.
        right: Keys after a query, likewise.
        size: Queries in a block.
    """

    n: int
    left: int
    right: int
    size: int

    @classmethod
    def fit(
        cls,
        n: int,
        left: int | None,
        right: int | None,
        dtype: torch.dtype = torch.float32,
    ) -> "Band":
        """Choose a block size: large for the processor, small against the waste.

        A block of `size` queries scores `size + left + right` keys a query, where
        `1 + left + right` are needed. Numbers of two bytes are multiplied so fast
        that larger blocks pay.

        Args:
            n: Length of the stream, in places.
            left: Keys before a query; None for all.
            right: Keys after a query; None for all.
            dtype: Number format of the keys.
        """
        left = max(n - 1, 0) if left is None else min(left, max(n - 1, 0))
        right = max(n - 1, 0) if right is None else min(right, max(n - 1, 0))
        share, most = (3, 128) if dtype.itemsize < 4 else (4, 96)
        return cls(n, left, right, min(max((left + right) // share, 32), most))


@dataclass(frozen=True)
class Run:
    """Neighbouring blocks that one call computes.

    Args:
        first: Place of the first query.
        count: Blocks.
        size: Queries in each.
        low: Place of the first block's first key; each next block's is `size` later.
        width: Keys that each block reads.
        mask: True where a block's query may look at its key: one for all blocks, or
            one a text for a block that stands alone.
    """

    first: int
    count: int
    size: int
    low: int
    width: int
    mask: Bool[Tensor, "texts 1 query key"]

    def queries(
        self, x: Float[Tensor, "batch head place d"]
    ) -> Float[Tensor, "problem row query d"]:
        """View the queries of the blocks as problems side by side.

        Args:
            x: One vector a place; texts and heads lie at one distance in memory.
        """
        x = x.narrow(2, self.first, self.count * self.size)
        if self.count == 1:
            return x
        return x.flatten(0, 1).unflatten(1, (self.count, -1)).transpose(0, 1)

    def keys(
        self, x: Float[Tensor, "batch head place d"], skip: int = 0, width: int = 0
    ) -> Float[Tensor, "problem row key d"]:
        """View the keys that the blocks read; those of neighbours overlap.

        Args:
            x: One vector a place; texts and heads lie at one distance in memory.
            skip: Keys left out at the beginning of each block.
            width: Keys taken after them; all by default.
        """
        width = width or self.width
        x = x.narrow(2, self.low + skip, (self.count - 1) * self.size + width)
        if self.count == 1:
            return x
        return x.flatten(0, 1).unfold(1, width, self.size).permute(1, 0, 3, 2)

    def add_to_keys(
        self,
        sums: Float[Tensor, "batch head place d"],
        parts: Float[Tensor, "problem row key d"],
    ) -> None:
        """Add what each block says of its keys, where neighbours speak of the same.

        Args:
            sums: One vector a place; changed in place.
            parts: One vector a key of each block.
        """
        step = self.width if self.count == 1 else self.size
        for skip in range(0, self.width, step):  # views of `step` keys do not overlap
            part = parts[:, :, skip : skip + step]
            self.keys(sums, skip, part.shape[2]).add_(part)


def runs(
    band: Band,
    keep: Bool[Tensor, "batch place"] | None,
    *,
    longest: int,
    device: torch.device,
) -> Iterator[Run]:
    """List the blocks: alike neighbours together, the others alone.

    Blocks that see nothing in any text are left out.

    Args:
        band: The window and its blocks.
        keep: True where a token is real.
        longest: Most blocks of a run, which bounds the memory of a call.
        device: Where the masks are made.
    """
    shared, start = None, None
    real = None if keep is None else _count_real(band, keep)
    for block in range(-(-band.n // band.size)):
        first = block * band.size
        low, high = first - band.left, first + band.size + band.right
        alike = low >= 0 and high <= band.n
        alike = alike and (real is None or real[block] == keep.shape[0] * (high - low))
        if start is not None and (not alike or block - start == longest):
            yield _alike(band, start, block, shared)
            start = None
        if alike:
            shared = _mask(band, 0, -band.left, device) if shared is None else shared
            start = block if start is None else start
        elif real is None or real[block]:
            yield _alone(band, first, keep, device)
    if start is not None:
        yield _alike(band, start, -(-band.n // band.size), shared)


def _count_real(band, keep):
    """Count the real keys in each block's reach, over all texts."""
    counts = torch.nn.functional.pad(keep.sum(dim=0).cumsum(0), (1, 0)).tolist()
    return [
        counts[min(first + band.size + band.right, band.n)]
        - counts[max(first - band.left, 0)]
        for first in range(0, band.n, band.size)
    ]


def _mask(band, first, low, device, size=None, width=None):
    """Ask the window about a block's queries and keys."""
    size = band.size if size is None else size
    width = band.size + band.left + band.right if width is None else width
    query = torch.arange(first, first + size, device=device)[:, None]
    key = torch.arange(low, low + width, device=device)
    return window(left=band.left, right=band.right)(query, key)[None, None]


def _alike(band, start, stop, mask):
    """Make a run of blocks that share a mask."""
    first = start * band.size
    width = band.size + band.left + band.right
    return Run(first, stop - start, band.size, first - band.left, width, mask)


def _alone(band, first, keep, device):
    """Make a run of one block at an end of the text, or near padding."""
    size = min(band.size, band.n - first)
    low = max(first - band.left, 0)
    width = min(first + size + band.right, band.n) - low
    mask = _mask(band, first, low, device, size, width)
    if keep is not None:
        mask = mask & keep[:, None, None, low : low + width]
    return Run(first, 1, size, low, width, mask)
