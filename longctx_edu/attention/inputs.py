"""What every attention asks of its inputs, said in the caller's words."""

import functools
import math
from collections.abc import Callable

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


def check_pairs(
    q: Tensor, k: Tensor, *, mask: Tensor | None = None, bias: Tensor | None = None
) -> None:
    """Refuse a mask or a bias that does not say something of each query and key.

    Args:
        q: What each token asks for.
        k: What each token offers.
        mask: True where the query may look at the key.
        bias: Added to the scores.

    Raises:
        ValueError: If the kinds or shapes do not fit.
    """
    if q.shape[-1] != k.shape[-1] or q.shape[-1] == 0:
        raise ValueError(
            "need queries and keys of one width >= 1, got q "
            f"{tuple(q.shape)} and k {tuple(k.shape)}"
        )
    if q.dtype != k.dtype and not _autocasts(q):
        raise ValueError(f"need q and k of one format, got {q.dtype} and {k.dtype}")
    if mask is not None and mask.dtype != torch.bool:
        raise ValueError(
            "need a mask of bools, True where the query may look at the key, got "
            f"{mask.dtype}: numbers that are added to the scores are a bias"
        )
    if bias is not None and bias.dtype != q.dtype and not _autocasts(q):
        raise ValueError(
            f"need a bias in the format of q, got {bias.dtype} and {q.dtype}: "
            "say bias.to(q.dtype)"
        )
    scores = (*q.shape[:-1], k.shape[-2])
    for name, x in (("mask", mask), ("bias", bias)):
        if x is not None and not _broadcasts(x.shape, scores):
            raise ValueError(
                f"need a {name} of shape (..., query, key) = {scores}, or 1 in an "
                f"axis, got {tuple(x.shape)}"
            )


def _broadcasts(shape, to):
    """Say whether a shape stretches to another, axis by axis from the last."""
    pairs = zip(reversed(shape), reversed(to), strict=False)
    return len(shape) <= len(to) and all(a in (1, b) for a, b in pairs)


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

    Float64 stays, as everywhere in autocast.

    Args:
        *tensors: Queries, keys and values.
    """
    if not _autocasts(tensors[0]):
        return tensors
    short = torch.get_autocast_dtype(tensors[0].device.type)
    return tuple(
        x.to(short) if x.is_floating_point() and x.dtype != torch.float64 else x
        for x in tensors
    )


def outside_autocast(step: Callable) -> Callable:
    """Let a pass of an autograd function choose its number formats itself.

    Autocast would round the scores forward; the weights that the backward pass makes
    again from the log-sum-exp would be others.

    Args:
        step: The forward or the backward pass; its first argument is a tensor.
    """

    @functools.wraps(step)
    def exact(ctx, *args):
        if not _autocasts(args[0]):
            return step(ctx, *args)
        with torch.autocast(args[0].device.type, enabled=False):
            return step(ctx, *args)

    return exact


def _autocasts(x):
    """Say whether autocast is on where a tensor lies."""
    kind = x.device.type
    return kind != "meta" and torch.is_autocast_enabled(kind)
