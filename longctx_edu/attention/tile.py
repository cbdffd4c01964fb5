"""One tile of attention: what some queries take from a stretch of keys.

Forward it returns the output and its log-sum-exp, by which tiles merge. Backward it
needs the log-sum-exp of the whole row: then each tile's gradient stands on its own,
and no weights are kept. On a CPU torch's fused kernel does both; the formulas beside
it serve dropout, other devices, and values of another width.
"""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from longctx_edu.attention.running import Running

_FLASH = getattr(torch.ops.aten, "_scaled_dot_product_flash_attention_for_cpu", None)
_FLASH_BACKWARD = getattr(
    torch.ops.aten, "_scaled_dot_product_flash_attention_for_cpu_backward", None
)


def attend_tile(
    q: Float[Tensor, "batch head query d_head"],
    k: Float[Tensor, "batch head key d_head"],
    v: Float[Tensor, "batch head key d_value"],
    *,
    mask: Bool[Tensor, "#batch #head query key"] | None,
    scale: float,
    factors: Float[Tensor, "batch head query key"] | None = None,
) -> tuple[
    Float[Tensor, "batch head query d_value"], Float[Tensor, "batch head query"]
]:
    """Attend from the queries of a tile to its keys.

    Args:
        q: What each token asks for.
        k: What each token offers.
        v: What each token gives.
        mask: True where the query may look at the key; None for everywhere.
        scale: Factor on the scores.
        factors: On the weights after the softmax, as dropout has them.

    Returns:
        The output, and the logarithm of the summed exponentials; 0 and -inf in a row
        that sees nothing.

    Example:
        >>> x = torch.zeros(1, 1, 2, 4)
        >>> out, lse = attend_tile(x, x, x + 3, mask=None, scale=1.0)
        >>> out[0, 0, 0, 0].item(), round(lse.exp()[0, 0, 0].item())
        (3.0, 2)

    Source: FlashAttention (Dao et al. 2022), section 3.1. Built in lesson 03.
    """
    if _fused(q, v, factors):
        sees = None if mask is None else mask.any(dim=-1)
        bias = None if mask is None else _bias(q, mask | ~sees.unsqueeze(-1))
        out, lse = _FLASH(q, k, v, 0.0, False, attn_mask=bias, scale=scale)
        if sees is not None and not sees.all():
            out = out.masked_fill(~sees.unsqueeze(-1), 0.0)
            lse = lse.masked_fill(~sees, -math.inf)
        return out, lse
    wide = _wide(q)
    running = Running(q.to(wide) * scale, v.shape[-1])
    running.absorb(k.to(wide), v.to(wide), mask=mask, factors=factors)
    out, lse = running.finish()
    return out.to(q.dtype), lse


def tile_gradients(
    grad: Float[Tensor, "batch head query d_value"],
    out: Float[Tensor, "batch head query d_value"],
    lse: Float[Tensor, "batch head query"],
    q: Float[Tensor, "batch head query d_head"],
    k: Float[Tensor, "batch head key d_head"],
    v: Float[Tensor, "batch head key d_value"],
    *,
    mask: Bool[Tensor, "#batch #head query key"] | None,
    scale: float,
    factors: Float[Tensor, "batch head query key"] | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Say how a tile's queries, keys and values move the result.

    Args:
        grad: Gradient of the whole rows' output.
        out: The whole rows' output, over all their tiles.
        lse: The whole rows' log-sum-exp; +inf leaves a row out.
        q: What each token asks for.
        k: What each token offers.
        v: What each token gives.
        mask: True where the query may look at the key; None for everywhere.
        scale: Factor on the scores.
        factors: On the weights after the softmax, as dropout has them.

    Returns:
        The gradients of q, k and v.

    Source: FlashAttention (Dao et al. 2022), appendix B.2. Built in lesson 03.
    """
    if _fused(q, v, factors):
        bias = None if mask is None else _bias(q, mask)
        return _FLASH_BACKWARD(
            grad, q, k, v, out, lse, 0.0, False, attn_mask=bias, scale=scale
        )
    means = (grad.to(lse.dtype) * out).sum(dim=-1, keepdim=True)
    return gradients_by_formula(
        grad, means, lse, q, k, v, mask=mask, scale=scale, factors=factors
    )


def gradients_by_formula(
    grad: Float[Tensor, "*batch query d_value"],
    means: Float[Tensor, "*batch query 1"],
    lse: Float[Tensor, "*batch query"],
    q: Float[Tensor, "*batch query d_head"],
    k: Float[Tensor, "*#batch key d_head"],
    v: Float[Tensor, "*#batch key d_value"],
    *,
    mask: Bool[Tensor, "*#batch #query #key"] | None,
    scale: float,
    factors: Float[Tensor, "*batch query key"] | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Say the same in plain operations: the weights are made again, and dropped.

    With the weights `p = exp(scores - lse)`: `dv = p' grad`, and the gradient of the
    scores is `p * (grad v' - means)`.

    Args:
        grad: Gradient of the whole rows' output.
        means: `rowsum(grad * out)`, less the gradient of the log-sum-exp if any.
        lse: The whole rows' log-sum-exp; +inf leaves a row out.
        q: What each token asks for.
        k: What each token offers.
        v: What each token gives.
        mask: True where the query may look at the key; None for everywhere.
        scale: Factor on the scores.
        factors: On the weights after the softmax, as dropout has them.

    Source: FlashAttention (Dao et al. 2022), appendix B.2. Built in lesson 03.
    """
    grad, q, k, v = (x.to(lse.dtype) for x in (grad, q, k, v))
    q = q * scale
    weights = (q @ k.mT).sub_(lse.unsqueeze(-1)).exp_()
    if mask is not None:
        weights = weights.masked_fill_(~mask, 0.0)
    from_values = grad @ v.mT
    if factors is not None:
        from_values = from_values.mul_(factors)
    scores = from_values.sub_(means).mul_(weights)
    if factors is not None:
        weights = weights.mul_(factors)
    return scores @ k * scale, scores.mT @ q, weights.mT @ grad


def _fused(q, v, factors) -> bool:
    """Say whether torch's kernel for CPUs does this tile."""
    return (
        _FLASH is not None
        and q.device.type == "cpu"
        and factors is None
        and q.shape[-1] == v.shape[-1]
    )


def _bias(q, mask):
    """Say the mask as numbers: 0 where a query may look, else -inf."""
    bias = q.new_zeros(mask.shape).masked_fill_(~mask, -math.inf)
    return bias.expand(len(q), mask.shape[1], *mask.shape[2:])


def _wide(x):
    """Name the number format of sums: float32 at least."""
    return torch.promote_types(x.dtype, torch.float32)
