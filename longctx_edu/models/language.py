"""Models that name tokens: one text alone, or one text told by another."""

from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from longctx_edu.models.transformer import Transformer


class LanguageModel(nn.Module):
    """Give each token of the vocabulary a logit, at each place of the text.

    With a causal transformer the logits tell the next token, with an encoder the
    token that a mask hides. The table that embeds tokens also names them.

    Args:
        transformer: The model that reads.

    Example:
        >>> import torch
        >>> from longctx_edu.attention import causal_attention
        >>> from longctx_edu.models import TransformerConfig
        >>> config = TransformerConfig(vocab_size=50, d_model=16)
        >>> model = LanguageModel(Transformer(config, causal_attention))
        >>> model(torch.zeros(1, 5, dtype=torch.long)).shape
        torch.Size([1, 5, 50])

    Source: Radford et al. 2018, section 3.1; the shared table: Press and Wolf 2017,
    section 2. Built in lesson 02.
    """

    def __init__(self, transformer: Transformer):
        super().__init__()
        self.transformer = transformer

    def forward(
        self, ids: Int[Tensor, "batch token"], **pattern
    ) -> Float[Tensor, "batch token vocab"]:
        """Name the tokens.

        Args:
            ids: Token ids.
            pattern: What the transformer takes besides: `cache`, `memory`, `keep`.
        """
        return self.name_tokens(self.transformer(ids, **pattern))

    def name_tokens(
        self, x: Float[Tensor, "*batch d_model"]
    ) -> Float[Tensor, "*batch vocab"]:
        """Turn vectors into logits of tokens.

        Args:
            x: Vectors of the transformer.
        """
        return x @ self.transformer.embedding.weight.mT


class EncoderDecoder(nn.Module):
    """Read one text in both directions, and write another that looks at it.

    Args:
        encoder: Reads the source, with an attention that is not causal.
        decoder: Writes the target: causal, made with `cross=True`.

    Raises:
        ValueError: If the decoder cannot look at the encoder's vectors.

    Source: Vaswani et al. 2017, section 3.1 and figure 1. Built in lesson 02.
    """

    def __init__(self, encoder: Transformer, decoder: Transformer):
        super().__init__()
        if any(block.cross is None for block in decoder.blocks):
            raise ValueError("need a decoder made with cross=True, got one without")
        widths = encoder.config.d_model, decoder.config.d_model
        if widths[0] != widths[1]:
            raise ValueError(
                f"need encoder and decoder of one d_model, got {widths[0]} and "
                f"{widths[1]}"
            )
        self.encoder = encoder
        self.decoder = LanguageModel(decoder)

    def forward(
        self,
        source: Int[Tensor, "batch key"],
        target: Int[Tensor, "batch token"],
        *,
        keep: Bool[Tensor, "batch key"] | None = None,
        **pattern,
    ) -> Float[Tensor, "batch token vocab"]:
        """Name the next tokens of the target.

        To generate, encode once and give the result to each step:
        `generate(model.decoder, start, context=model.encoder(source, keep=keep),
        context_keep=keep)`.

        Args:
            source: Token ids of the text that is read.
            target: Token ids written so far.
            keep: True where a token of the source is real.
            pattern: What the decoder takes besides.
        """
        context = self.encoder(source, keep=keep)
        return self.decoder(target, context=context, context_keep=keep, **pattern)
