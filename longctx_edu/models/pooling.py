"""From the vectors of a text, or of its chunks, to one vector: padding has no say."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from longctx_edu.errors import unknown_name

POOLINGS = ("mean", "first", "max", "logsumexp")


def pool(
    vectors: Float[Tensor, "*batch token d_model"],
    keep: Bool[Tensor, "*batch token"] | None = None,
    how: str = "mean",
) -> Float[Tensor, "*batch d_model"]:
    """Make one vector of the real tokens' vectors, number by number.

    A mean over padding as well would shrink with the length of the longest text
    beside it. Chunks of a document take the place of tokens just as well: the
    vectors, or the logits, of all its chunks become those of the document.

    Args:
        vectors: One vector a token, or a chunk.
        keep: True where a token is real, False where it is padding; None = all.
        how: "mean", "first" (the first real token), "max" (of each number), or
            "logsumexp", a soft maximum, which for logits adds up the chunks' evidence.

    Returns:
        One vector a text; 0 for a text without a real token.

    Raises:
        ValueError: If `how` is unknown, or `keep` is not one bool a token.

    Example:
        >>> vectors = torch.tensor([[[2.0, 1.0], [4.0, 0.0], [9.0, 9.0]]])
        >>> keep = torch.tensor([[True, True, False]])
        >>> pool(vectors, keep, "mean").tolist(), pool(vectors, keep, "max").tolist()
        ([[3.0, 0.5]], [[4.0, 1.0]])

    Source: Sentence-BERT (Reimers and Gurevych 2019), section 3. Built in lesson 04.
    """
    if how not in POOLINGS:
        raise unknown_name("pooling", how, POOLINGS)
    if keep is None:
        keep = vectors.new_ones(vectors.shape[:-1], dtype=torch.bool)
    if keep.dtype != torch.bool or keep.shape != vectors.shape[:-1]:
        raise ValueError(
            f"need keep with one bool a token, of shape {tuple(vectors.shape[:-1])}, "
            f"got {keep.dtype} of shape {tuple(keep.shape)}"
        )
    if vectors.shape[-2] == 0:
        return vectors.sum(dim=-2)
    return _POOLS[how](vectors, keep.unsqueeze(-1))


def _mean(vectors, keep):
    # Summed in float32 at least: the sum of a long text leaves float16.
    wide = torch.promote_types(vectors.dtype, torch.float32)
    total = vectors.masked_fill(~keep, 0.0).sum(dim=-2, dtype=wide)
    return (total / keep.sum(dim=-2).clamp_min(1)).to(vectors.dtype)


def _first(vectors, keep):
    first = keep.int().argmax(dim=-2, keepdim=True)
    row = vectors.take_along_dim(first, dim=-2).squeeze(-2)
    return row.masked_fill(~keep.any(dim=-2), 0.0)


def _max(vectors, keep):
    return _low_padding(vectors, keep).amax(dim=-2)


def _logsumexp(vectors, keep):
    pooled = _low_padding(vectors, keep).logsumexp(dim=-2)
    return pooled.masked_fill(~keep.any(dim=-2), 0.0)


def _low_padding(vectors, keep):
    """Put -inf in padding, and 0 where a text is nothing else."""
    low = torch.where(keep.any(dim=-2, keepdim=True), -torch.inf, 0.0)
    return torch.where(keep, vectors, low.to(vectors.dtype))


_POOLS = {"mean": _mean, "first": _first, "max": _max, "logsumexp": _logsumexp}
