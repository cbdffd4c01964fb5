"""Segment recurrence: each layer also looks at what it read in the segment before."""

import torch
from jaxtyping import Float
from torch import Tensor

from longctx_edu.memory.inputs import check_count, check_same
from longctx_edu.memory.steps import Steps


class SegmentMemory:
    """Keeps the last `length` inputs of each layer, without their gradient.

    A segment's tokens look at them as at their own text. Layer by layer the reach
    grows by another `length`; training reaches back through the own segment alone.

    Args:
        n_layers: Number of layers.
        length: Tokens to remember; 0 for none.

    Attributes:
        beside: What else a model keeps of the text, by name; `clear` empties it.

    Raises:
        ValueError: If a number has no meaning.

    Example:
        >>> memory = SegmentMemory(1, length=2)
        >>> text = torch.arange(6.0).reshape(1, 6, 1)
        >>> memory.extend(0, text[:, :3]).flatten().tolist()
        [0.0, 1.0, 2.0]
        >>> memory.extend(0, text[:, 3:]).flatten().tolist()
        [1.0, 2.0, 3.0, 4.0, 5.0]

    Source: Transformer-XL (Dai et al. 2019), section 3.2. Built in lesson 04.
    """

    def __init__(self, n_layers: int, *, length: int):
        check_count("n_layers", n_layers)
        check_count("length", length, least=0)
        self.n_layers, self.length = n_layers, length
        self.clear()

    def clear(self) -> None:
        """Forget everything, as before another text."""
        self.beside: dict = {}
        self._steps = Steps(self.n_layers)
        self._kind: dict | None = None
        self._kept: list[Tensor | None] = [None] * self.n_layers

    @property
    def n_tokens(self) -> int:
        """Tokens that all layers have read, remembered or not."""
        return self._steps.n_tokens

    @property
    def nbytes(self) -> int:
        """Bytes of what is remembered."""
        return sum(x.nbytes for x in self._kept if x is not None)

    def extend(
        self, layer: int, x: Float[Tensor, "batch token d_model"]
    ) -> Float[Tensor, "batch key d_model"]:
        """Return what is remembered and the new segment; then remember its end.

        Args:
            layer: The layer, from 0.
            x: Inputs of this layer, for the tokens of the new segment.

        Returns:
            The remembered tokens, then the new ones; only these carry a gradient.

        Raises:
            ValueError: If the layer is out of step, or the segment is of another batch,
                width, number format or device than what is remembered.
        """
        if x.ndim != 3:
            raise ValueError(
                f"need x of shape (batch, token, d_model), got {tuple(x.shape)}"
            )
        self._steps.check(layer, x.shape[1])
        self._kind = check_same("memory", self._kind, _kind(x))
        before = self._kept[layer]
        known = x if before is None else torch.cat([before, x], dim=1)
        # A copy: a view would hold the whole segment in memory.
        first = max(0, known.shape[1] - self.length)
        self._kept[layer] = known[:, first:].detach().clone()
        self._steps.advance(layer, x.shape[1])
        return known


def _kind(x):
    """Say what all vectors of a memory have in common."""
    return {
        "batch": x.shape[0],
        "width": x.shape[2],
        "number format": x.dtype,
        "device": x.device,
    }
