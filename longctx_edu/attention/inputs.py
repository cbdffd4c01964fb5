"""What every attention asks of its inputs, said in the caller's words."""

import math

import torch
from torch import Tensor


def check_heads(q: Tensor, k: Tensor, v: Tensor, *, same_length: bool = False) -> None:
    """Refuse queries, keys and values that do not fit each other.

    Args:
        q: What each token asks for.
        k: What each token offers.
        v: What each token gives.
        same_length: Whether there must be as many keys as queries.

    Raises:
        ValueError: If shapes, number formats or devices do not fit each other.
    """
    named = {"q": q, "k": k, "v": v}
    shapes = ", ".join(f"{name} {tuple(x.shape)}" for name, x in named.items())
    if any(x.ndim != 4 for x in named.values()):
        raise ValueError(
            f"need q, k and v of shape (batch, head, token, d), got {shapes}"
        )
    if not q.dtype == k.dtype == v.dtype or not q.is_floating_point():
        formats = ", ".join(f"{name} {x.dtype}" for name, x in named.items())
        raise ValueError(f"need q, k and v of one float format, got {formats}")
    if not q.device == k.device == v.device:
        devices = ", ".join(f"{name} on {x.device}" for name, x in named.items())
        raise ValueError(f"need q, k and v on one device, got {devices}")
    if q.shape[0] != k.shape[0] or k.shape[:3] != v.shape[:3]:
        raise ValueError(
            f"need one batch for all, and as many keys as values, got {shapes}"
        )
    if q.shape[3] != k.shape[3]:
        raise ValueError(f"need queries and keys of one width, got {shapes}")
    if q.shape[3] == 0 or v.shape[3] == 0:
        raise ValueError(f"need vectors of width >= 1, got {shapes}")
    if k.shape[1] < 1 or q.shape[1] < 1 or q.shape[1] % k.shape[1]:
        raise ValueError(
            f"need heads of k and v that divide the heads of q, got {k.shape[1]} "
            f"and {q.shape[1]}"
        )
    if same_length and q.shape[2] != k.shape[2]:
        raise ValueError(
            f"need as many keys as queries, got {k.shape[2]} and {q.shape[2]}"
        )


def check_flags(name: str, flags: Tensor | None, k: Tensor) -> None:
    """Refuse flags that are not one bool a token of each text.

    Args:
        name: The parameter's name.
        flags: The flags; None is fine.
        k: The keys that they belong to.

    Raises:
        ValueError: If their shape, format or device is another.
    """
    if flags is None:
        return
    expected = (k.shape[0], k.shape[2])
    if flags.dtype.is_floating_point or flags.dtype.is_complex or flags.ndim != 2:
        raise ValueError(
            f"need {name} with one bool a token, of shape {expected}, got "
            f"{flags.dtype} of shape {tuple(flags.shape)}"
        )
    if str(flags.dtype) != "torch.bool":
        raise ValueError(
            f"need {name} of bools, True for a token that is meant, got "
            f"{flags.dtype}: say {name}.bool()"
        )
    if tuple(flags.shape) != expected:
        raise ValueError(
            f"need {name} of shape (batch, token) = {expected}, got "
            f"{tuple(flags.shape)}"
        )
    if flags.device != k.device:
        raise ValueError(f"need {name} on {k.device}, got it on {flags.device}")


def check_dropout(dropout: float) -> None:
    """Refuse a share that is none.

    Args:
        dropout: Share of the weights set to 0.

    Raises:
        ValueError: If it is not from 0 up to, and without, 1.
    """
    if not 0 <= dropout < 1:
        raise ValueError(f"need a dropout from 0 to below 1, got {dropout}")


def check_scale(scale: float | None, q: Tensor) -> float:
    """Return the factor on the scores: `1 / sqrt(d_head)` where none is given.

    Args:
        scale: The factor that was asked for.
        q: What each token asks for.

    Raises:
        ValueError: If it is no finite number.
    """
    if scale is None:
        return 1 / math.sqrt(q.shape[-1])
    if not math.isfinite(scale):
        raise ValueError(f"need a scale that is a finite number, got {scale}")
    return float(scale)


def same_format(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Bring tensors to the number format of autocast, where it is on.

    Args:
        *tensors: Queries, keys and values.
    """
    kind = tensors[0].device.type
    if kind == "meta" or not torch.is_autocast_enabled(kind):
        return tensors
    return tuple(x.to(torch.get_autocast_dtype(kind)) for x in tensors)
