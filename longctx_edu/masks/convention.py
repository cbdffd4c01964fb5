"""From another library's number to left and right, and back.

"A window of 128" means 128, 129 or 257 visible keys, by who says it. The table of
who means what is in `convention_table`; the tests ask the installed libraries.
"""

from longctx_edu.errors import unknown_name
from longctx_edu.masks.convention_row import Convention, Sides
from longctx_edu.masks.convention_table import CONVENTIONS
from longctx_edu.masks.window import check_window


def from_convention(name: str, value: int | tuple[int, int]) -> Sides:
    """Translate a window size as another library means it.

    Args:
        name: One of `CONVENTIONS`: library and option.
        value: What that library's user writes, in tokens; a pair for "flash_attn".

    Returns:
        `left` and `right`, ready for `window` and `window_attention`.

    Raises:
        UserError: If no convention has this name.
        ValueError: If its pattern is no window of a fixed left and right, or if the
            library takes no such value.

    Example:
        >>> from_convention("transformers_sliding_causal", 128)
        Sides(left=127, right=0)
        >>> from_convention("transformers_longformer", 128)
        Sides(left=64, right=64)
        >>> from_convention("flash_attn", (64, -1))
        Sides(left=64, right=None)

    Source: the `source` of each row of `CONVENTIONS`. Used in lesson 05.
    """
    convention = _find(name)
    _check_value(convention, value)
    return Sides(*convention.sides(value))


def to_convention(
    name: str, left: int | None, right: int | None
) -> int | tuple[int, int]:
    """Say what to write in another library to get this window.

    Args:
        name: One of `CONVENTIONS`: library and option.
        left: Keys visible before the query, itself not counted; None for all.
        right: Keys visible after the query, itself not counted; None for all.

    Raises:
        UserError: If no convention has this name.
        ValueError: If that library cannot say this window.

    Example:
        >>> to_convention("transformers_sliding_causal", 127, 0)
        128
        >>> to_convention("transformers_longformer", 64, 64)
        128

    Source: the `source` of each row of `CONVENTIONS`. Used in lesson 05.
    """
    convention = _find(name)
    check_window(left, right, 1)
    for value in _candidates(convention, left, right):
        try:
            found = from_convention(name, value)
        except ValueError:
            continue
        if found == (left, right):
            return value
    raise ValueError(
        f"need left and right that {name} can say ({convention.rule}), "
        f"got left={left} and right={right}"
    )


def _find(name: str) -> Convention:
    """Find a convention whose pattern is a window."""
    if name not in CONVENTIONS:
        raise unknown_name("convention", name, CONVENTIONS)
    convention = CONVENTIONS[name]
    if convention.sides is None:
        raise ValueError(
            f"need a pattern of a fixed left and right, got {name}: {convention.rule}. "
            f"Nearest is {convention.nearest}"
        )
    return convention


def _check_value(convention: Convention, value: object) -> None:
    """Refuse what the library itself would refuse or could not mean."""
    kind, sizes = "a whole number", (value,)
    if convention.even:
        kind = "an even number"
    if convention.pair:
        is_pair = isinstance(value, tuple) and len(value) == 2
        kind, sizes = "a pair of whole numbers", value if is_pair else (None,)
    step = 2 if convention.even else 1
    if any(
        type(size) is not int or size < convention.least or size % step
        for size in sizes
    ):
        raise ValueError(
            f"need {kind} >= {convention.least} for {convention.name}, got {value!r}"
        )


def _candidates(
    convention: Convention, left: int | None, right: int | None
) -> tuple[int | tuple[int, int], ...]:
    """List the only values that could mean this window."""
    if convention.pair:
        return ((-1 if left is None else left, -1 if right is None else right),)
    if left is None or right is None:
        return ()
    return (2 * left, left, left + 1 + right)
