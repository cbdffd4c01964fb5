"""How a window falls into blocks: where each block's queries and keys stand.

Token `p` stands in stream `p % dilation` at place `p // dilation`. A block holds
`size` places of a stream as queries, and `size + left + right` places as keys.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor

from longctx_edu.attention.global_rows import Globals


@dataclass(frozen=True)
class Pattern:
    """A window cut into blocks.

    Args:
        n: Length of the text, in tokens.
        left: Keys before a query, itself not counted, in places of a stream.
        right: Keys after a query, likewise.
        dilation: Number of streams.
        size: Queries in a block.
    """

    n: int
    left: int
    right: int
    dilation: int
    size: int

    @classmethod
    def fit(cls, n: int, left: int | None, right: int | None, dilation: int):
        """Choose a block size: near the window's, so that little is scored in vain."""
        places = -(-n // dilation)
        left = places - 1 if left is None else min(left, places - 1)
        right = places - 1 if right is None else min(right, places - 1)
        size = min(max(left + right, 32), 128, places)
        return cls(n, left, right, dilation, size)

    @property
    def n_blocks(self) -> int:
        """Blocks in a stream."""
        return -(-self.n // (self.dilation * self.size))

    @property
    def width(self) -> int:
        """Keys that a block reads from its stream."""
        return self.size + self.left + self.right


def query_blocks(
    x: Float[Tensor, "batch head token d"], pattern: Pattern
) -> Float[Tensor, "problem head query d"]:
    """Lay the queries out as one small problem a block.

    Args:
        x: Queries in the order of the text.
        pattern: The blocks.
    """
    length = pattern.n_blocks * pattern.size * pattern.dilation
    return rearrange(
        F.pad(x, (0, 0, 0, length - pattern.n)),
        "batch head (block q stream) d -> (batch stream block) head q d",
        stream=pattern.dilation,
        q=pattern.size,
    )


def band_blocks(
    x: Float[Tensor, "batch head token d"], pattern: Pattern
) -> Float[Tensor, "problem head key d"]:
    """Lay out, for each block, the keys that its window reaches.

    A block and its successors, each shifted by one block, stand side by side: a copy
    whose gradient is a sum of slices, and no scatter.

    Args:
        x: Keys or values in the order of the text.
        pattern: The blocks.
    """
    size, reach = pattern.size, pattern.left + pattern.right
    n_shifts = -(-reach // size)
    places = (pattern.n_blocks + n_shifts) * size - pattern.left
    x = F.pad(x, (0, 0, 0, max(places * pattern.dilation - pattern.n, 0)))
    x = x[:, :, : places * pattern.dilation]
    streams = rearrange(
        x, "batch head (place stream) d -> batch stream head place d",
        stream=pattern.dilation,
    )  # fmt: skip
    streams = F.pad(streams, (0, 0, pattern.left, 0))
    blocks = rearrange(
        streams, "batch stream head (block q) d -> batch stream block head q d", q=size
    )
    parts = [blocks[:, :, : pattern.n_blocks]]
    for shift in range(1, n_shifts + 1):
        part = blocks[:, :, shift : shift + pattern.n_blocks]
        parts.append(part[..., : min(size, reach - (shift - 1) * size), :])
    return torch.cat(parts, dim=-2).flatten(0, 2)


def positions(
    pattern: Pattern, device: torch.device
) -> tuple[Int[Tensor, "stream block query"], Int[Tensor, "stream block key"]]:
    """Say where in the text each block's queries and keys stand.

    A number below 0 or from `n` up is a place outside the text.

    Args:
        pattern: The blocks.
        device: Where the numbers are made.
    """
    stream = torch.arange(pattern.dilation, device=device)[:, None, None]
    first = torch.arange(pattern.n_blocks, device=device)[:, None] * pattern.size
    query = first + torch.arange(pattern.size, device=device)
    key = first - pattern.left + torch.arange(pattern.width, device=device)
    return query * pattern.dilation + stream, key * pattern.dilation + stream


def block_mask(
    pattern: Pattern,
    global_tokens: Bool[Tensor, "batch token"] | None,
    keep: Bool[Tensor, "batch token"] | None,
    found: Globals | None,
    *,
    causal: bool,
    device: torch.device,
) -> Bool[Tensor, "texts stream block query key"]:
    """Say which keys each block's queries may look at: global keys, then the band.

    Without padding and global tokens there is one mask for all texts of a batch.

    Args:
        pattern: The blocks.
        global_tokens: True for a global token; such keys leave the band.
        keep: True where a token is real.
        found: The global tokens' places, where there are any.
        causal: Nobody looks ahead.
        device: Where the mask is made.
    """
    query, key = positions(pattern, device)
    offset = torch.arange(pattern.width, device=device) - torch.arange(
        pattern.size, device=device
    ).unsqueeze(1)
    band = (offset >= 0) & (offset <= pattern.left + pattern.right)
    inside = (key >= 0) & (key < pattern.n)
    place = key.clamp(0, pattern.n - 1)
    usable = inside[None]
    if keep is not None:
        usable = usable & keep[:, place]
    if found is not None:
        usable = usable & ~global_tokens[:, place]
    mask = band & usable[..., None, :]
    if found is not None:
        seen = found.real if keep is None else found.real & keep.gather(1, found.places)
        seen = seen[:, None, None, None, :]
        if causal:
            seen = seen & (found.places[:, None, None, None, :] <= query[..., None])
        mask = torch.cat([seen.expand(*mask.shape[:-1], -1), mask], dim=-1)
    return mask
