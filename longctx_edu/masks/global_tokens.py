"""Global tokens: a chosen few see all and are seen by all."""

from jaxtyping import Bool
from torch import Tensor

from longctx_edu.masks.predicate import Predicate


def global_tokens(flags: Bool[Tensor, "*batch token"]) -> Predicate:
    """Open the rows and the columns of the chosen tokens.

    Any two tokens are then at most two steps apart: one to a global token, one back.

    Args:
        flags: True where a token is global.

    Example:
        >>> import torch
        >>> from longctx_edu.masks import dense_mask
        >>> dense_mask(global_tokens(torch.tensor([True, False, False])), 3).int()
        tensor([[1, 1, 1],
                [1, 0, 0],
                [1, 0, 0]], dtype=torch.int32)

    Source: Longformer (Beltagy et al. 2020), section 3.1. Built in lesson 05.
    """

    def allows(query, key):
        return flags[..., query] | flags[..., None, key]

    return Predicate(allows)
