"""A Transformer over token ids: an encoder or a decoder, by the attention it receives.

With `causal_attention` it reads forwards and can keep what it has read in a cache or a
memory; with any other attention it is an encoder.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from longctx_edu.attention import full_attention
from longctx_edu.memory import KVCache, SegmentMemory
from longctx_edu.models.attention_layer import MultiHeadAttention
from longctx_edu.models.position_layers import positions_of
from longctx_edu.models.self_attention import SelfAttention
from longctx_edu.models.transformer_config import TransformerConfig


class TransformerBlock(nn.Module):
    """Self-attention, attention to another text where there is one, feed-forward.

    Each part is added to what came in. It is normalised before each part (pre-norm),
    or after the sum (post-norm), as in 2017.

    Args:
        config: The sizes.
        attention: Any `f(q, k, v, **pattern)` of `longctx_edu.attention`.
        layer: Number of the block, from 0.
        cross: Whether tokens also look at another text.

    Source: Vaswani et al. 2017, section 3.1 and figure 1; pre-norm: Xiong et al. 2020,
    figure 1b. Built in lesson 02.
    """

    def __init__(
        self,
        config: TransformerConfig,
        attention: Callable,
        layer: int,
        *,
        cross: bool = False,
    ):
        super().__init__()
        width = config.d_model
        self.pre, self.layer = config.norm == "pre", layer
        self.attention_norm = nn.LayerNorm(width)
        self.attention = SelfAttention(config, attention, layer)
        self.cross = None
        if cross:
            self.cross_norm = nn.LayerNorm(width)
            self.cross = MultiHeadAttention(width, config.n_heads, full_attention)
        self.feed_norm = nn.LayerNorm(width)
        self.feed = nn.Sequential(
            nn.Linear(width, config.d_ff), nn.GELU(), nn.Linear(config.d_ff, width)
        )
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self,
        x: Float[Tensor, "batch token d_model"],
        places: Int[Tensor, " token"],
        *,
        memory: SegmentMemory | None = None,
        context: Float[Tensor, "batch key d_model"] | None = None,
        context_keep: Bool[Tensor, "batch key"] | None = None,
        **how,
    ) -> Float[Tensor, "batch token d_model"]:
        """Read the text once.

        Args:
            x: Token vectors.
            places: Their places in the text, in tokens.
            memory: Inputs of this block from the segments before.
            context: The other text, as an encoder's vectors.
            context_keep: True where a token of the other text is real.
            how: What `SelfAttention` takes besides: `positions`, `cache`, `keep`, ...
        """
        before = None if memory is None else memory.extend(self.layer, x)
        norm = self.attention_norm if self.pre else nn.Identity()
        how["before"] = None if before is None else norm(before)
        x = self._add(
            x, self.attention_norm, lambda x: self.attention(x, places, **how)
        )
        if self.cross is not None:
            x = self._add(
                x,
                self.cross_norm,
                lambda x: self.cross(x, context, keep=context_keep),
            )
        return self._add(x, self.feed_norm, self.feed)

    def _add(self, x, norm, part, **how):
        if self.pre:
            return x + self.dropout(part(norm(x), **how))
        return norm(x + self.dropout(part(x, **how)))


class Transformer(nn.Module):
    """Embed the tokens, tell them their places, then read the text block by block.

    Args:
        config: The sizes.
        attention: Any `f(q, k, v, **pattern)` of `longctx_edu.attention`:
            `causal_attention` for a decoder, `full_attention` for an encoder.
        cross: Whether each block also looks at another text.

    Example:
        >>> from longctx_edu.attention import causal_attention
        >>> config = TransformerConfig(vocab_size=50, d_model=16)
        >>> decoder = Transformer(config, causal_attention)
        >>> decoder(torch.zeros(1, 5, dtype=torch.long)).shape
        torch.Size([1, 5, 16])

    Source: Vaswani et al. 2017, figure 1. Built in lesson 02.
    """

    def __init__(
        self, config: TransformerConfig, attention: Callable, *, cross: bool = False
    ):
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.d_model)
        nn.init.normal_(self.embedding.weight, std=config.d_model**-0.5)
        self.conv = ShortConvolution(config) if config.conv_width > 1 else None
        self.positions = positions_of(config)
        self.blocks = nn.ModuleList(
            TransformerBlock(config, attention, layer, cross=cross)
            for layer in range(config.n_layers)
        )
        self.norm = nn.LayerNorm(config.d_model) if config.norm == "pre" else None
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self,
        ids: Int[Tensor, "batch token"],
        *,
        cache: KVCache | None = None,
        memory: SegmentMemory | None = None,
        **pattern,
    ) -> Float[Tensor, "batch token d_model"]:
        """Turn tokens into vectors that know their text.

        Args:
            ids: Token ids; with a cache or a memory, those that come next.
            cache: Keys and values of what was read before; takes up the new ones.
            memory: Inputs of each block from the segments before; takes up the new.
            pattern: What the attention takes besides: `keep`, `global_tokens`; and
                `context`, `context_keep`: the text that a `cross` model looks at.

        Raises:
            ValueError: If both cache and memory come, or tokens that carry their place
                with them meet a cache that gives them others.
        """
        past = self._past(cache, memory)
        places = past + torch.arange(ids.shape[1], device=ids.device)
        x = self.embedding(ids) * self.config.d_model**0.5
        if self.conv is not None:
            x = self.conv(x, self._tail(cache if memory is None else memory))
        x = self.dropout(self.positions.add(x, places))
        how = {"positions": self.positions, "cache": cache, "memory": memory, **pattern}
        for block in self.blocks:
            x = block(x, places, **how)
        return x if self.norm is None else self.norm(x)

    def _past(self, cache, memory):
        """Check what was read before, and count its tokens."""
        if cache is not None and memory is not None:
            raise ValueError("need a cache or a memory, got both")
        if cache is not None and cache.sinks and self.positions.absolute:
            raise ValueError(
                "need positions that act on queries and keys (rotary, alibi, none) for "
                f"a cache with sinks, got {self.config.positions}: its tokens carry "
                "their place in the text with them"
            )
        holder = cache if memory is None else memory
        return 0 if holder is None else holder.n_tokens

    def _tail(self, holder):
        """Find the embeddings that a cache or a memory keeps for the convolution."""
        if holder is None:
            return None
        length = self.config.conv_width - 1
        return holder.beside.setdefault("words", SegmentMemory(1, length=length))


class ShortConvolution(nn.Module):
    """Tell each token which tokens stand directly before it, and in which order.

    Args:
        config: The sizes.

    Source: short convolutions before attention: Arora et al. 2023 (Zoology), section 4.
    """

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.width = config.conv_width
        self.conv = nn.Conv1d(config.d_model, config.d_model, self.width)

    def forward(
        self,
        x: Float[Tensor, "batch token d_model"],
        tail: SegmentMemory | None = None,
    ) -> Float[Tensor, "batch token d_model"]:
        """Add to each token what it and its `width - 1` predecessors say together.

        Args:
            x: Token vectors.
            tail: The last tokens read before; takes up the new ones.
        """
        known = x if tail is None else tail.extend(0, x)
        if x.shape[1] == 0:
            return x
        missing = x.shape[1] + self.width - 1 - known.shape[1]
        known = F.pad(known, (0, 0, missing, 0))
        mixed = self.conv(rearrange(known, "batch token d -> batch d token"))
        return x + F.gelu(rearrange(mixed, "batch d token -> batch token d"))
