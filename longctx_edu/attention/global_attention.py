"""The rows of global tokens: few queries that look at every key, tile by tile."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from longctx_edu.attention.dropping import Dropping
from longctx_edu.attention.global_rows import Globals
from longctx_edu.attention.tiled import stretches, tiled_backward, tiled_forward

_ROWS = 128  # global tokens that are computed together
_TILE = 2**21  # scores in a tile, over all texts and heads


@dataclass(frozen=True)
class Rows:
    """Attention from each global token to every key.

    Args:
        found: Where the global tokens stand.
        keep: True where a token is real.
        causal: Nobody looks ahead.
        scale: Factor on the scores.
        dropping: Which weights are dropped; None for none.
    """

    found: Globals
    keep: Bool[Tensor, "batch token"] | None
    causal: bool
    scale: float
    dropping: Dropping | None

    def replace(
        self,
        q: Float[Tensor, "batch kv_head group token d_head"],
        k: Float[Tensor, "batch kv_head 1 token d_head"],
        v: Float[Tensor, "batch kv_head 1 token d_value"],
        out: Float[Tensor, "batch kv_head group token d_value"],
        lse: Float[Tensor, "batch kv_head group token 1"],
    ) -> None:
        """Write the rows of the global tokens.

        Args:
            q: What each token asks for.
            k: What each token offers.
            v: What each token gives.
            out: Changed in place.
            lse: The rows' log-sum-exp; changed in place.
        """
        rows, rows_lse = tiled_forward(
            self._side_by_side(q), k, v, **self._options(q, k)
        )
        shape = (q.shape[2], -1)
        self.found.put(out, rows.squeeze(2).unflatten(2, shape))
        self.found.put(lse, rows_lse.squeeze(2).unflatten(2, shape).unsqueeze(-1))

    def backward(
        self,
        rows: Sequence[Tensor],
        inputs: Sequence[Tensor],
        sums: Sequence[Tensor],
    ) -> None:
        """Add the gradients of q, k and v to `sums`.

        Args:
            rows: The gradient of the output, the output, and the log-sum-exp.
            inputs: q, k and v.
            sums: Changed in place.
        """
        q, k, v = inputs
        grad, out, lse, some_q = (self._side_by_side(x) for x in (*rows, q))
        real = self.found.real.repeat(1, q.shape[2])[:, None, None, :, None]
        lse = lse.masked_fill(~real, -math.inf).squeeze(-1)
        means = (grad.to(lse.dtype) * out).sum(dim=-1)
        some_sum = torch.zeros_like(some_q, dtype=lse.dtype)
        tiled_backward(
            grad, means, lse, (some_q, k, v), (some_sum, *sums[1:]),
            **self._options(q, k),
        )  # fmt: skip
        self.found.add(sums[0], some_sum.squeeze(2).unflatten(2, (q.shape[2], -1)))

    def _side_by_side(self, x):
        """Take the global tokens' rows, those of a group of heads as one long list."""
        return self.found.take(x).flatten(2, 3).unsqueeze(2)

    def _options(self, q, k):
        heads = max(1, k.shape[0] * k.shape[1])
        width = max(1, _TILE // (heads * min(_ROWS, q.shape[2] * self._count)))
        return {
            "tiles": self._tiles(q.shape[2], k, width),
            "block": _ROWS,
            "scale": self.scale,
        }

    @property
    def _count(self):
        return self.found.places.shape[1]

    def _tiles(self, n_groups, k, width):
        places = self.found.places.repeat(1, n_groups)

        def tiles(rows):
            for columns in stretches(k.shape[3], width):
                mask = None
                if self.keep is not None:
                    mask = self.keep[:, None, None, None, columns]
                if self.causal:
                    key = torch.arange(columns.start, columns.stop, device=k.device)
                    past = key <= places[:, rows, None]
                    past = past[:, None, None]
                    mask = past if mask is None else mask & past
                yield columns, mask, self._factors(rows, columns, k)

        return tiles

    def _factors(self, rows, columns, k):
        if self.dropping is None:
            return None
        shape = (*k.shape[:3], rows.stop - rows.start, columns.stop - columns.start)
        return self.dropping.factors(shape, k, rows.start, columns.start)
