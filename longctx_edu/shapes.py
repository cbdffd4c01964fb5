"""The axis words of this library, and the two moves between them.

Every annotation uses these words for an axis, and no others:

    batch   texts side by side             d_model  width of a token's vector
    head    attention heads                d_head   width of a query or key
    kv_head heads of keys and values       group    query heads that share one
    query   tokens that look               d_value  width of a value
    key     tokens that are looked at      d_ff     width inside the feed-forward part
    token   tokens, where both are meant   label    classes of a task head
    chunk   pieces read on their own       feature  numbers that describe a word
    block   tiles of the score matrix      vocab    known tokens
    place   tokens of a stream             g        global tokens
    pair    numbers that turn together     position where a token stands
    distance between query and key         bucket   distances taken together
"""

from einops import rearrange
from jaxtyping import Float
from torch import Tensor


def split_heads(
    x: Float[Tensor, "*batch token d_model"], n_heads: int
) -> Float[Tensor, "*batch {n_heads} token d_head"]:
    """Cut each token's vector into `n_heads` shorter ones.

    Args:
        x: Token vectors.
        n_heads: Number of heads; divides the width.

    Raises:
        ValueError: If the heads do not divide the width.

    Example:
        >>> import torch
        >>> split_heads(torch.zeros(2, 5, 12), n_heads=3).shape
        torch.Size([2, 3, 5, 4])

    Source: Vaswani et al. 2017, section 3.2.2. Built in lesson 01.
    """
    d_model = x.shape[-1]
    if n_heads < 1 or d_model % n_heads:
        raise ValueError(
            f"need n_heads that divides d_model, got n_heads={n_heads} "
            f"and d_model={d_model}"
        )
    return rearrange(x, "... token (head d) -> ... head token d", head=n_heads)


def merge_heads(
    x: Float[Tensor, "*batch head token d_head"],
) -> Float[Tensor, "*batch token d_model"]:
    """Put the heads of each token back side by side: the inverse of `split_heads`.

    Args:
        x: One vector a head and token.

    Example:
        >>> import torch
        >>> merge_heads(torch.zeros(2, 3, 5, 4)).shape
        torch.Size([2, 5, 12])

    Source: Vaswani et al. 2017, section 3.2.2. Built in lesson 01.
    """
    return rearrange(x, "... head token d -> ... token (head d)")
