"""What new queries may look at, and where they stand."""

from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor

from longctx_edu.masks.sinks import check_sinks


@dataclass(frozen=True, eq=False)
class Seen:
    """The keys and values that new queries may look at in one layer.

    The sinks come first, then tokens that follow each other up to the newest.

    Attributes:
        k: What each token offers.
        v: What each token gives.
        places: Place of each key in the text, from 0.
        sinks: How many of the first keys are sinks.
    """

    k: Float[Tensor, "batch kv_head key d_head"]
    v: Float[Tensor, "batch kv_head key d_value"]
    places: Int[Tensor, " key"]
    sinks: int


def sink_places(
    places: Int[Tensor, " query"], *, left: int | None, sinks: int
) -> Int[Tensor, " query"]:
    """Say where queries stand inside the cache: `min(place, sinks + left)`.

    The sinks stand there at 0, 1, ... as in the text. Once tokens between them and the
    window are gone, the query stays at one distance from them, which a model has met
    in training, however long the text.

    Args:
        places: Places of the queries in the text, in tokens.
        left: Keys visible before the query, itself not counted; None for all.
        sinks: First tokens of the text that every later query sees.

    Raises:
        ValueError: If one is no whole number >= 0, or sinks come without a window.

    Example:
        >>> import torch
        >>> sink_places(torch.tensor([0, 3, 6, 1000]), left=4, sinks=2).tolist()
        [0, 3, 6, 6]

    Source: StreamingLLM (Xiao et al. 2024), section 3.2, "positions within the cache".
    Built in lesson 07.
    """
    check_sinks(left, sinks)
    return places if left is None else places.clamp(max=sinks + left)
