"""How many pairs each kind of attention scores, by formula.

A pair is a query and a key that it may look at. All numbers are exact.
"""

from collections.abc import Sequence

from jaxtyping import Bool
from torch import Tensor

from longctx_edu.chunking import split
from longctx_edu.masks import check_size, check_window


def full_pairs(n_query: int, n_key: int | None = None, *, causal: bool = False) -> int:
    """Count the pairs of full attention, however it is computed.

    Args:
        n_query: Number of queries, in tokens.
        n_key: Number of keys, in tokens; as many as queries by default.
        causal: Nobody looks ahead; the last query stands at the last key.

    Raises:
        ValueError: If a number of tokens is negative.

    Example:
        >>> full_pairs(4), full_pairs(4, causal=True), full_pairs(1, 9, causal=True)
        (16, 10, 9)

    Source: Vaswani et al. 2017, table 1. Built in lesson 03.
    """
    n_key = n_query if n_key is None else n_key
    if n_query < 0 or n_key < 0:
        raise ValueError(f"need sizes >= 0, got n_query={n_query} and n_key={n_key}")
    if not causal:
        return n_query * n_key
    # The last query sees all keys, the one before it one fewer, and so on.
    n_seeing = min(n_query, n_key)
    return n_seeing * n_key - _triangle(n_seeing - 1)


def window_pairs(
    n: int,
    *,
    left: int | None,
    right: int | None,
    dilation: int = 1,
    global_places: Sequence[int] = (),
    causal: bool = False,
) -> int:
    """Count the pairs of a window with global tokens, exact at the text's ends.

    Args:
        n: Length of the text, in tokens.
        left: Keys visible before the query, itself not counted; None for all.
        right: Keys visible after the query, itself not counted; None for all.
        dilation: Distance between neighbouring visible keys, in tokens.
        global_places: Positions of the global tokens, all different.
        causal: Nobody looks ahead.

    Raises:
        ValueError: If the window has no meaning, or a global token no place.

    Example:
        >>> window_pairs(5, left=1, right=1), window_pairs(5, left=1, right=0)
        (13, 9)
        >>> window_pairs(5, left=0, right=0, global_places=[2])
        13

    Source: Longformer (Beltagy et al. 2020), section 3.1. Built in lesson 05.
    """
    check_window(left, right, dilation)
    chosen = set(global_places)
    if len(chosen) < len(global_places) or not chosen <= set(range(n)):
        raise ValueError(
            f"need different global_places from 0 to below n={n}, "
            f"got {list(global_places)}"
        )
    left = n if left is None else left
    right = 0 if causal else n if right is None else right
    total = n + _one_side(n, left, dilation) + _one_side(n, right, dilation)
    for place in chosen:
        before, after = place // dilation, (n - 1 - place) // dilation
        sees = 1 + min(left, before) + min(right, after)
        is_seen = 1 + min(left, after) + min(right, before)
        # A row of all keys and a column of all queries, less what the window has.
        total += (place + 1 + n - place if causal else 2 * n) - sees - is_seen
        for key in chosen:  # a pair of two global tokens stands in a row and a column
            ahead, rest = divmod(key - place, dilation)
            near = rest == 0 and -left <= ahead <= right
            total -= not near and not (causal and key > place)
    return total


def block_pairs(
    layout: Bool[Tensor, "block block"], size: int, n: int, *, causal: bool = False
) -> int:
    """Count the pairs of block-sparse attention.

    Args:
        layout: True where a block of queries may look at a block of keys.
        size: Tokens in a block.
        n: Length of the text, in tokens; the last block may hold fewer.
        causal: Nobody looks ahead.

    Raises:
        ValueError: If the size is no whole number >= 1.

    Example:
        >>> import torch
        >>> layout = torch.tensor([[True, False], [True, True]])
        >>> block_pairs(layout, 2, 4), block_pairs(layout, 2, 3)
        (12, 7)

    Source: BigBird (Zaheer et al. 2020), appendix D. Built in lesson 05.
    """
    check_size(size)
    lengths = [min(size, max(0, n - block * size)) for block in range(layout.shape[0])]
    total = 0
    for row, column in (layout.tril() if causal else layout).nonzero().tolist():
        if causal and row == column:
            total += _triangle(lengths[row])
        else:
            total += lengths[row] * lengths[column]
    return total


def chunk_pairs(n: int, *, size: int, overlap: int = 0) -> int:
    """Count the pairs of chunks that are read on their own, each by full attention.

    Args:
        n: Length of the document, in tokens.
        size: Length of a chunk, in tokens.
        overlap: Tokens that neighbours share.

    Raises:
        ValueError: If the document is empty or the overlap leaves no step forward.

    Example:
        >>> chunk_pairs(9, size=4, overlap=1)
        48

    Source: `longctx_edu.chunking.split`. Built in lesson 04.
    """
    return sum(full_pairs(len(chunk)) for chunk in split(n, size=size, overlap=overlap))


def _triangle(n: int) -> int:
    """Sum the numbers from 1 to n."""
    return n * (n + 1) // 2


def _one_side(n: int, side: int, dilation: int) -> int:
    """Sum, over all tokens, the keys on one side: `min(side, place // dilation)`."""
    whole, rest = divmod(n, dilation)
    short = min(side, whole)  # so many steps from the end, the side is not yet full
    steps = _triangle(short - 1) + side * (whole - short)
    return dilation * steps + rest * min(side, whole)
