"""How a Transformer's tokens know their place: one layer a way, all with one face.

A way may add a vector to each token, turn queries and keys, or add a bias to the
scores. What it does not do, it leaves as it is.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from longctx_edu.models.transformer_config import TransformerConfig
from longctx_edu.positions import (
    Frequencies,
    alibi_bias,
    alibi_slopes,
    learned_positions,
    rotary_frequencies,
    rotate,
    rotation,
    sinusoidal,
)


class Positions(nn.Module):
    """No positions at all, and the face of every other way.

    Attributes:
        absolute: Whether a token carries its place in the text with it, so that it
            cannot be given another one later.
    """

    absolute = False

    def add(
        self, x: Float[Tensor, "batch token d_model"], places: Int[Tensor, " token"]
    ) -> Float[Tensor, "batch token d_model"]:
        """Give each token's vector its place.

        Args:
            x: Token vectors.
            places: Place of each token, in tokens from the start of the text.
        """
        return x

    def turn(
        self,
        x: Float[Tensor, "batch head token d_head"],
        places: Int[Tensor, " token"],
    ) -> Float[Tensor, "batch head token d_head"]:
        """Turn queries or keys by their places.

        Args:
            x: Queries or keys.
            places: Place of each token, in tokens from the start of the text.
        """
        return x

    def bias(
        self, queries: Int[Tensor, " query"], keys: Int[Tensor, " key"]
    ) -> Float[Tensor, "head query key"] | None:
        """Say what is added to the scores; None for nothing.

        Args:
            queries: Places of the queries, in tokens.
            keys: Places of the keys, in tokens.
        """
        return None


class LearnedPositions(Positions):
    """A trained vector for each place, which ends where the table ends.

    The rows start as long as the tokens' vectors, so that training uses them early.

    Args:
        max_tokens: Rows of the table.
        d_model: Width of a token's vector.

    Source: BERT (Devlin et al. 2019), section 3. Built in lesson 06.
    """

    absolute = True

    def __init__(self, max_tokens: int, d_model: int):
        super().__init__()
        self.table = nn.Parameter(torch.randn(max_tokens, d_model))

    def add(self, x, places):
        """Add the row of each place; a place beyond the table is refused."""
        return x + learned_positions(self.table, places)


class SinusoidalPositions(Positions):
    """A fixed vector for each place: waves of many lengths.

    Source: Vaswani et al. 2017, section 3.5. Built in lesson 06.
    """

    absolute = True

    def add(self, x, places):
        """Add the waves of each place."""
        return x + sinusoidal(places, x.shape[-1], dtype=x.dtype)


class RotaryPositions(Positions):
    """Queries and keys turn, so that their product knows the distance alone.

    Args:
        frequencies: Turn of each pair. Set another one, `yarn(...)` for example, to
            read longer texts.

    Source: RoFormer (Su et al. 2021), section 3.2.2. Built in lesson 06.
    """

    def __init__(self, frequencies: Frequencies):
        super().__init__()
        self.frequencies = frequencies

    def turn(self, x, places):
        """Turn each vector by the angles of its place."""
        exact = torch.promote_types(x.dtype, torch.float32)
        return rotate(x, rotation(places, self.frequencies, dtype=exact))


class AlibiPositions(Positions):
    """A penalty on the score that grows with the distance, one slope a head.

    Args:
        n_heads: Heads of queries.

    Source: ALiBi (Press et al. 2022), section 3. Built in lesson 06.
    """

    def __init__(self, n_heads: int):
        super().__init__()
        self.register_buffer("slopes", alibi_slopes(n_heads), persistent=False)

    def bias(self, queries, keys):
        """Subtract slope times distance."""
        return alibi_bias(self.slopes, queries[:, None] - keys)


def positions_of(config: TransformerConfig) -> Positions:
    """Make the layer that a config names.

    Args:
        config: The sizes and names.

    Example:
        >>> type(positions_of(TransformerConfig(vocab_size=9))).__name__
        'RotaryPositions'
    """
    if config.positions == "learned":
        return LearnedPositions(config.max_tokens, config.d_model)
    if config.positions == "sinusoidal":
        return SinusoidalPositions()
    if config.positions == "rotary":
        return RotaryPositions(rotary_frequencies(config.d_head, theta=config.theta))
    if config.positions == "alibi":
        return AlibiPositions(config.n_heads)
    return Positions()
