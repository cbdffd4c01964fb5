"""What transformers' Trainer reads of our pieces, in batches as large as ours."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers.trainer_pt_utils import get_length_grouped_indices

from longctx_edu.tasks import Piece


@dataclass
class Counted:
    """Collates as it is told, and counts tokens.

    Args:
        collate: Makes a batch.
        mask: The name in the batch of what is 1 or True where a token is real.
        real: Tokens so far, padding not counted.
        padded: The same, padding counted.
    """

    collate: Callable[[Sequence[Any]], Mapping[str, Tensor]]
    mask: str
    real: int = 0
    padded: int = 0

    def __call__(self, examples: Sequence[Any]) -> Mapping[str, Tensor]:
        """Make a batch.

        Args:
            examples: What to put side by side.
        """
        batch = self.collate(examples)
        self.real += int(batch[self.mask].sum())
        self.padded += batch[self.mask].numel()
        return batch


def as_features(pieces: Sequence[Piece]) -> list[dict[str, list[int]]]:
    """Write pieces as what a tokenizer of transformers returns.

    Args:
        pieces: What our training learns from.

    Example:
        >>> at = torch.tensor([7, 8])
        >>> as_features([Piece(at, at - 7, at > 7, at - 7, document=0)])
        [{'input_ids': [7, 8], 'attention_mask': [1, 1], 'labels': [0, 1]}]
    """
    return [
        {
            "input_ids": piece.inputs.tolist(),
            "attention_mask": [1] * len(piece),
            "labels": piece.labels.tolist(),
        }
        for piece in pieces
    ]


def examples_a_batch(
    lengths: Sequence[int], tokens: float, *, grouped: bool, seed: int = 0
) -> int:
    """Choose how many examples a batch has, so that its tokens are near a number.

    Trainer's batches have a number of examples, ours a number of tokens.

    Args:
        lengths: Tokens of each example.
        tokens: Of a batch, padding counted; met at the mean over an epoch.
        grouped: Examples of like length stand together, as Trainer groups them.
        seed: Decides the order of the examples.

    Example:
        >>> examples_a_batch([4] * 12, 12.0, grouped=False)
        3
    """
    best, nearest = 1, float("inf")
    for size in range(1, len(lengths) + 1):
        draw = torch.Generator().manual_seed(seed)
        if grouped:
            order = get_length_grouped_indices(lengths, size, generator=draw)
        else:
            order = torch.randperm(len(lengths), generator=draw).tolist()
        parts = torch.tensor([lengths[at] for at in order]).split(size)
        mean = sum(len(part) * int(part.max()) for part in parts) / len(parts)
        if abs(mean - tokens) < nearest:
            best, nearest = size, abs(mean - tokens)
        if mean > tokens:
            break
    return best
