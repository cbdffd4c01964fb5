"""Multi-head attention as a layer: projections around a function that it receives."""

from collections.abc import Callable
from copy import deepcopy

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from longctx_edu.attention import dense_attention, window_attention
from longctx_edu.shapes import merge_heads, split_heads


class MultiHeadAttention(nn.Module):
    """Project to heads, attend, project back.

    Args:
        d_model: Width of a token's vector.
        n_heads: Number of heads; divides the width.
        attention: Any `f(q, k, v, **pattern)` of `longctx_edu.attention`.
        global_projections: Let global tokens read the text through projections of
            their own, which start as copies; all others read as before.

    Raises:
        ValueError: If the heads do not divide the width.

    Example:
        >>> import torch
        >>> layer = MultiHeadAttention(d_model=12, n_heads=3)
        >>> layer(torch.zeros(2, 5, 12)).shape
        torch.Size([2, 5, 12])

    Source: Vaswani et al. 2017, section 3.2.2; for global tokens: Longformer (Beltagy
    et al. 2020), section 3.1. Built in lesson 01.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        attention: Callable = dense_attention,
        *,
        global_projections: bool = False,
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
        self.global_proj = None
        if global_projections:
            own = {"q": self.q_proj, "k": self.k_proj, "v": self.v_proj}
            self.global_proj = nn.ModuleDict(deepcopy(own))

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
        if self.global_proj is not None:
            for name in ("q", "k"):
                self.global_proj[name].load_state_dict(self.q_proj.state_dict())

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

        Raises:
            ValueError: If a layer with global projections gets another context.
        """
        if self.global_proj is not None and context is not None:
            raise ValueError("need no context beside global_projections, got one")
        context = x if context is None else context
        out = self.attention(
            self._heads(self.q_proj, x),
            self._heads(self.k_proj, context),
            self._heads(self.v_proj, context),
            **pattern,
        )
        flags = pattern.get("global_tokens")
        if self.global_proj is not None and flags is not None:
            rows = self._global_rows(x, flags, pattern)
            out = torch.where(flags[:, None, :, None], rows, out)
        return self.out_proj(merge_heads(out))

    def _heads(self, projection, x):
        return split_heads(projection(x), self.n_heads)

    def _global_rows(
        self,
        x: Float[Tensor, "batch token d_model"],
        flags: Bool[Tensor, "batch token"],
        pattern: dict,
    ) -> Float[Tensor, "batch head token d_value"]:
        """Attend from the global tokens to all keys; the other rows mean nothing.

        What the attention was made with counts here too: padding, no looking ahead,
        dropout.
        """
        given = {**getattr(self.attention, "keywords", {}), **pattern}
        names = ("keep", "causal", "scale", "dropout")
        return window_attention(
            *(self._heads(self.global_proj[name], x) for name in "qkv"),
            left=0,
            right=0,
            global_tokens=flags,
            **{name: given[name] for name in names if name in given},
        )
