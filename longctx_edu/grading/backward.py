"""Gradients across the border: a result's way back is asked for where it was made."""

from typing import Any

import torch
from torch import Tensor

from longctx_edu.grading.handed import Handed
from longctx_edu.grading.measuring import uncounted
from longctx_edu.grading.reader import Reader
from longctx_edu.grading.wire import Broken
from longctx_edu.grading.writer import Writer

__all__ = ["Back"]


class Back(torch.autograd.Function):
    """A result whose gradients are asked for in the other process."""

    @staticmethod
    def forward(ctx, border, graph, place, found, *leaves):
        """Give the result as it came."""
        ctx.border, ctx.graph, ctx.place, ctx.leaves = border, graph, place, leaves
        return found

    @staticmethod
    def backward(ctx, gradient):
        """Ask for the gradients of what was given."""
        border = ctx.border
        with uncounted():
            writer = Writer(Handed(), adds=False)
            tree = writer.tree(gradient)
            answer, blobs = border.ask(
                ["back", ctx.graph, ctx.place, tree], writer.blobs
            )
            with border.watched():
                if answer[0] != "done":
                    raise border.error(answer[1])
                found = Reader(blobs, Handed(), adds=False).value(answer[1])
                fits = isinstance(found, list) and len(found) == len(ctx.leaves)
                if not fits or not all(map(is_gradient, found, ctx.leaves)):
                    raise Broken("no gradients")
        return None, None, None, None, *found


def is_gradient(found: Any, leaf: Tensor) -> bool:
    """Tell whether something is a gradient of a tensor, or none."""
    return found is None or (isinstance(found, Tensor) and found.shape == leaf.shape)
