"""The columns of global tokens: few keys that every query looks at.

A global key that stands within a query's window is counted there, and not here: the
two sets of keys are disjoint, and their results merge into one joint softmax.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from longctx_edu.attention.dropping import Dropping
from longctx_edu.attention.global_rows import Globals
from longctx_edu.attention.tile import gradients_by_formula
from longctx_edu.masks import Predicate

_STRETCH = 2**18  # numbers of the queries that are looked at together, a head


@dataclass(frozen=True)
class Columns:
    """Attention from every query to the global keys that its window does not hold.

    Args:
        found: Where the global tokens stand that are seen.
        outside: Whether a query sees a global key here: beyond its window.
        scale: Factor on the scores.
        dropping: Which weights are dropped; None for none.
    """

    found: Globals
    outside: Predicate
    scale: float
    dropping: Dropping | None

    def add(
        self,
        q: Float[Tensor, "batch kv_head group token d_head"],
        k: Float[Tensor, "batch kv_head 1 token d_head"],
        v: Float[Tensor, "batch kv_head 1 token d_value"],
        out: Float[Tensor, "batch kv_head group token d_value"],
        lse: Float[Tensor, "batch kv_head group token 1"],
    ) -> None:
        """Merge the global keys into the rows of the window.

        Args:
            q: What each token asks for.
            k: What each token offers.
            v: What each token gives.
            out: The window's output; changed in place.
            lse: The window's log-sum-exp; changed in place.
        """
        k, v = (self.found.take(x).to(lse.dtype) for x in (k, v))
        for some, mask in self._stretches(q):
            scores = (q[..., some, :].to(lse.dtype) * self.scale) @ k.mT
            scores = scores.masked_fill_(~mask, -math.inf)
            before = lse[..., some, :]
            after = torch.logaddexp(before, scores.logsumexp(dim=-1, keepdim=True))
            ground = after.masked_fill(after == -math.inf, 0.0)
            weights = scores.sub_(ground).exp_()
            factors = self._factors(weights.shape, q, some)
            weights = weights if factors is None else weights * factors
            before.sub_(ground).exp_()  # what the window's share shrinks to
            _shrink_and_add(out[..., some, :], before, weights, v)
            before.copy_(after)

    def backward(
        self,
        rows: Sequence[Tensor],
        inputs: Sequence[Tensor],
        sums: Sequence[Tensor],
    ) -> None:
        """Add the gradients of q, k and v to `sums`.

        Args:
            rows: The gradient of the output, the whole rows' output, and their
                log-sum-exp, where +inf leaves a row out.
            inputs: q, k and v.
            sums: Changed in place.
        """
        q, *near = inputs
        near = [self.found.take(x) for x in near]
        grads = [torch.zeros_like(x, dtype=rows[2].dtype) for x in near]
        for some, mask in self._stretches(q):
            grad, out, lse = (x[..., some, :] for x in rows)
            means = (grad.to(lse.dtype) * out).sum(dim=-1, keepdim=True)
            factors = self._factors((*lse.shape[:-1], mask.shape[-1]), q, some)
            parts = gradients_by_formula(
                grad, means, lse.squeeze(-1), q[..., some, :], *near,
                mask=mask, scale=self.scale, factors=factors,
            )  # fmt: skip
            sums[0][..., some, :] += parts[0]
            for total, part in zip(grads, parts[1:], strict=True):
                total += part.sum_to_size(total.shape)
        for total, part in zip(sums[1:], grads, strict=True):
            self.found.add(total, part)

    def _stretches(
        self, q: Tensor
    ) -> Iterator[tuple[slice, Bool[Tensor, "batch 1 1 query g"]]]:
        """Cut the queries into stretches, each with who it sees."""
        places = self.found.places[:, None]
        step = max(1, _STRETCH // (q.shape[-1] + places.shape[-1]))
        for start in range(0, q.shape[-2], step):
            some = slice(start, min(start + step, q.shape[-2]))
            query = torch.arange(some.start, some.stop, device=q.device)[:, None]
            mask = self.outside(query, places) & self.found.real[:, None]
            yield some, mask[:, None, None]

    def _factors(self, shape, q, some):
        if self.dropping is None:
            return None
        return self.dropping.factors(shape, q, some.start)


def _shrink_and_add(
    out: Float[Tensor, "batch kv_head group query d_value"],
    factor: Float[Tensor, "batch kv_head group query 1"],
    weights: Float[Tensor, "batch kv_head group query g"],
    v: Float[Tensor, "batch kv_head 1 g d_value"],
) -> None:
    """Set `out` to `out * factor + weights @ v`, in its own memory where it can be."""
    sums = out.mul_(factor) if out.dtype == factor.dtype else out * factor
    v = v.expand(*weights.shape[:3], -1, -1)
    sums.flatten(0, 2).baddbmm_(weights.flatten(0, 2), v.flatten(0, 2))
    if sums is not out:
        out.copy_(sums)
