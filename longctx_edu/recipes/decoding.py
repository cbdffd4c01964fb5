"""How tags are learnt and read off: each word alone, or a whole row of tags at once."""

from collections.abc import Callable, Sequence
from functools import partial

from torch import Tensor, nn

from longctx_edu.errors import UserError
from longctx_edu.tasks import (
    DECODERS,
    collate,
    collate_chains,
    crf_loss,
    crf_tags,
    tagging_loss,
    weighted_tagging_loss,
)

CRF = "crf"
DECODINGS = (*DECODERS, CRF)
"""How tags are read off; a CRF is also trained so."""


def collate_for(decoding: str) -> Callable[..., dict[str, Tensor]]:
    """Return what puts pieces side by side.

    Args:
        decoding: One of `DECODINGS`.
    """
    return collate_chains if decoding == CRF else collate


def loss_for(
    decoding: str, outside_weight: float = 1.0
) -> Callable[[nn.Module, dict[str, Tensor]], Tensor]:
    """Return the loss of a training, from the model and a batch.

    Args:
        decoding: One of `DECODINGS`.
        outside_weight: How often a word outside entities counts; 1 with a CRF.
    """
    if decoding == CRF:
        return crf_loss
    if outside_weight == 1:
        return tagging_loss
    return partial(weighted_tagging_loss, outside_weight=outside_weight)


def decoder_for(
    decoding: str, model: nn.Module
) -> Callable[[Tensor, Sequence[str]], list[str]]:
    """Return how a document's logits become its tags.

    Args:
        decoding: One of `DECODINGS`.
        model: A token classifier.

    Raises:
        UserError: If a CRF is asked for, and the model has none.
    """
    if decoding != CRF:
        return DECODERS[decoding]
    if model.head_transitions is None:
        raise UserError(
            "need a model trained with --decoding crf, got one that learnt nothing of "
            "steps between tags: use greedy or constrained"
        )
    return partial(crf_tags, transitions=model.head_transitions)
