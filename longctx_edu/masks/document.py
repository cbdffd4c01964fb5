"""Documents side by side in one row: nobody looks into another's text."""

from jaxtyping import Int
from torch import Tensor

from longctx_edu.masks.predicate import Predicate


def document(ids: Int[Tensor, "*batch token"]) -> Predicate:
    """Let each query look at the keys of its own document.

    Args:
        ids: The document of each token, as any number.

    Example:
        >>> import torch
        >>> from longctx_edu.masks import dense_mask
        >>> dense_mask(document(torch.tensor([7, 7, 9])), 3).int().tolist()
        [[1, 1, 0], [1, 1, 0], [0, 0, 1]]

    Source: T5's packed examples (Raffel et al. 2020, section 3.1.1), with the mask
    that keeps them apart. Built in lesson 05.
    """
    return Predicate(lambda query, key: ids[..., query] == ids[..., None, key])
