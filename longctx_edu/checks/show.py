"""Values as a learner reads them: small, rounded, one line a row."""

import itertools
from collections.abc import Mapping

import torch
from torch import Tensor

ROWS, COLUMNS, LETTERS = 10, 12, 300


def show(value: object) -> str:
    """Write a value in a few short lines.

    Args:
        value: A tensor becomes rows of numbers, a mask becomes squares, a mapping a
            line for each name, a string stays as it is.

    Example:
        >>> import torch
        >>> print(show(torch.eye(2, dtype=torch.bool)))
        ■ ·
        · ■
        >>> print(show({"q": torch.tensor([1.0, -2.5]), "n_heads": 2}))
        q = 1 -2.5
        n_heads = 2
    """
    if isinstance(value, Mapping):
        parts = itertools.islice(value.items(), ROWS)
        lines = [named(name, part) for name, part in parts]
        return "\n".join(lines + ["..."] * (len(value) > ROWS))
    if isinstance(value, Tensor):
        return show_tensor(value.detach())
    if type(value) in (list, tuple):
        value = value[:LETTERS]  # more would be cut in any case
    return short(value if isinstance(value, str) else repr_of(value))


def short(text: str, letters: int = LETTERS) -> str:
    """Cut a long text, and escape what no page can show.

    Args:
        text: Any.
        letters: How many to keep.

    Example:
        >>> short("abcde", 3)
        'abc ...'
    """
    cut = text if len(text) <= letters else text[:letters] + " ..."
    return cut.encode("utf-8", "backslashreplace").decode()


def repr_of(value: object) -> str:
    """Write any value, also one that does not let itself be written."""
    try:
        return repr(value)
    except Exception as error:
        return f"{type(value).__name__}, whose repr stops with {type(error).__name__}"


def named(name: object, value: object) -> str:
    """Put a name before its value; a value of several lines starts on its own."""
    text = show(value)
    rows = "".join(f"\n  {line}" for line in text.split("\n"))
    return f"{name} ={rows}" if "\n" in text else f"{name} = {text}"


def show_tensor(value: Tensor) -> str:
    """Write rows; of more than two axes the last two, at the first place."""
    if value.numel() == 0:
        return f"nothing, shape {tuple(value.shape)}"
    if value.is_meta or value.layout != torch.strided:
        return f"shape {tuple(value.shape)}, {value.layout} on {value.device}"
    head = ""
    if value.ndim > 2:
        head = f"shape {tuple(value.shape)}, its first square:\n"
        value = value.reshape(-1, *value.shape[-2:])[0]
    rows = value.reshape(-1, value.shape[-1] if value.ndim else 1)
    rows = rows[: ROWS + 1, : COLUMNS + 1].tolist()
    cells = [[show_number(x) for x in row[:COLUMNS]] for row in rows[:ROWS]]
    width = max(len(cell) for row in cells for cell in row)
    lines = [" ".join(f"{c:>{width}}" for c in row).rstrip() for row in cells]
    lines = [line + " ..." * (len(rows[0]) > COLUMNS) for line in lines]
    if len(lines) == 1:
        lines = [" ".join(cells[0]) + " ..." * (len(rows[0]) > COLUMNS)]
    return head + "\n".join(lines + ["..."] * (len(rows) > ROWS))


def show_number(number: bool | int | float | complex) -> str:
    """Write a bool as a square, a float with four digits."""
    if isinstance(number, bool):
        return "■" if number else "·"
    return str(number) if isinstance(number, int) else f"{number + 0.0:.4g}"
