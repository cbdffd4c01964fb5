"""What a pattern of window and global tokens sees, reaches and costs, exactly."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool
from torch import Tensor

from longctx_edu.attention import (
    attention_operations,
    full_pairs,
    input_output_bytes,
    window_pairs,
)
from longctx_edu.attention import score_bytes as square_bytes
from longctx_edu.masks import causal as looking_back
from longctx_edu.masks import dense_mask, global_tokens, window

N_HEADS, D_HEAD, NUMBER_BYTES = 8, 64, 4
"""The layer that is priced: eight heads of width 64, in float32."""


@dataclass(frozen=True, eq=False)
class PatternFacts:
    """A pattern in numbers; costs are those of all layers together, forward only.

    Args:
        mask: True where the query may look at the key, in every layer.
        heard: For 0, 1, 2 ... layers, whom the token in the middle hears of.
        pairs: Queries and keys that meet, in each head of a layer.
        multiply_adds: Of scores and outputs, over the pairs alone.
        full_multiply_adds: The same over the whole square.
        score_bytes: The scores of the pairs, one number a head.
        full_score_bytes: The scores of the whole square.
        input_output_bytes: q, k, v and the output, which no pattern saves.
    """

    mask: Bool[Tensor, "query key"]
    heard: tuple[Bool[Tensor, " token"], ...]
    pairs: int
    multiply_adds: int
    full_multiply_adds: int
    score_bytes: int
    full_score_bytes: int
    input_output_bytes: int

    @property
    def n_tokens(self) -> int:
        """Length of the text, in tokens."""
        return len(self.mask)

    @property
    def n_layers(self) -> int:
        """Layers, one above the other."""
        return len(self.heard) - 1

    @property
    def middle(self) -> int:
        """The place whose hearing is followed, in tokens."""
        return self.n_tokens // 2

    @property
    def share(self) -> float:
        """The part of the full square that is scored, from 0 to 1."""
        return self.pairs / full_pairs(self.n_tokens)

    @property
    def n_heard(self) -> list[int]:
        """Tokens that the middle one hears of, itself counted, by depth."""
        return [int(row.sum()) for row in self.heard]

    @property
    def back(self) -> list[int]:
        """Distance to the first token that the middle one hears of, by depth."""
        return [self.middle - int(row.nonzero()[0]) for row in self.heard]

    @property
    def ahead(self) -> list[int]:
        """Distance to the last token that the middle one hears of, by depth."""
        return [int(row.nonzero()[-1]) - self.middle for row in self.heard]


def pattern_facts(
    left: int | None,
    right: int | None,
    dilation: int,
    n_global: int,
    causal: bool,
    n_tokens: int,
    n_layers: int,
) -> PatternFacts:
    """Say what a window with global tokens sees, how far it hears, what it costs.

    Args:
        left: Keys visible before the query, itself not counted; None for all.
        right: Keys visible after the query, itself not counted; None for all.
        dilation: Distance between neighbouring visible keys, in tokens.
        n_global: So many first tokens see all and are seen by all.
        causal: Nobody looks ahead, the global tokens neither.
        n_tokens: Length of the text, in tokens.
        n_layers: Layers with this pattern, one above the other.

    Raises:
        ValueError: If the window has no meaning, there is no token or no layer, or
            more tokens are global than there are.

    Example:
        >>> facts = pattern_facts(2, 1, 1, 0, False, n_tokens=12, n_layers=2)
        >>> facts.pairs, facts.n_heard, facts.back, facts.ahead
        (44, [1, 4, 7], [0, 2, 4], [0, 1, 2])

    Source: Longformer (Beltagy et al. 2020), sections 3.1 and 4.1. Built in lesson 05.
    """
    if n_tokens < 1 or n_layers < 1 or not 0 <= n_global <= n_tokens:
        raise ValueError(
            "need n_tokens >= 1, n_layers >= 1 and 0 <= n_global <= n_tokens, got "
            f"n_tokens={n_tokens}, n_layers={n_layers} and n_global={n_global}"
        )
    chosen = global_tokens(torch.arange(n_tokens) < n_global)
    pattern = window(left=left, right=right, dilation=dilation) | chosen
    if causal:
        pattern = pattern & looking_back()
    mask = dense_mask(pattern, n_tokens)
    pairs = pattern_pairs(left, right, dilation, n_global, causal, n_tokens)
    square = full_pairs(n_tokens)
    heads = {"n_heads": N_HEADS, "number_bytes": NUMBER_BYTES}
    return PatternFacts(
        mask=mask,
        heard=tuple(_heard_by_depth(mask, n_tokens // 2, n_layers)),
        pairs=pairs,
        multiply_adds=n_layers * multiply_adds(pairs),
        full_multiply_adds=n_layers * multiply_adds(square),
        score_bytes=n_layers * square_bytes(1, pairs, **heads),
        full_score_bytes=n_layers * square_bytes(n_tokens, **heads),
        input_output_bytes=n_layers
        * input_output_bytes(n_tokens, d_head=D_HEAD, **heads),
    )


def pattern_pairs(
    left: int | None,
    right: int | None,
    dilation: int,
    n_global: int,
    causal: bool,
    n_tokens: int,
) -> int:
    """Count a pattern's pairs by formula, so that long texts cost nothing to ask.

    Args:
        left: Keys visible before the query; None for all.
        right: Keys visible after the query; None for all.
        dilation: Distance between neighbouring visible keys, in tokens.
        n_global: So many first tokens are global; all, where the text has fewer.
        causal: Nobody looks ahead.
        n_tokens: Length of the text, in tokens.

    Example:
        >>> pattern_pairs(1, 1, 1, 1, False, n_tokens=16)
        74
    """
    return window_pairs(
        n_tokens,
        left=left,
        right=right,
        dilation=dilation,
        global_places=range(min(n_global, n_tokens)),
        causal=causal,
    )


def multiply_adds(pairs: int) -> int:
    """Count the multiplications of one layer, each with the addition after it.

    Args:
        pairs: Queries and keys that meet, in each head.

    Example:
        >>> multiply_adds(1)  # 8 heads, 64 for the score and 64 for the output
        1024
    """
    return attention_operations(pairs, n_heads=N_HEADS, d_head=D_HEAD) // 2


def _heard_by_depth(mask, place, n_layers):
    """Give, for 0 to `n_layers` layers, whom one token hears of."""
    row = torch.arange(len(mask)) == place
    yield row
    for _ in range(n_layers):
        row = mask[row].any(dim=0)
        yield row
