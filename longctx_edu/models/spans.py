"""From the logits of starts and ends to the best span."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Spans:
    """One span a text.

    Args:
        start: First token, counted from 0; -1 where a text has no span.
        end: Last token, itself part of the span; -1 where a text has no span.
        score: Logit of the start plus logit of the end; -inf where there is no span.
    """

    start: Int[Tensor, " batch"]
    end: Int[Tensor, " batch"]
    score: Float[Tensor, " batch"]


def best_span(
    start_logits: Float[Tensor, "batch token"],
    end_logits: Float[Tensor, "batch token"],
    *,
    max_tokens: int,
    keep: Bool[Tensor, "batch token"] | None = None,
) -> Spans:
    """Find the span with the highest sum of its start's and its end's logit.

    The best start and the best end on their own may stand in the wrong order, or far
    apart. Here each length is tried in turn, for all starts at once: `max_tokens`
    steps over the text instead of all its pairs. Of equal spans the one that starts
    first is taken, and of those the shortest.

    Args:
        start_logits: How well each token opens the span.
        end_logits: How well each token closes it.
        max_tokens: Longest span, in tokens; a single token is 1.
        keep: True where a span may open and close, such as a text beside its
            question; None = everywhere.

    Returns:
        The best span of each text; start and end are -1 where no span has a score
        above -inf, as in a text that is all padding.

    Raises:
        ValueError: If `max_tokens` is below 1, the shapes differ, or a logit is NaN.

    Example:
        >>> start = torch.tensor([[0.0, 1.0, 5.0]])
        >>> end = torch.tensor([[6.0, 3.0, 0.0]])
        >>> best_span(start, end, max_tokens=2)
        Spans(start=tensor([0]), end=tensor([0]), score=tensor([6.]))

    Source: Devlin et al. 2019, section 4.2. Built in lesson 12.
    """
    _check(start_logits, end_logits, keep, max_tokens)
    wide = torch.promote_types(start_logits.dtype, torch.float32)
    starts, ends = start_logits.detach().to(wide), end_logits.detach().to(wide)
    if keep is not None:
        starts = starts.masked_fill(~keep, -torch.inf)
        ends = ends.masked_fill(~keep, -torch.inf)
    n_texts, n_tokens = starts.shape
    # A column for "no span" in front, so that a text without one finds it.
    scores = starts.new_full((n_texts, n_tokens + 1), -torch.inf)
    lengths = torch.zeros_like(scores, dtype=torch.long)
    for more in range(min(max_tokens, n_tokens)):
        sums = starts[:, : n_tokens - more] + ends[:, more:]
        best = scores[:, 1 : n_tokens - more + 1]
        lengths[:, 1 : n_tokens - more + 1][sums > best] = more
        best.copy_(torch.where(sums > best, sums, best))
    score, column = scores.max(dim=1)
    start = column - 1
    end = start + lengths.take_along_dim(column[:, None], dim=1).squeeze(1)
    return Spans(start, end, score)


def _check(start_logits, end_logits, keep, max_tokens):
    """Refuse what does not fit together."""
    if type(max_tokens) is not int or max_tokens < 1:
        raise ValueError(
            f"need max_tokens that is a whole number >= 1, got {max_tokens}"
        )
    shape = tuple(start_logits.shape)
    named = {"end_logits": end_logits, "keep": start_logits if keep is None else keep}
    for name, x in named.items():
        if tuple(x.shape) != shape:
            raise ValueError(
                f"need {name} of the shape of start_logits {shape}, got "
                f"{tuple(x.shape)}"
            )
    for name, x in (("start_logits", start_logits), ("end_logits", end_logits)):
        if x.isnan().any():
            raise ValueError(f"need {name} that are numbers, got NaN")
