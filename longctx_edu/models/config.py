"""The sizes of a model: numbers only, saved beside the weights."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class EncoderConfig:
    """Sizes of an encoder that is trained from nothing.

    The defaults learn the Gazette on two cores in about half a minute.

    Args:
        n_layers: Blocks, one after another.
        n_heads: Attention heads a block; divides `d_model`.
        d_model: Width of a token's vector.
        d_ff: Width inside the feed-forward part.
        conv_width: Words that the convolution before the first block sees at once;
            odd.
        n_buckets: Rows of the table that hashed word features share.
        dropout: Share of the numbers set to 0 in training.
        hide: Share of the words whose meaning training leaves out.
        alike_gain: Length of a query over the length of its token, before training.
        global_projections: Give global tokens projections of their own.

    Raises:
        ValueError: If a size is below 1, the heads do not divide the width, the
            convolution is even, or a share is none.

    Example:
        >>> EncoderConfig(d_model=32, n_heads=2).d_ff
        128
    """

    n_layers: int = 2
    n_heads: int = 1
    d_model: int = 64
    d_ff: int = 128
    conv_width: int = 9
    n_buckets: int = 16384
    dropout: float = 0.0
    hide: float = 0.35
    alike_gain: float = 1.5
    global_projections: bool = False

    def __post_init__(self):
        sizes = {k: v for k, v in asdict(self).items() if type(v) is int}
        for name, size in sizes.items():
            if size < 1:
                raise ValueError(f"need {name} >= 1, got {name}={size}")
        if self.d_model % self.n_heads:
            raise ValueError(
                f"need n_heads that divides d_model, got n_heads={self.n_heads} "
                f"and d_model={self.d_model}"
            )
        if self.conv_width % 2 == 0:
            raise ValueError(f"need an odd conv_width, got {self.conv_width}")
        for name in ("dropout", "hide"):
            share = getattr(self, name)
            if not 0 <= share < 1:
                raise ValueError(f"need 0 <= {name} < 1, got {name}={share}")
        if self.alike_gain <= 0:
            raise ValueError(f"need alike_gain > 0, got {self.alike_gain}")
