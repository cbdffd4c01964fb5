"""A sliding window: each query looks at its near neighbours.

The window says how many keys are visible before and after the query. It knows
nothing of causality, padding or global tokens: compose it with those masks.
"""

from longctx_edu.masks.predicate import Predicate


def check_window(left: int | None, right: int | None, dilation: int) -> None:
    """Refuse a window that has no meaning.

    Args:
        left: Keys visible before the query; None for all.
        right: Keys visible after the query; None for all.
        dilation: Distance between neighbouring visible keys, in tokens.

    Raises:
        ValueError: If a side is not a whole number >= 0 or None, or the dilation is
            not a whole number >= 1.
    """
    for side in (left, right):
        if side is not None and (type(side) is not int or side < 0):
            raise ValueError(
                "need left and right that are whole numbers >= 0 or None, "
                f"got left={left} and right={right}"
            )
    if type(dilation) is not int or dilation < 1:
        raise ValueError(f"need a dilation that is a whole number >= 1, got {dilation}")


def window(*, left: int | None, right: int | None, dilation: int = 1) -> Predicate:
    """Let each query look at `left` keys before and `right` keys after itself.

    Dilation keeps the number of keys and stretches their distance, so the
    reach grows to `left * dilation` while the cost stays.

    Args:
        left: Keys visible before the query, itself not counted; None for all.
        right: Keys visible after the query, itself not counted; None for all.
        dilation: Distance between neighbouring visible keys, in tokens.

    Raises:
        ValueError: If a side is negative or no whole number, or the dilation is
            below 1.

    Example:
        >>> from longctx_edu.masks import dense_mask
        >>> dense_mask(window(left=1, right=0), 4).int()[2].tolist()
        [0, 1, 1, 0]

    Source: Longformer (Beltagy et al. 2020), section 3.1, whose w is left + right
    with left = right. Built in lesson 05.
    """
    check_window(left, right, dilation)

    def allows(query, key):
        offset = key - query
        near = offset % dilation == 0
        if left is not None:
            near = near & (offset >= -left * dilation)
        if right is not None:
            near = near & (offset <= right * dilation)
        return near

    return Predicate(allows)
