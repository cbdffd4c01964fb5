"""Where the global tokens of a batch stand, and how to reach their rows.

Texts of a batch may have different numbers of global tokens; shorter lists are
filled up with places that are marked as not real.
"""

from dataclasses import dataclass

from jaxtyping import Bool, Float, Int
from torch import Tensor


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
    return found.take(x.unsqueeze(2)).squeeze(2)
