"""Full attention in torch's fused kernel: every key, without forming the square.

Time still grows with the square of the length; memory does not.
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from longctx_edu.attention.inputs import (
    check_dropout,
    check_flags,
    check_heads,
    check_pairs,
    same_format,
)


def full_attention(
    q: Float[Tensor, "batch head query d_head"],
    k: Float[Tensor, "batch kv_head key d_head"],
    v: Float[Tensor, "batch kv_head key d_value"],
    *,
    keep: Bool[Tensor, "batch key"] | None = None,
    bias: Float[Tensor, "*#batch #query #key"] | None = None,
    scale: float | None = None,
    dropout: float = 0.0,
) -> Float[Tensor, "batch head query d_value"]:
    """Attend to every real token; equals `dense_attention` under `padding(keep)`.

    Args:
        q: What each token asks for.
        k: What each token offers; with fewer heads, each serves a group of q's.
        v: What each token gives.
        keep: True where a key is a real token, False where it is padding.
        bias: Added to the scores before the softmax.
        scale: Factor on the scores; `1 / sqrt(d_head)` by default.
        dropout: Share of the weights set to 0, the rest scaled up.

    Returns:
        One vector a query; 0 in a text without a real token.

    Raises:
        ValueError: If the tensors do not fit each other.

    Example:
        >>> import torch
        >>> x = torch.tensor([[[[0.0], [4.0]]]])
        >>> full_attention(0 * x, 0 * x, x).flatten().tolist()
        [2.0, 2.0]

    Source: Vaswani et al. 2017, section 3.2.1; the kernel: FlashAttention (Dao et al.
    2022, section 3.1). Built in lesson 03.
    """
    q, k, v = same_format(q, k, v)
    check_heads(q, k, v)
    check_flags("keep", keep, k)
    check_pairs(q, k, bias=bias)
    check_dropout(dropout)
    options = {
        "dropout_p": dropout,
        "scale": scale,
        "enable_gqa": q.shape[1] > k.shape[1],
    }
    if keep is None:
        return F.scaled_dot_product_attention(q, k, v, attn_mask=bias, **options)
    mask = keep[:, None, None, :]
    sees = mask.any(dim=-1, keepdim=True)
    mask = (mask | ~sees).expand(-1, 1, q.shape[2], -1)
    if bias is not None:
        mask = torch.where(mask, bias, -math.inf)
    out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, **options)
    return out.masked_fill(~sees, 0.0)
