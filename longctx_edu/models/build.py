"""From names and numbers to a model: the only place that maps a word to a class."""

from collections.abc import Callable
from functools import partial

from jaxtyping import Bool, Float
from torch import Tensor, nn

from longctx_edu.attention import causal_attention, full_attention, window_attention
from longctx_edu.errors import unknown_name
from longctx_edu.models.config import EncoderConfig
from longctx_edu.models.encoder import Encoder
from longctx_edu.models.heads import TokenClassifier
from longctx_edu.models.language import LanguageModel
from longctx_edu.models.transformer import Transformer
from longctx_edu.models.transformer_config import TransformerConfig

ATTENTIONS = ("full", "window")


def attention_named(name: str, *, left: int = 32, right: int = 32) -> Callable:
    """Return an attention that takes `keep` and `global_tokens`, by its name.

    Args:
        name: "full", where global tokens change nothing, or "window".
        left: Keys that a window shows before the query.
        right: Keys that a window shows after the query.

    Raises:
        ValueError: If the name is unknown.

    Example:
        >>> attention_named("window", left=2, right=0).keywords
        {'left': 2, 'right': 0}
    """
    if name == "full":
        return _full
    if name == "window":
        return partial(window_attention, left=left, right=right)
    raise unknown_name("attention", name, ATTENTIONS)


def build_tagger(
    config: EncoderConfig,
    n_labels: int,
    attention: Callable,
    transitions: nn.Module | None = None,
) -> TokenClassifier:
    """Build an encoder with a token head, with fresh weights.

    Args:
        config: The sizes.
        n_labels: Number of labels.
        attention: What `attention_named` returns, or one of your own.
        transitions: What a step between labels is worth; None: nothing is kept.

    Example:
        >>> tagger = build_tagger(EncoderConfig(), 9, attention_named("full"))
        >>> sum(p.numel() for p in tagger.parameters()) > 300_000
        True
    """
    encoder = Encoder(config, attention)
    return TokenClassifier(
        encoder, config.d_model, n_labels, config.dropout, transitions
    )


def build_language_model(
    config: TransformerConfig, *, left: int | None = None, causal: bool = True
) -> LanguageModel:
    """Build a model that tells the next token, or the masked ones, with fresh weights.

    Args:
        config: The sizes.
        left: Keys visible before a token in each layer, itself not counted; None for
            all. Without `causal` as many are visible after it.
        causal: Whether it reads forwards; else it fills in masked tokens.

    Example:
        >>> model = build_language_model(TransformerConfig(vocab_size=50), left=8)
        >>> model.transformer.blocks[0].attention.attention.keywords
        {'left': 8}
    """
    if causal:
        attention = partial(causal_attention, left=left)
    elif left is None:
        attention = full_attention
    else:
        attention = partial(window_attention, left=left, right=left)
    return LanguageModel(Transformer(config, attention))


def _full(
    q: Float[Tensor, "batch head token d_head"],
    k: Float[Tensor, "batch head token d_head"],
    v: Float[Tensor, "batch head token d_value"],
    *,
    keep: Bool[Tensor, "batch token"] | None = None,
    global_tokens: Bool[Tensor, "batch token"] | None = None,
) -> Float[Tensor, "batch head token d_value"]:
    """Full attention, in which every token already sees all."""
    return full_attention(q, k, v, keep=keep)
