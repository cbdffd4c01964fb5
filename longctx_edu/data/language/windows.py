"""Cut a long text into windows that fit a model's context, and score each token once.

Position t of a window is asked for the token at t + 1. So a window of `n_tokens`
inputs needs one token more.
"""

import torch
from jaxtyping import Int
from torch import Tensor

IGNORED = -100
"""The target that a loss leaves out: torch's `ignore_index`."""


def windows(
    ids: Int[Tensor, " place"], *, n_tokens: int, step: int | None = None
) -> list[Int[Tensor, " {n_tokens}+1"]]:
    """Cut windows for training, each of `n_tokens` inputs and the token after them.

    With the step left out, no token is asked for twice; the rest of the text that
    fills no window, fewer than `n_tokens` tokens, is left out. A result on held-out
    text needs every token: take `scored_windows`.

    Args:
        ids: The text.
        n_tokens: Inputs of a window, in tokens.
        step: Tokens between the starts of neighbours; None = `n_tokens`.

    Raises:
        ValueError: If the text is too short for one window, or the step below 1.

    Returns:
        Windows of `n_tokens + 1` ids: inputs `[:-1]`, targets `[1:]`.

    Example:
        >>> ids = torch.arange(8)
        >>> [window.tolist() for window in windows(ids, n_tokens=3)]
        [[0, 1, 2, 3], [3, 4, 5, 6]]

    Source: Built in lesson 02.
    """
    step = n_tokens if step is None else step
    _check(ids, n_tokens)
    if step < 1:
        raise ValueError(f"need step >= 1, got step={step}")
    starts = range(0, len(ids) - n_tokens, step)
    return [ids[start : start + n_tokens + 1] for start in starts]


def scored_windows(
    ids: Int[Tensor, " place"], *, n_tokens: int, step: int | None = None
) -> tuple[Int[Tensor, "batch {n_tokens}"], Int[Tensor, "batch {n_tokens}"]]:
    """Cut windows for a test: each token of the text but the first is scored once.

    The last window is moved back until it is full. Where windows overlap, the first
    of them scores; the target of the others is `IGNORED`. A smaller step gives each
    token more context, at more cost: every one but the first few is scored with at
    least `n_tokens - step` tokens before its own input.

    Args:
        ids: The text.
        n_tokens: Inputs of a window, in tokens.
        step: Tokens between the starts of neighbours; None = `n_tokens`.

    Raises:
        ValueError: If the text is too short for one window, or the step is not
            between 1 and `n_tokens`.

    Returns:
        The inputs, and the target of each: the next token or `IGNORED`.

    Example:
        >>> inputs, targets = scored_windows(torch.arange(6), n_tokens=3)
        >>> inputs.tolist()
        [[0, 1, 2], [2, 3, 4]]
        >>> targets.tolist()
        [[1, 2, 3], [-100, 4, 5]]

    Source: Sliding-window evaluation, Press et al. 2022, appendix B. Built in lesson
    02.
    """
    step = n_tokens if step is None else step
    _check(ids, n_tokens)
    if not 1 <= step <= n_tokens:
        raise ValueError(
            f"need 1 <= step <= n_tokens, got step={step} and n_tokens={n_tokens}"
        )
    last = len(ids) - 1 - n_tokens
    starts = torch.tensor([*range(0, last, step), last])
    places = starts[:, None] + torch.arange(n_tokens)
    scored_until = torch.cat([torch.tensor([-1]), places[:-1, -1]])
    targets = ids[places + 1].masked_fill(places <= scored_until[:, None], IGNORED)
    return ids[places], targets


def _check(ids: Int[Tensor, " place"], n_tokens: int) -> None:
    """Refuse a window without inputs, and a text that fills none."""
    if n_tokens < 1:
        raise ValueError(f"need n_tokens >= 1, got n_tokens={n_tokens}")
    if len(ids) < n_tokens + 1:
        raise ValueError(
            f"need a text of at least {n_tokens + 1} tokens for a context of "
            f"{n_tokens}, got {len(ids)}"
        )
