"""Window attention of the last tokens of a text, whose earlier keys are cached."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from longctx_edu.attention import dense_attention
from longctx_edu.attention.global_rows import find_globals, take_tokens
from longctx_edu.masks import causal, global_tokens, padding, window

_FEWEST = 64  # queries at once, so that a narrow window does not mean many small steps


def cached_attention(
    q: Float[Tensor, "batch head query d_head"],
    k: Float[Tensor, "batch kv_head key d_head"],
    v: Float[Tensor, "batch kv_head key d_value"],
    *,
    left: int | None,
    dilation: int = 1,
    flags: Bool[Tensor, "batch key"] | None = None,
    keep: Bool[Tensor, "batch key"] | None = None,
    scale: float | None = None,
    dropout: float = 0.0,
) -> Float[Tensor, "batch head query d_value"]:
    """Attend from the last tokens of a text, causally; a step costs the window.

    The last query stands at the last key. Keys out of reach are never touched, but
    for global tokens: the mask is `(window | global_tokens) & causal & padding`.

    Args:
        q: What each new token asks for.
        k: What each token of the text offers; with fewer heads, each serves a group
            of q's.
        v: What each token of the text gives.
        left: Keys visible before the query, itself not counted; None for all.
        dilation: Distance between neighbouring visible keys, in tokens.
        flags: True for a global token.
        keep: True where a token is real.
        scale: Factor on the scores; `1 / sqrt(d_head)` by default.
        dropout: Share of the weights set to 0.

    Example:
        >>> q, k = torch.zeros(1, 1, 1, 2), torch.zeros(1, 1, 4, 2)
        >>> v = torch.tensor([8.0, 4.0, 2.0, 0.0]).reshape(1, 1, 4, 1)
        >>> cached_attention(q, k, v, left=1).item()
        1.0

    Source: Mistral 7B (Jiang et al. 2023), section 2, the rolling cache, here as a
    view of a cache that keeps every key.
    """
    n_query, n_key = q.shape[2], k.shape[2]
    far_flags = flags if flags is None or keep is None else flags & keep
    sees = window(left=left, right=0, dilation=dilation)
    sees = sees if flags is None else sees | global_tokens(flags)
    sees = sees & causal() if keep is None else sees & causal() & padding(keep)
    reach = n_key if left is None else left * dilation
    parts = []
    for start in range(n_key - n_query, n_key, max(reach, _FEWEST)):
        end = min(start + max(reach, _FEWEST), n_key)
        low = max(0, start - reach)
        if flags is not None and flags[:, start:end].any():
            low = 0  # a new token that is global sees all before it
        query = torch.arange(start, end, device=q.device)[:, None]
        mask = sees(query, torch.arange(low, end, device=q.device))[..., None, :, :]
        far = None if flags is None else find_globals(far_flags[:, :low])
        part = q[:, :, start - n_key + n_query : end - n_key + n_query]
        near = k[:, :, low:end], v[:, :, low:end]
        keys, values, mask = _with_far(near, (k, v), mask, far)
        copies = q.shape[1] // k.shape[1]
        keys, values = (x.repeat_interleave(copies, dim=1) for x in (keys, values))
        parts.append(
            dense_attention(part, keys, values, mask=mask, scale=scale, dropout=dropout)
        )
    return torch.cat(parts, dim=2)


def _with_far(near, full, mask, far):
    """Put the global tokens that stand before the window in front of its keys."""
    if far is None:
        return *near, mask
    keys, values = (
        torch.cat([take_tokens(x, far), window], dim=2)
        for x, window in zip(full, near, strict=True)
    )
    batch, n_far = far.real.shape
    seen = far.real[:, None, None, :].expand(-1, -1, mask.shape[-2], n_far)
    mask = torch.cat([seen, mask.expand(batch, -1, -1, -1)], dim=-1)
    return keys, values, mask
