"""Padding: nobody looks at tokens that only fill up a row."""

import torch
from jaxtyping import Bool
from torch import Tensor

from longctx_edu.masks.predicate import Predicate


def padding(keep: Bool[Tensor, "*batch token"]) -> Predicate:
    """Let every query look at the real tokens only.

    A padded query keeps its row: what it reads is never used, and a row that sees
    real tokens needs no special case.

    Args:
        keep: True where a token is real, False where it is padding.

    Example:
        >>> import torch
        >>> from longctx_edu.masks import dense_mask
        >>> dense_mask(padding(torch.tensor([True, True, False])), 2, 3).int().tolist()
        [[1, 1, 0], [1, 1, 0]]

    Source: Vaswani et al. 2017 leave it to their code; here it is a mask like any
    other. Built in lesson 01.
    """

    def allows(query, key):
        everyone = torch.ones_like(query, dtype=torch.bool)
        return keep[..., None, key] & everyone

    return Predicate(allows)
