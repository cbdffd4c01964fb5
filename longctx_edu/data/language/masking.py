"""Hide some tokens of a text, for a model that is to fill the gaps."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from longctx_edu.data.language.windows import IGNORED

SHARE_MASKED, SHARE_RANDOM = 0.8, 0.1
"""Of the chosen tokens; the others stay as they are."""


def mask_tokens(
    ids: Int[Tensor, "*batch token"],
    *,
    vocab_size: int,
    mask_id: int,
    special_ids: Sequence[int],
    share: float = 0.15,
    generator: torch.Generator,
) -> tuple[Int[Tensor, "*batch token"], Int[Tensor, "*batch token"]]:
    """Choose tokens to be predicted, and hide most of them from the model.

    Of the chosen, 80 % become the mask, 10 % a random token and 10 % stay, each by
    its own draw. So the model has to know every token well, also one that is not
    masked, as none is when it is put to use.

    Args:
        ids: Texts; what stands in them is not changed.
        vocab_size: Number of ids, for the random tokens.
        mask_id: The id that hides a token.
        special_ids: Ids that are never chosen nor drawn: start, mask, padding.
        share: Part of each text's ordinary tokens that is chosen; at least one is.
        generator: Where chance comes from.

    Raises:
        ValueError: If the share is not between 0 and 1, or every id is special.

    Returns:
        The inputs; and the labels, the true id where one was chosen, else `IGNORED`.

    Example:
        >>> ids, draw = torch.tensor([0, 7, 8, 9]), torch.Generator().manual_seed(2)
        >>> options = {"vocab_size": 10, "mask_id": 1, "special_ids": (0, 1, 2)}
        >>> inputs, labels = mask_tokens(ids, **options, share=0.5, generator=draw)
        >>> inputs.tolist(), labels.tolist()
        ([0, 1, 8, 1], [-100, 7, -100, 9])

    Source: Devlin et al. 2019, section 3.1, task 1, and appendix A.1; the number
    of chosen tokens as in the code released with it. Built in lesson 02.
    """
    if not 0 < share <= 1:
        raise ValueError(f"need 0 < share <= 1, got share={share}")
    special = torch.tensor(special_ids, dtype=ids.dtype)
    all_ids = torch.arange(vocab_size)
    ordinary = all_ids[~torch.isin(all_ids, special)]
    if not len(ordinary):
        raise ValueError(
            f"need an id that is not special, got vocab_size={vocab_size} and "
            f"special_ids={list(special_ids)}"
        )
    chosen = _choose(~torch.isin(ids, special), share, generator)
    fate = torch.rand(ids.shape, generator=generator)
    drawn = torch.randint(len(ordinary), ids.shape, generator=generator)
    is_masked = chosen & (fate < SHARE_MASKED)
    is_random = chosen & ~is_masked & (fate < SHARE_MASKED + SHARE_RANDOM)
    inputs = ids.masked_fill(is_masked, mask_id)
    inputs = torch.where(is_random, ordinary[drawn].to(ids.dtype), inputs)
    return inputs, ids.masked_fill(~chosen, IGNORED)


def _choose(
    can_be: Bool[Tensor, "*batch token"], share: float, generator: torch.Generator
) -> Bool[Tensor, "*batch token"]:
    """Choose the same share of each text's candidates, at least one."""
    draw = torch.rand(can_be.shape, generator=generator).masked_fill(~can_be, 2.0)
    rank = draw.argsort(dim=-1).argsort(dim=-1)
    n_candidates = can_be.sum(dim=-1, keepdim=True)
    count = (share * n_candidates).round().clamp(min=1)
    return can_be & (rank < count)
