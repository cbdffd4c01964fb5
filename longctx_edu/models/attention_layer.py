"""Multi-head attention as a layer: projections around a function that it receives."""

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor, nn

from longctx_edu.attention import dense_attention
from longctx_edu.shapes import merge_heads, split_heads


class MultiHeadAttention(nn.Module):
    """Project to heads, attend, project back.

    Args:
        d_model: Width of a token's vector.
        n_heads: Number of heads; divides the width.
        attention: Any `f(q, k, v, **pattern)` of `longctx_edu.attention`.

    Raises:
        ValueError: If the heads do not divide the width.

    Example:
        >>> import torch
        >>> layer = MultiHeadAttention(d_model=12, n_heads=3)
        >>> layer(torch.zeros(2, 5, 12)).shape
        torch.Size([2, 5, 12])

    Source: Vaswani et al. 2017, section 3.2.2. Built in lesson 01.
    """

    def __init__(
        self, d_model: int, n_heads: int, attention: Callable = dense_attention
    ):
        super().__init__()
        if n_heads < 1 or d_model % n_heads:
            raise ValueError(
                f"need n_heads that divides d_model, got n_heads={n_heads} "
                f"and d_model={d_model}"
            )
        self.n_heads = n_heads
        self.attention = attention
        self.q_proj = nn.Linear(d_model, d_model)
        self.k_proj = nn.Linear(d_model, d_model)
        self.v_proj = nn.Linear(d_model, d_model)
        self.out_proj = nn.Linear(d_model, d_model)

    def start_alike(self, gain: float) -> None:
        """Let queries and keys start as the same rotation of their tokens.

        A token then looks at tokens like itself from the first step on: what a model
        must do to find a name again. Learnt from a random start, this takes many
        times the steps.

        Args:
            gain: Length of a query over the length of its token; about 1 to 2.
        """
        nn.init.orthogonal_(self.q_proj.weight, gain=gain)
        nn.init.zeros_(self.q_proj.bias)
        self.k_proj.load_state_dict(self.q_proj.state_dict())

    def forward(
        self,
        x: Float[Tensor, "batch query d_model"],
        context: Float[Tensor, "batch key d_model"] | None = None,
        **pattern,
    ) -> Float[Tensor, "batch query d_model"]:
        """Let the tokens of `x` look at those of `context`, or at each other.

        Args:
            x: Tokens that look.
            context: Tokens that are looked at; `x` itself by default.
            pattern: What the attention function takes besides: `mask`, `keep`, ...
        """
        context = x if context is None else context
        q = split_heads(self.q_proj(x), self.n_heads)
        k = split_heads(self.k_proj(context), self.n_heads)
        v = split_heads(self.v_proj(context), self.n_heads)
        return self.out_proj(merge_heads(self.attention(q, k, v, **pattern)))
