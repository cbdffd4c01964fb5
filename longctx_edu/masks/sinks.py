"""A window that looks back, and the first tokens of the text beside it."""

from longctx_edu.masks.causal import causal
from longctx_edu.masks.predicate import Predicate
from longctx_edu.masks.window import window


def check_sinks(left: int | None, sinks: int) -> None:
    """Refuse a window or a number of sinks that has no meaning.

    Args:
        left: Keys visible before the query, itself not counted; None for all.
        sinks: First tokens of the text that every later query sees.

    Raises:
        ValueError: If one is no whole number >= 0, or sinks come without a window.
    """
    if left is not None and (type(left) is not int or left < 0):
        raise ValueError(f"need left that is a whole number >= 0 or None, got {left}")
    if type(sinks) is not int or sinks < 0:
        raise ValueError(f"need sinks that are a whole number >= 0, got {sinks}")
    if sinks and left is None:
        raise ValueError(
            f"need left beside sinks, got sinks={sinks} and left=None, under which "
            "every query sees the first tokens anyway"
        )


def window_with_sinks(*, left: int | None, sinks: int) -> Predicate:
    """Let each query look at itself, at `left` tokens before, and at the first tokens.

    Nobody looks ahead.

    Args:
        left: Keys visible before the query, itself not counted; None for all.
        sinks: First tokens of the text that every later query sees.

    Raises:
        ValueError: If one is no whole number >= 0, or sinks come without a window.

    Example:
        >>> from longctx_edu.masks import dense_mask
        >>> dense_mask(window_with_sinks(left=1, sinks=1), 5).int()[4].tolist()
        [1, 0, 0, 1, 1]

    Source: StreamingLLM (Xiao et al. 2024), section 3.2, figure 4. Built in lesson 07.
    """
    check_sinks(left, sinks)
    first = Predicate(lambda query, key: (key < sinks) & (query >= 0))
    return (window(left=left, right=0) | first) & causal()
