"""The rows of global tokens: few queries that look at every key.

Texts of a batch may have different numbers of global tokens; shorter lists are
filled up with places that are marked as not real.
"""

from dataclasses import dataclass

import torch
from einops import repeat
from jaxtyping import Bool, Float, Int
from torch import Tensor

from longctx_edu.attention.dense import dense_attention


@dataclass(frozen=True)
class Globals:
    """Where the global tokens of a batch stand.

    Args:
        places: Their positions, filled up with 0.
        real: False where a place only fills up the list.
    """

    places: Int[Tensor, "batch g"]
    real: Bool[Tensor, "batch g"]

    def take(
        self, x: Float[Tensor, "batch kv_head group token d"]
    ) -> Float[Tensor, "batch kv_head group g d"]:
        """Pick the vectors of the global tokens.

        Args:
            x: Vectors of all tokens.
        """
        index = self.places[:, None, None, :, None]
        return x.gather(3, index.expand(-1, *x.shape[1:3], -1, x.shape[4]))

    def put(
        self,
        x: Float[Tensor, "batch kv_head group token d"],
        rows: Float[Tensor, "batch kv_head group g d"],
    ) -> None:
        """Write the rows of the global tokens into their places.

        Args:
            x: Vectors of all tokens; changed in place.
            rows: Vectors of the global tokens; of those that are not real, none.
        """
        text, g = self.real.nonzero(as_tuple=True)
        x[text, :, :, self.places[text, g]] = rows[text, :, :, g]

    def add(
        self,
        x: Float[Tensor, "batch kv_head group token d"],
        rows: Float[Tensor, "batch kv_head group g d"],
    ) -> None:
        """Add to the rows of the global tokens in their places.

        Args:
            x: Vectors of all tokens; changed in place.
            rows: What is added for each global token; for those not real, nothing.
        """
        text, g = self.real.nonzero(as_tuple=True)
        x[text, :, :, self.places[text, g]] += rows[text, :, :, g]

    def fill(
        self, x: Float[Tensor, "batch kv_head group token d"], value: float
    ) -> Float[Tensor, "batch kv_head group token d"]:
        """Return a copy in which the rows of the global tokens hold one value.

        Args:
            x: Vectors of all tokens.
            value: The value.
        """
        text, g = self.real.nonzero(as_tuple=True)
        x = x.clone()
        x[text, :, :, self.places[text, g]] = value
        return x


def find_globals(flags: Bool[Tensor, "batch token"] | None) -> Globals | None:
    """List the positions of the global tokens; None where there are none.

    Args:
        flags: True for a global token.
    """
    if flags is None or not flags.any():
        return None
    count = int(flags.sum(dim=1).max())
    # A stable sort brings the global tokens to the front, in the order of the text.
    order = flags.int().argsort(dim=1, descending=True, stable=True)[:, :count]
    real = flags.gather(1, order)
    return Globals(order.masked_fill(~real, 0), real)


def take_tokens(
    x: Float[Tensor, "batch head token d"], found: Globals
) -> Float[Tensor, "batch head g d"]:
    """Pick the vectors of the global tokens.

    Args:
        x: Vectors of all tokens.
        found: The global tokens' places.
    """
    index = repeat(
        found.places, "batch g -> batch head g d", head=x.shape[1], d=x.shape[3]
    )
    return x.gather(2, index)


def global_rows(
    q: Float[Tensor, "batch head token d_head"],
    k: Float[Tensor, "batch head token d_head"],
    v: Float[Tensor, "batch head token d_value"],
    found: Globals,
    keep: Bool[Tensor, "batch token"] | None,
    causal: bool,
    scale: float | None,
    dropout: float,
) -> Float[Tensor, "batch head g d_value"]:
    """Attend from each global token to every key.

    Args:
        q: What each token asks for.
        k: What each token offers.
        v: What each token gives.
        found: The global tokens' places.
        keep: True where a token is real.
        causal: Nobody looks ahead.
        scale: Factor on the scores.
        dropout: Share of the weights set to 0.
    """
    mask = None if keep is None else keep[:, None, None, :]
    if causal:
        key = torch.arange(k.shape[2], device=k.device)
        past = key <= found.places[:, None, :, None]
        mask = past if mask is None else mask & past
    return dense_attention(
        take_tokens(q, found), k, v, mask=mask, scale=scale, dropout=dropout
    )


def replace_rows(
    out: Float[Tensor, "batch head token d_value"],
    rows: Float[Tensor, "batch head g d_value"],
    found: Globals,
) -> Float[Tensor, "batch head token d_value"]:
    """Put the global tokens' rows in their places.

    Args:
        out: Rows of all tokens.
        rows: Rows of the global tokens.
        found: Their places; a place that is not real is written nowhere.
    """
    n = out.shape[2]
    places = found.places.masked_fill(~found.real, n)
    index = repeat(
        places, "batch g -> batch head g d", head=out.shape[1], d=out.shape[3]
    )
    spare = torch.nn.functional.pad(out, (0, 0, 0, 1))
    return spare.scatter(2, index, rows)[:, :, :n]
