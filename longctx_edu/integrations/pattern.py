"""Which pattern a call asks for: from its own arguments, else from the config."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool
from torch import Tensor

from longctx_edu.errors import UserError, unknown_name
from longctx_edu.masks import check_window

WORDS = (
    "longctx_left",
    "longctx_right",
    "longctx_dilation",
    "longctx_global_tokens",
)
"""What is set on a config, or passed with a call."""


@dataclass(frozen=True)
class Pattern:
    """Who may look at whom, padding and causality apart.

    Args:
        left: Keys visible before the query, itself not counted; None for all.
        right: Keys visible after the query, itself not counted; None for all.
        dilation: Distance between neighbouring visible keys, in tokens.
        global_tokens: How many first tokens, which positions, or a flag a token.
    """

    left: int | None
    right: int | None
    dilation: int = 1
    global_tokens: Any = 0


def read_pattern(config: Any, given: Mapping[str, Any], *, causal: bool) -> Pattern:
    """Read the pattern of a call; what is given with the call wins over the config.

    Args:
        config: The config of a transformers model.
        given: Arguments of the call.
        causal: Nobody looks ahead, so that no `longctx_right` is needed.

    Raises:
        UserError: If a name is unknown, or nobody says how wide the window is.
        ValueError: If the window has no meaning.

    Example:
        >>> from types import SimpleNamespace
        >>> config = SimpleNamespace(longctx_left=128, longctx_right=0)
        >>> read_pattern(config, {"longctx_left": 2}, causal=True).left
        2
    """
    for name in given:
        if name.startswith("longctx_") and name not in WORDS:
            raise unknown_name("argument", name, WORDS)
    optional = {"longctx_dilation": 1, "longctx_global_tokens": 0}
    if causal:
        optional["longctx_right"] = 0
    values = []
    for name in WORDS:
        if name not in given and not hasattr(config, name) and name not in optional:
            raise UserError(
                f"need {name}, how many keys a token sees on that side of itself, and "
                f"the config has none: set model.config.{name} = 128, or pass "
                f"{name}=128 with the call"
            )
        default = getattr(config, name, optional.get(name))
        values.append(given.get(name, default))
    check_window(*values[:3])
    return Pattern(*values)


def flag_globals(
    asked: Any,
    keep: Bool[Tensor, "batch token"] | None,
    *,
    batch: int,
    n_tokens: int,
    cached: bool,
    device: torch.device,
) -> Bool[Tensor, "batch token"] | None:
    """Flag the global tokens; None where none are asked for.

    A number and a list count from the first real token of each text, so that padding
    on the left changes nothing.

    Args:
        asked: How many first tokens, a list of positions, or a flag a token.
        keep: True where a token is real; None where all are.
        batch: Texts side by side.
        n_tokens: Length of the text with what is cached of it, in tokens.
        cached: Flags may end before the text does; the rest is not global.
        device: Where the flags are needed.

    Raises:
        UserError: If what is asked for is none of the three, or of another length.
    """
    if isinstance(asked, Tensor):
        return _given_flags(asked, keep, (batch, n_tokens), cached, device)
    check_globals(asked)
    if asked in (0, None) or asked == [] or asked == ():
        return None
    if keep is None:
        place = torch.arange(n_tokens, device=device).expand(batch, -1)
    else:
        place = keep.long().cumsum(dim=1) - 1
    if isinstance(asked, int):
        flags = place < asked
    else:
        flags = torch.isin(place, torch.tensor(list(asked), device=device))
    return flags if keep is None else flags & keep


def check_globals(asked: Any) -> None:
    """Refuse what a config cannot hold as global tokens.

    Args:
        asked: How many first tokens, or a list of positions; None for none.

    Raises:
        UserError: If it is neither.
    """
    numbers = [asked] if not isinstance(asked, list | tuple) else asked
    if asked is not None and any(type(x) is not int or x < 0 for x in numbers):
        raise UserError(
            "need longctx_global_tokens that is a number of first tokens, a list of "
            "positions >= 0, or (with a call) a bool tensor with a flag a token, "
            f"got {asked!r}"
        )


def _given_flags(flags, keep, shape, cached, device):
    """Check flags that came with a call; they may end before a cached text does."""
    batch, n_tokens = shape
    fits = flags.ndim == 2 and flags.dtype == torch.bool and len(flags) == batch
    missing = n_tokens - flags.shape[1] if fits else -1
    if not fits or missing < 0 or (missing > 0 and not cached):
        raise UserError(
            f"need longctx_global_tokens with a bool for each of {batch} x {n_tokens} "
            f"tokens, got shape {tuple(flags.shape)} and {flags.dtype}"
        )
    flags = torch.nn.functional.pad(flags.to(device), (0, missing))
    return flags if keep is None else flags & keep
