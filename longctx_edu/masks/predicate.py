"""A mask as a question about two positions, and how questions combine.

A predicate answers `may this query look at this key?` for any positions, so a tile
of the score matrix can be asked for alone. It never learns how long the text is.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor


@dataclass(frozen=True)
class Predicate:
    """A question `(query, key) -> bool` that composes with `&`, `|` and `~`.

    Args:
        allows: Takes positions of queries (a column) and keys (a row), in tokens;
            returns True where the query may look at the key.

    Example:
        >>> import torch
        >>> i = torch.arange(3)
        >>> itself = Predicate(lambda query, key: query == key)
        >>> (~itself)(i[:, None], i).int().tolist()
        [[0, 1, 1], [1, 0, 1], [1, 1, 0]]

    Source: FlexAttention's mask_mod (Dong et al. 2024, section 3) without the head.
    Built in lesson 01.
    """

    allows: Callable[[Tensor, Tensor], Tensor]

    def __call__(
        self, query: Int[Tensor, "query 1"], key: Int[Tensor, "... key"]
    ) -> Bool[Tensor, "*batch query key"]:
        """Answer for all pairs of the given positions."""
        return self.allows(query, key)

    def __and__(self, other: "Predicate") -> "Predicate":
        return Predicate(lambda query, key: self(query, key) & other(query, key))

    def __or__(self, other: "Predicate") -> "Predicate":
        return Predicate(lambda query, key: self(query, key) | other(query, key))

    def __invert__(self) -> "Predicate":
        return Predicate(lambda query, key: ~self(query, key))


def dense_mask(
    predicate: Predicate,
    n_query: int,
    n_key: int | None = None,
    *,
    device: torch.device | str | None = None,
) -> Bool[Tensor, "*batch query key"]:
    """Ask a predicate about every query and key: the whole square at once.

    Args:
        predicate: The question.
        n_query: Number of queries, in tokens.
        n_key: Number of keys, in tokens; as many as queries by default.
        device: Where the mask is made; there, too, live the predicate's own tensors.

    Raises:
        ValueError: If a number of tokens is negative.

    Example:
        >>> from longctx_edu.masks import causal
        >>> dense_mask(causal(), 3).int().tolist()
        [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    """
    n_key = n_query if n_key is None else n_key
    if n_query < 0 or n_key < 0:
        raise ValueError(f"need sizes >= 0, got n_query={n_query} and n_key={n_key}")
    query = torch.arange(n_query, device=device)[:, None]
    return predicate(query, torch.arange(n_key, device=device))
