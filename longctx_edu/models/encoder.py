"""An encoder: blocks that receive their attention, after a word embedding."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn

from longctx_edu.models.attention_layer import MultiHeadAttention
from longctx_edu.models.config import EncoderConfig


class EncoderBlock(nn.Module):
    """Attention, then a feed-forward part, each added to what came in.

    Normalisation stands before each part (pre-norm), which trains without warm-up
    tricks.

    Args:
        config: The sizes.
        attention: Any `f(q, k, v, **pattern)` of `longctx_edu.attention`.

    Source: Vaswani et al. 2017, section 3.1; pre-norm: Xiong et al. 2020, figure 1b.
    Built in lesson 02.
    """

    def __init__(self, config: EncoderConfig, attention: Callable):
        super().__init__()
        self.attention_norm = nn.LayerNorm(config.d_model)
        self.attention = MultiHeadAttention(
            config.d_model,
            config.n_heads,
            attention,
            global_projections=config.global_projections,
        )
        self.feed_norm = nn.LayerNorm(config.d_model)
        self.feed = nn.Sequential(
            nn.Linear(config.d_model, config.d_ff),
            nn.GELU(),
            nn.Linear(config.d_ff, config.d_model),
        )
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self, x: Float[Tensor, "batch token d_model"], **pattern
    ) -> Float[Tensor, "batch token d_model"]:
        """Read the text once.

        Args:
            x: Token vectors.
            pattern: What the attention function takes besides: `keep`, ...
        """
        x = x + self.dropout(self.attention(self.attention_norm(x), **pattern))
        return x + self.dropout(self.feed(self.feed_norm(x)))


class WordEmbedding(nn.Module):
    """Turn hashed word features into vectors: what a word means, and which word it is.

    The meaning is learnt and starts at zero, so a word never seen in training adds
    nothing wrong. The identity is a fixed random code of the word's form: it means
    nothing, yet two mentions of one name carry the same code, seen before or not. A
    convolution tells each word what its neighbours mean, and in which order: the
    only sense of position in the model, and one that knows no longest text.

    Args:
        config: The sizes.

    Source: hash embeddings: Svenstrup et al. 2017, section 3; word dropout: Iyyer et
    al. 2015, section 3.2. Built in lesson 09.
    """

    def __init__(self, config: EncoderConfig):
        super().__init__()
        self.hide = config.hide
        self.meaning = nn.Embedding(config.n_buckets, config.d_model)
        nn.init.zeros_(self.meaning.weight)
        codes = torch.randn(config.n_buckets, config.d_model // 2)
        self.register_buffer("codes", codes / 2**0.5)
        self.conv = nn.Conv1d(
            config.d_model,
            config.d_model,
            config.conv_width,
            padding=config.conv_width // 2,
        )

    def forward(
        self, features: Int[Tensor, "batch token feature"]
    ) -> Float[Tensor, "batch token d_model"]:
        """Embed words; a feature of -1 stands for nothing and adds nothing.

        Args:
            features: Two hashes of the word's form, then other features; all -1 in
                padding.
        """
        form, others = features[..., :2], features[..., 2:]
        known = form[..., :1]
        if self.training and self.hide:
            hidden = torch.rand(known.shape, device=known.device) < self.hide
            known = known.masked_fill(hidden, -1)
        meaning = _sum_of_rows(self.meaning.weight, torch.cat([known, others], dim=-1))
        mixed = self.conv(rearrange(meaning, "batch token d -> batch d token"))
        mixed = F.gelu(rearrange(mixed, "batch d token -> batch token d"))
        identity = _sum_of_rows(self.codes, form)
        return meaning + mixed + F.pad(identity, (meaning.shape[-1] // 2, 0))


def _sum_of_rows(
    table: Float[Tensor, "bucket d"], rows: Int[Tensor, "batch token feature"]
) -> Float[Tensor, "batch token d"]:
    present = (rows >= 0).unsqueeze(-1)
    return (F.embedding(rows.clamp_min(0), table) * present).sum(dim=2)


class Encoder(nn.Module):
    """Embed the words, then read the text block by block.

    Args:
        config: The sizes.
        attention: Any `f(q, k, v, **pattern)` of `longctx_edu.attention`.

    Example:
        >>> from longctx_edu.attention import full_attention
        >>> encoder = Encoder(EncoderConfig(d_model=8, n_heads=2), full_attention)
        >>> encoder(torch.zeros(1, 5, 3, dtype=torch.long)).shape
        torch.Size([1, 5, 8])

    Source: Vaswani et al. 2017, figure 1, left. Built in lesson 02.
    """

    def __init__(self, config: EncoderConfig, attention: Callable):
        super().__init__()
        self.embedding = WordEmbedding(config)
        self.blocks = nn.ModuleList(
            EncoderBlock(config, attention) for _ in range(config.n_layers)
        )
        for block in self.blocks:
            block.attention.start_alike(config.alike_gain)
        self.norm = nn.LayerNorm(config.d_model)

    def forward(
        self, features: Int[Tensor, "batch token feature"], **pattern
    ) -> Float[Tensor, "batch token d_model"]:
        """Turn words into vectors that know their text.

        Args:
            features: Hashed word features.
            pattern: What the attention function takes besides: `keep`, ...
        """
        x = self.embedding(features)
        for block in self.blocks:
            x = block(x, **pattern)
        return self.norm(x)
