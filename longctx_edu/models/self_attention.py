"""Self-attention that knows places, shares keys among heads, and may keep them."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from longctx_edu.memory import KVCache, attend_seen, sink_places
from longctx_edu.models.position_layers import Positions
from longctx_edu.models.transformer_config import TransformerConfig
from longctx_edu.shapes import merge_heads, split_heads


class SelfAttention(nn.Module):
    """Project to heads, place, attend, project back.

    Without a cache the attention that the layer received sees the whole text. With
    one, the cache decides what a token sees, as if the whole text were there.

    Args:
        config: The sizes.
        attention: Any `f(q, k, v, **pattern)` of `longctx_edu.attention` that takes
            fewer heads of keys than of queries, and `bias` for ALiBi.
        layer: Number of the layer, from 0: where its keys lie in a cache.

    Source: Vaswani et al. 2017, section 3.2.2; grouped queries: Ainslie et al. 2023,
    section 2.2. Built in lesson 02.
    """

    def __init__(self, config: TransformerConfig, attention: Callable, layer: int):
        super().__init__()
        self.n_heads, self.n_kv_heads = config.n_heads, config.kv_heads
        self.attention, self.layer = attention, layer
        width = config.kv_heads * config.d_head
        self.q_proj = nn.Linear(config.d_model, config.d_model)
        self.k_proj = nn.Linear(config.d_model, width)
        self.v_proj = nn.Linear(config.d_model, width)
        self.out_proj = nn.Linear(config.d_model, config.d_model)

    def forward(
        self,
        x: Float[Tensor, "batch query d_model"],
        places: Int[Tensor, " query"],
        *,
        positions: Positions,
        before: Float[Tensor, "batch key d_model"] | None = None,
        cache: KVCache | None = None,
        **pattern,
    ) -> Float[Tensor, "batch query d_model"]:
        """Let each token look at those that it may see.

        Args:
            x: The tokens that look, and that are looked at.
            places: Their places in the text, in tokens.
            positions: How they know their places.
            before: Tokens of the segment before, with `x` behind them.
            cache: Keys and values of what was read before; takes up the new ones.
            pattern: What the attention function takes besides: `keep`, ...
        """
        context = x if before is None else before
        first = int(places[0]) + x.shape[1] - context.shape[1] if len(places) else 0
        key_places = torch.arange(first, first + context.shape[1], device=x.device)
        q = split_heads(self.q_proj(x), self.n_heads)
        k = split_heads(self.k_proj(context), self.n_kv_heads)
        v = split_heads(self.v_proj(context), self.n_kv_heads)
        k = positions.turn(k, key_places)
        if cache is not None:
            out = self._from_cache(q, k, v, places, positions, cache, pattern)
        else:
            bias = positions.bias(places, key_places)
            if bias is not None:
                pattern = {**pattern, "bias": bias.to(q.dtype)}
            out = self.attention(positions.turn(q, places), k, v, **pattern)
        return self.out_proj(merge_heads(out))

    def _from_cache(self, q, k, v, places, positions, cache, pattern):
        """Attend to what the cache holds, each sink at its place in the cache."""
        if pattern:
            raise ValueError(
                "need no pattern beside a cache, which decides what a token sees, got "
                f"{', '.join(pattern)}"
            )
        seen = cache.extend(self.layer, k, v)
        inside = places
        if cache.sinks:
            inside = sink_places(places, left=cache.left, sinks=cache.sinks)
        bias = positions.bias(places, seen.places)
        if bias is not None and seen.sinks:
            bias[..., : seen.sinks] = positions.bias(inside, seen.places[: seen.sinks])
        return attend_seen(
            positions.turn(q, places),
            seen,
            places,
            left=cache.left,
            q_sinks=positions.turn(q, inside) if cache.sinks else None,
            bias=None if bias is None else bias.to(q.dtype),
        )
