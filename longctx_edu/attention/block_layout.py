"""A layout cut into tiles: rows of blocks that see equally many blocks.

A tile is a batch of small dense problems of one shape, so nothing is scored in vain.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor

from longctx_edu.masks import check_size


def check_layout(layout: Tensor, size: int, n: int) -> None:
    """Refuse a layout that does not fit the text.

    Args:
        layout: True where a block of queries looks at a block of keys.
        size: Tokens in a block.
        n: Length of the text, in tokens.

    Raises:
        ValueError: If it is not a square of bools with a row for each block.
    """
    check_size(size)
    n_blocks = -(-n // size)
    if layout.dtype != torch.bool or layout.shape != (n_blocks, n_blocks):
        raise ValueError(
            f"need a bool layout of {n_blocks} x {n_blocks} blocks, for {n} tokens in "
            f"blocks of {size}, got {layout.dtype} of shape {tuple(layout.shape)}"
        )


@dataclass(frozen=True)
class Tile:
    """Some rows of a layout, as problems of one shape.

    Args:
        rows: The blocks of queries of each problem.
        columns: The blocks of keys that all rows of a problem see.
        sees: False where the rows see nothing; a column then only fills the place.
    """

    rows: Int[Tensor, "problem row"]
    columns: Int[Tensor, "problem column"]
    sees: bool = True

    def queries(
        self, x: Float[Tensor, "batch block query head d"], n_kv: int
    ) -> Float[Tensor, "problems n_kv queries d"]:
        """Copy the rows' own vectors; heads that share a head of keys stand in line.

        Args:
            x: Blocks of vectors of queries.
            n_kv: Heads of keys.
        """
        return rearrange(
            x.index_select(1, self.rows.flatten().to(x.device)),
            "batch (problem row) q (kv group) d -> (batch problem) kv (group row q) d",
            problem=len(self.rows),
            kv=n_kv,
        )

    def keys(
        self, x: Float[Tensor, "batch block key kv_head d"]
    ) -> Float[Tensor, "problems kv_head keys d"]:
        """Copy what the rows see.

        Args:
            x: Blocks of keys, or of values.
        """
        return rearrange(
            x.index_select(1, self.columns.flatten().to(x.device)),
            "batch (problem column) key kv d -> (batch problem) kv (column key) d",
            problem=len(self.columns),
        )

    def set_rows(
        self,
        x: Float[Tensor, "batch block query head d"],
        some: Float[Tensor, "problems n_kv queries d"],
    ) -> None:
        """Put the rows in their places: the way back from `queries`.

        Args:
            x: Blocks of vectors of queries; changed in place.
            some: The vectors of these rows.
        """
        rows = rearrange(
            some,
            "(batch problem) kv (group row q) d -> batch (problem row) q (kv group) d",
            batch=len(x),
            row=self.rows.shape[1],
            q=x.shape[2],
        )
        x.index_copy_(1, self.rows.flatten().to(x.device), rows.to(x.dtype))

    def add_to_keys(
        self,
        x: Float[Tensor, "batch block key kv_head d"],
        some: Float[Tensor, "problems kv_head keys d"],
    ) -> None:
        """Add what the rows say of their keys: the way back from `keys`.

        Args:
            x: Blocks of sums, one vector a key; changed in place.
            some: One vector for each key of these rows.
        """
        columns = rearrange(
            some,
            "(batch problem) kv (column key) d -> batch (problem column) key kv d",
            batch=len(x),
            key=x.shape[2],
        )
        x.index_add_(1, self.columns.flatten().to(x.device), columns.to(x.dtype))

    def mask(
        self,
        n: int,
        size: int,
        keep: Bool[Tensor, "batch token"] | None,
        *,
        causal: bool,
        device: torch.device,
    ) -> Bool[Tensor, "problems 1 query key"] | None:
        """Say which keys count, for all texts or for each; None where all do.

        Args:
            n: Length of the text, in tokens.
            size: Tokens in a block.
            keep: True where a token is real.
            causal: Nobody looks ahead.
            device: Where the mask is made.
        """
        end = int(self.columns.max() + 1) * size
        if self.sees and keep is None and not causal and end <= n:
            return None
        query, key = (_places(x, size).to(device) for x in (self.rows, self.columns))
        usable = ((key < n) & self.sees)[None, :, None]
        if keep is not None:
            usable = usable & keep[:, key.clamp(max=n - 1)].unsqueeze(2)
        if causal:
            usable = usable & (key[:, None] <= query[..., None])
        return usable.expand(-1, -1, query.shape[1], -1).flatten(0, 1).unsqueeze(1)


def tiles(layout: Bool[Tensor, "block block"], most: int) -> Iterator[Tile]:
    """Cut a layout into tiles; each row comes once.

    Rows that see all blocks share one problem, and so one copy of the keys.

    Args:
        layout: True where a block of queries looks at a block of keys; on the CPU.
        most: Blocks of keys that a tile may hold; one row is always a tile.
    """
    n_blocks = len(layout)
    counts = layout.sum(dim=1)
    for count in counts.unique().tolist():
        rows = (counts == count).nonzero()
        if count == n_blocks:
            yield Tile(rows.mT, torch.arange(n_blocks)[None])
            continue
        step = max(most // max(count, 1), 1)
        for some in rows.split(step):
            if count == 0:
                yield Tile(some, torch.zeros_like(some), sees=False)
            else:
                columns = layout[some[:, 0]].nonzero()[:, 1]
                yield Tile(some, columns.reshape(len(some), count))


def as_blocks(
    x: Float[Tensor, "batch head token d"], size: int
) -> Float[Tensor, "batch block {size} head d"]:
    """Cut a text into blocks, the last one filled up with 0.

    In the order of memory that a projection leaves, this copies nothing.

    Args:
        x: One vector a token.
        size: Tokens in a block.
    """
    if x.shape[2] % size:
        x = F.pad(x, (0, 0, 0, -x.shape[2] % size))
    blocks = rearrange(
        x, "batch head (block token) d -> batch block token head d", token=size
    )
    return blocks.contiguous()


def as_tokens(
    x: Float[Tensor, "batch block token head d"], n: int
) -> Float[Tensor, "batch head {n} d"]:
    """Put blocks together again.

    Args:
        x: Blocks of vectors.
        n: Length of the text, in tokens.
    """
    return rearrange(x, "batch block token head d -> batch head (block token) d")[
        :, :, :n
    ]


def _places(chosen, size):
    """Say where in the text the tokens of the chosen blocks stand."""
    return (chosen[..., None] * size + torch.arange(size)).flatten(1)
