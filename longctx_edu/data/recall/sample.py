"""One sample of a recall task, and samples of one length side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

NO_ANSWER = -100  # what `torch.nn.functional.cross_entropy` leaves out by default


@dataclass(frozen=True, eq=False)
class Recall:
    """A text with questions in it, and what must be said where.

    The distance of an answer is the position that must give it minus the position of
    the token that holds it, the evidence. So a query at distance d sees its evidence
    in a window of `left >= d`, and in no smaller one.

    An answer of several tokens is given one after another, each position reading the
    one before: its tokens, but for the last, follow in `ids`. A model that may look
    ahead reads them there; such answers are for causal models.

    Args:
        ids: What the model reads.
        answers: At each position the id that must come next there, -100 where
            nothing is asked: `logits[t]` is scored against `answers[t]`.
        distances: Tokens from the evidence to each answer; -1 where nothing is asked.
    """

    ids: Int[Tensor, " token"]
    answers: Int[Tensor, " token"]
    distances: Int[Tensor, " token"]

    def __len__(self) -> int:
        """Return the number of tokens."""
        return len(self.ids)


def stack_recall(samples: Sequence[Recall]) -> dict[str, Int[Tensor, "batch token"]]:
    """Lay samples of one length side by side.

    Args:
        samples: At least one.

    Raises:
        ValueError: If there is none, or their lengths differ.

    Returns:
        The tensors `ids`, `answers` and `distances`.

    Example:
        >>> one = Recall(*torch.tensor([[5, 9, 0], [-100, -100, 9], [-1, -1, 1]]))
        >>> stack_recall([one, one])["answers"].tolist()
        [[-100, -100, 9], [-100, -100, 9]]

    Source: Built in lesson 06.
    """
    lengths = sorted({len(sample) for sample in samples})
    if len(lengths) != 1:
        raise ValueError(
            f"need samples of one length, got {len(samples)} samples of lengths "
            f"{lengths}"
        )
    return {
        "ids": torch.stack([sample.ids for sample in samples]),
        "answers": torch.stack([sample.answers for sample in samples]),
        "distances": torch.stack([sample.distances for sample in samples]),
    }
