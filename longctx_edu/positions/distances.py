"""How far each key lies before each query, in tokens: what relative positions read."""

import torch
from jaxtyping import Int
from torch import Tensor


def distances(
    n_query: int,
    n_key: int | None = None,
    *,
    device: torch.device | str | None = None,
) -> Int[Tensor, "query key"]:
    """Count the tokens from each key to each query; negative where the key comes later.

    The last query stands at the last key, so that fewer queries than keys are the end
    of the text. For other places: `queries[:, None] - keys`.

    Args:
        n_query: Number of queries, in tokens.
        n_key: Number of keys, in tokens; as many as queries by default.
        device: Where the result lies.

    Raises:
        ValueError: If a number is negative.

    Example:
        >>> distances(2, 3).tolist()
        [[1, 0, -1], [2, 1, 0]]

    Source: Shaw et al. 2018, section 3.2, with the sign turned. Built in lesson 06.
    """
    n_key = n_query if n_key is None else n_key
    if n_query < 0 or n_key < 0:
        raise ValueError(
            f"need n_query and n_key >= 0, got n_query={n_query} and n_key={n_key}"
        )
    queries = torch.arange(n_key - n_query, n_key, device=device)
    return queries[:, None] - torch.arange(n_key, device=device)
