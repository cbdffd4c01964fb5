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


def loss_for(decoding: str) -> Callable[[nn.Module, dict[str, Tensor]], Tensor]:
    """Return the loss of a training, from the model and a batch.

    Args:
        decoding: One of `DECODINGS`.
    """
    return crf_loss if decoding == CRF else tagging_loss


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
