"""Layers in step: each reads the same tokens, once."""

from longctx_edu.memory.inputs import check_count


class Steps:
    """Counts what each layer has read, and refuses one that runs ahead.

    Args:
        n_layers: Number of layers.

    Example:
        >>> steps = Steps(2)
        >>> steps.check(0, 5), steps.advance(0, 5), steps.n_tokens
        (None, None, 0)
        >>> steps.check(1, 5), steps.advance(1, 5), steps.n_tokens
        (None, None, 5)
    """

    def __init__(self, n_layers: int):
        check_count("n_layers", n_layers)
        self.counts = [0] * n_layers

    @property
    def n_tokens(self) -> int:
        """Tokens that all layers have read."""
        return min(self.counts)

    def check(self, layer: int, n_new: int) -> None:
        """Refuse tokens that this layer has read, or others than the layers before.

        Args:
            layer: The layer, from 0.
            n_new: How many tokens it is to read.

        Raises:
            ValueError: If there is no such layer, or it would fall out of step.
        """
        if type(layer) is not int or not 0 <= layer < len(self.counts):
            raise ValueError(
                f"need a layer from 0 to {len(self.counts) - 1}, got {layer}"
            )
        behind, ahead = min(self.counts), max(self.counts)
        if behind == ahead:
            return
        if self.counts[layer] == ahead:
            raise ValueError(
                f"need each layer extended once for the same tokens, got layer {layer} "
                f"again before layer {self.counts.index(behind)}: clear() begins anew "
                "after a pass that was broken off"
            )
        if n_new != ahead - behind:
            raise ValueError(
                f"need {ahead - behind} tokens in layer {layer}, as in the layers "
                f"before, got {n_new}"
            )

    def advance(self, layer: int, n_new: int) -> None:
        """Count tokens that a layer has read.

        Args:
            layer: The layer, from 0.
            n_new: How many.
        """
        self.counts[layer] += n_new
