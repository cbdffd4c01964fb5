"""Attention of new queries to what a cache shows them."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor

from longctx_edu.masks.sinks import check_sinks, window_with_sinks
from longctx_edu.memory.inputs import check_count, check_extras, check_queries
from longctx_edu.memory.seen import Seen


def attend_seen(
    q: Float[Tensor, "batch head query d_head"],
    seen: Seen,
    places: Int[Tensor, " query"],
    *,
    left: int | None,
    q_sinks: Float[Tensor, "batch head query d_head"] | None = None,
    bias: Float[Tensor, "*#batch #query #key"] | None = None,
    keep: Bool[Tensor, "batch key"] | None = None,
    scale: float | None = None,
    block: int = 128,
) -> Float[Tensor, "batch head query d_value"]:
    """Let each new query look at its window and at the sinks, in one softmax.

    Over a whole text it equals `sink_attention`, however the text was split. Queries
    are taken in blocks, so that no more than `block * (sinks + left + block)` scores
    of a head exist at a time.

    Args:
        q: What each token asks of the window, turned for its true place.
        seen: What `KVCache.extend` returned for these tokens.
        places: Their places in the text, in tokens.
        left: Keys visible before the query, itself not counted; None for all.
        q_sinks: What each token asks of the sinks, turned for its place inside the
            cache, `sink_places`; q by default.
        bias: Added to the scores before the softmax.
        keep: True where a key is a real token, False where it is padding.
        scale: Factor on the scores; `1 / sqrt(d_head)` by default.
        block: Most queries at a time.

    Returns:
        One vector a query, 0 for one that may look at no key.

    Raises:
        ValueError: If the tensors do not fit each other, or a number has no meaning.

    Example:
        >>> x = torch.arange(4.0).reshape(1, 1, 4, 1)
        >>> seen = Seen(0 * x, x, torch.arange(4), sinks=1)
        >>> attend_seen(0 * x[:, :, 3:], seen, torch.tensor([3]), left=0).item()
        1.5

    Source: StreamingLLM (Xiao et al. 2024), section 3.2. Built in lesson 07.
    """
    check_sinks(left, seen.sinks)
    check_count("block", block)
    check_queries(q, seen.k, places, q_sinks)
    check_extras(bias, keep, (*q.shape[:3], seen.k.shape[2]))
    scale = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    out = [q.new_empty(*q.shape[:2], 0, seen.v.shape[3])]
    for start in range(0, q.shape[2], block):
        rows = slice(start, start + block)
        some = q[:, :, rows]
        reach = _reach(places[rows], seen, left)
        k, v = reach.keys(seen.k, axis=2), reach.keys(seen.v, axis=2)
        added = None
        if bias is not None:
            added = reach.keys(bias.expand(*q.shape[:3], seen.k.shape[2])[:, :, rows])
        if q_sinks is not None and reach.sinks:
            told = _second_form(q_sinks[:, :, rows], some, k[:, :, : reach.sinks])
            told = F.pad(told * scale, (0, k.shape[2] - reach.sinks))
            added = told if added is None else added + told
        visible = _visible(places[rows], seen, reach, left)
        if keep is not None:
            real = reach.keys(keep)[:, None, None]
            visible = real if visible is None else real & visible
        out.append(_attend(some, k, v, visible=visible, added=added, scale=scale))
    return torch.cat(out, dim=2)


@dataclass(frozen=True)
class _Reach:
    """The keys that a block of queries can see: some sinks, and a stretch of others."""

    sinks: int
    low: int
    high: int

    def keys(self, x, axis=-1):
        """Take these keys along an axis; a view where they lie side by side."""
        if self.sinks == self.low:
            return x.narrow(axis, 0, self.high)
        near = x.narrow(axis, self.low, self.high - self.low)
        return torch.cat([x.narrow(axis, 0, self.sinks), near], dim=axis)


def _reach(places, seen, left):
    """Find the keys that some queries can see."""
    where, n_key = places.tolist(), seen.places.shape[0]
    first, last = min(where), max(where)
    # A key that is no sink stands this many places further than its number says.
    gone = int(seen.places[-1]) + 1 - n_key if n_key else 0
    low = seen.sinks if left is None else max(seen.sinks, first - left - gone)
    low = min(low, n_key)
    high = max(low, min(last + 1 - gone, n_key))
    return _Reach(min(seen.sinks, last + 1), low, high)


def _visible(places, seen, reach, left):
    """Say which query sees which key; None for one query, which sees all in reach."""
    if len(places) == 1:
        return None
    predicate = window_with_sinks(left=left, sinks=seen.sinks)
    return predicate(places[:, None], reach.keys(seen.places))


def _second_form(q_sinks, q, k):
    """Say by how much the sinks' scores are others than those of the first form."""
    wide = torch.promote_types(q.dtype, torch.float32)
    k = k.to(wide).repeat_interleave(q.shape[1] // k.shape[1], dim=1)
    return (q_sinks.to(wide) - q.to(wide)) @ k.mT


def _attend(q, k, v, *, visible, added, scale):
    """Attend in torch's fused kernel; heads that share keys become rows of one head."""
    mask, n_query = added, q.shape[2]
    if added is not None:
        mask = added = added.to(q.dtype)
    if visible is not None:
        sees = visible.any(dim=-1, keepdim=True)
        mask = visible | ~sees  # a blind row gets finite scores first, and then 0
        if added is not None:
            mask = added.masked_fill(~mask, -math.inf)
    if mask is not None:
        mask = _fold(mask.expand(*q.shape[:3], -1), k.shape[1])
    q = _fold(q, k.shape[1])
    out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=scale)
    out = rearrange(out, "b kv (g query) d -> b (kv g) query d", query=n_query)
    return out if visible is None else out.masked_fill(~sees, 0.0)


def _fold(x, n_kv_heads):
    """Put the query heads that share keys one below the other."""
    return rearrange(x, "b (kv g) query d -> b kv (g query) d", kv=n_kv_heads)
