"""The sizes of a Transformer over token ids: numbers and names only."""

from dataclasses import dataclass

from longctx_edu.errors import unknown_name

POSITIONS = ("none", "learned", "sinusoidal", "rotary", "alibi")
NORMS = ("pre", "post")


@dataclass(frozen=True)
class TransformerConfig:
    """Sizes of a Transformer that reads token ids, as an encoder or as a decoder.

    Args:
        vocab_size: Known tokens.
        n_layers: Blocks, one after another.
        n_heads: Heads of queries in a block; divides `d_model`.
        n_kv_heads: Heads of keys and values, each shared by a group of queries;
            divides `n_heads`; as many as `n_heads` by default.
        d_model: Width of a token's vector.
        d_ff: Width inside the feed-forward part.
        max_tokens: Longest text, in tokens: the rows of a learned position table;
            None, no end, for the others.
        positions: How a token knows its place.
        theta: Base of the rotary frequencies.
        norm: Normalise before each part, or after it as in 2017.
        conv_width: Tokens that a causal convolution over the embeddings sees at
            once, the token itself counted; 1 for no convolution.
        dropout: Share of the numbers set to 0 in training.

    Raises:
        ValueError: If a size is below 1, heads do not divide what they must, a name
            is unknown, or a table has no length.

    Example:
        >>> TransformerConfig(vocab_size=100, d_model=32, n_heads=4).d_head
        8

    Source: Vaswani et al. 2017, table 3; grouped queries: Ainslie et al. 2023,
    section 2.2. Built in lesson 02.
    """

    vocab_size: int
    n_layers: int = 2
    n_heads: int = 4
    n_kv_heads: int | None = None
    d_model: int = 128
    d_ff: int = 512
    max_tokens: int | None = None
    positions: str = "rotary"
    theta: float = 10_000.0
    norm: str = "pre"
    conv_width: int = 1
    dropout: float = 0.0

    @property
    def d_head(self) -> int:
        """Width of a query and of a key."""
        return self.d_model // self.n_heads

    @property
    def kv_heads(self) -> int:
        """Heads of keys and values."""
        return self.n_heads if self.n_kv_heads is None else self.n_kv_heads

    def __post_init__(self):
        for name in ("positions", "norm"):
            known = POSITIONS if name == "positions" else NORMS
            if getattr(self, name) not in known:
                raise unknown_name(name, getattr(self, name), known)
        self._check_sizes()
        if self.d_model % self.n_heads or self.n_heads % self.kv_heads:
            raise ValueError(
                "need n_heads that divides d_model, and n_kv_heads that divides "
                f"n_heads, got d_model={self.d_model}, n_heads={self.n_heads} and "
                f"n_kv_heads={self.kv_heads}"
            )
        if self.positions == "rotary" and self.d_head % 2:
            raise ValueError(
                "need an even width of a head for rotary positions, got "
                f"d_model / n_heads = {self.d_head}"
            )
        if (self.positions == "learned") != (self.max_tokens is not None):
            raise ValueError(
                "need max_tokens for learned positions, which have a table, and for "
                f"no others, got max_tokens={self.max_tokens} and "
                f"positions={self.positions!r}"
            )

    def _check_sizes(self):
        names = "vocab_size n_layers n_heads kv_heads d_model d_ff conv_width"
        sizes = {name: getattr(self, name) for name in names.split()}
        if self.max_tokens is not None:
            sizes["max_tokens"] = self.max_tokens
        for name, size in sizes.items():
            if type(size) is not int or size < 1:
                raise ValueError(f"need {name} >= 1, got {name}={size}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"need 0 <= dropout < 1, got dropout={self.dropout}")
        if self.theta <= 1:
            raise ValueError(f"need theta > 1, got theta={self.theta}")
