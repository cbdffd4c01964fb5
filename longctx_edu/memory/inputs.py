"""What a memory asks of its inputs, said in the caller's words."""

import torch
from torch import Tensor


def check_count(name: str, count: int, least: int = 1) -> None:
    """Refuse a number of layers or tokens that is none.

    Args:
        name: The parameter's name.
        count: The number.
        least: The smallest that is allowed.

    Raises:
        ValueError: If it is no whole number from `least` on.
    """
    if type(count) is not int or count < least:
        raise ValueError(f"need {name} that is a whole number >= {least}, got {count}")


def check_pair(k: Tensor, v: Tensor) -> None:
    """Refuse keys and values that are not those of the same tokens.

    Args:
        k: What each token offers.
        v: What each token gives.

    Raises:
        ValueError: If shapes, number formats or devices do not fit each other.
    """
    got = f"got k {tuple(k.shape)} and v {tuple(v.shape)}"
    if k.ndim != 4 or v.ndim != 4:
        raise ValueError(f"need k and v of shape (batch, head, token, d), {got}")
    if k.shape[:3] != v.shape[:3]:
        raise ValueError(f"need as many values as keys in each head and text, {got}")
    if k.dtype != v.dtype or not k.is_floating_point():
        raise ValueError(
            f"need k and v of one float format, got {k.dtype} and {v.dtype}"
        )
    if k.device != v.device:
        raise ValueError(f"need k and v on one device, got {k.device} and {v.device}")


def check_same(holder: str, known: dict | None, new: dict) -> dict:
    """Refuse vectors of another kind than those that are held already.

    Args:
        holder: What holds them: "cache", "memory".
        known: Each property of what is held, by its name; None where nothing is.
        new: The same of what comes.

    Returns:
        The properties that hold from now on.

    Raises:
        ValueError: If one differs.
    """
    for name, was in (known or {}).items():
        if new[name] != was:
            raise ValueError(
                f"need the {holder}'s {name} of {was}, got {new[name]}: what was read "
                "before belongs to it; clear() forgets that"
            )
    return new


def check_queries(
    q: Tensor, k: Tensor, places: Tensor, q_sinks: Tensor | None = None
) -> None:
    """Refuse queries that do not fit the keys that they look at.

    Args:
        q: What each token asks for.
        k: What they look at.
        places: Where the queries stand.
        q_sinks: The queries in the form for sinks; None where there is no other.

    Raises:
        ValueError: If shapes, number formats or devices do not fit each other.
    """
    if q.ndim != 4:
        raise ValueError(
            f"need q of shape (batch, head, query, d), got {tuple(q.shape)}"
        )
    if q_sinks is not None and q_sinks.shape != q.shape:
        raise ValueError(
            f"need q_sinks of the shape of q, {tuple(q.shape)}, got "
            f"{tuple(q_sinks.shape)}"
        )
    shapes = f"got q {tuple(q.shape)} and k {tuple(k.shape)}"
    if q.shape[0] != k.shape[0] or q.shape[3] != k.shape[3]:
        raise ValueError(f"need queries and keys of one batch and one width, {shapes}")
    if q.shape[1] < 1 or q.shape[1] % k.shape[1]:
        raise ValueError(f"need heads of k that divide the heads of q, {shapes}")
    if places.shape != q.shape[2:3]:
        raise ValueError(
            f"need one place a query, of shape {tuple(q.shape[2:3])}, got shape "
            f"{tuple(places.shape)}"
        )
    for x in (q, q_sinks):
        if x is not None and (x.dtype, x.device) != (k.dtype, k.device):
            raise ValueError(
                f"need queries in the format and on the device of the keys, {k.dtype} "
                f"on {k.device}, got {x.dtype} on {x.device}"
            )


def check_extras(
    bias: Tensor | None, keep: Tensor | None, scores: tuple[int, ...]
) -> None:
    """Refuse a bias or flags that do not fit the scores.

    Args:
        bias: Added to the scores.
        keep: True where a key is a real token.
        scores: Sizes of the scores: texts, heads, queries, keys.

    Raises:
        ValueError: If the shapes or kinds do not fit.
    """
    if bias is not None:
        pairs = zip(reversed(bias.shape), reversed(scores), strict=False)
        if bias.ndim > 4 or bias.ndim < 2 or any(a not in (1, b) for a, b in pairs):
            raise ValueError(
                f"need a bias of shape (..., query, key) = {scores}, or 1 in an axis, "
                f"got {tuple(bias.shape)}"
            )
    wanted = scores[0], scores[3]
    if keep is not None and (keep.shape != wanted or keep.dtype != torch.bool):
        raise ValueError(
            f"need keep with one bool a key that is seen, of shape {wanted}, got "
            f"{keep.dtype} of shape {tuple(keep.shape)}"
        )
