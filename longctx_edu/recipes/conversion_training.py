"""Masked-language training of an encoder: its head alone, or all of it."""

from collections.abc import Sequence
from functools import partial

import torch
from jaxtyping import Int
from torch import Tensor

from longctx_edu.recipes.conversion_bits import (
    N_SPECIAL,
    between,
    hide_some,
    nats,
    need_room,
)
from longctx_edu.recipes.conversion_model import Marks, MaskedReader
from longctx_edu.training import History, TrainConfig, fit

HEAD_RATE, MODEL_RATE = 3e-3, 3e-4
"""Learning rates of a fresh head alone, and of the whole model."""

HEAD_TEXTS, HEAD_ALONE = 4, 4
"""Texts in a batch for a fresh head; one in so many of its batches is for it alone."""


def learn_to_name(
    reader: MaskedReader,
    ids: Int[Tensor, " token"],
    *,
    n_tokens: int,
    steps: int,
    seed: int = 0,
    progress: bool = True,
) -> None:
    """Give an encoder with a fresh head a start, in place, at the length that it knows.

    The first quarter of the steps trains the head alone, so that its first wild
    gradients do no harm below; then the whole model learns, at a smaller rate. To stop
    at the frozen encoder would leave no model to convert: what a sentence encoder
    hands up is made to be averaged, and a head on it hardly beats the frequencies.

    Args:
        reader: The model.
        ids: The text, without special tokens.
        n_tokens: Tokens of a training text, the special ones counted.
        steps: Batches of four texts.
        seed: Decides texts and hidden tokens.
        progress: Show bars.

    Raises:
        ValueError: If the text is too short, or a number out of range.

    Source: Kumar et al. 2022, section 3: a linear probe first, then fine-tuning.
    """
    how = {"n_tokens": n_tokens, "batch_tokens": HEAD_TEXTS * n_tokens, "seed": seed}
    alone = max(1, steps // HEAD_ALONE)
    train_head(reader, ids, steps=alone, progress=progress, **how)
    if steps > alone:
        how["seed"] = seed + 1
        more = steps - alone
        continue_training(reader, ids, steps=more, progress=progress, **how)


def train_head(
    reader: MaskedReader,
    ids: Int[Tensor, " token"],
    *,
    n_tokens: int,
    steps: int,
    batch_tokens: int = 2048,
    seed: int = 0,
    progress: bool = True,
) -> History:
    """Train the head alone, in place; the encoder stays as it came.

    The bias of a fresh head begins at the log frequencies of the tokens in the text.

    Args:
        reader: The model.
        ids: The text, without special tokens.
        n_tokens: Tokens of a training text, the special ones counted.
        steps: Batches to learn from.
        batch_tokens: Tokens of a batch.
        seed: Decides texts and hidden tokens.
        progress: Show a bar.

    Raises:
        ValueError: If the text is too short, or a number out of range.
    """
    if not reader.has_own_head:
        reader.begin_with_frequencies(ids)
    with reader.frozen_encoder():
        return _fit(
            reader, ids, n_tokens, steps, batch_tokens, HEAD_RATE, seed, progress
        )


def continue_training(
    reader: MaskedReader,
    ids: Int[Tensor, " token"],
    *,
    n_tokens: int,
    steps: int,
    batch_tokens: int = 4096,
    learning_rate: float = MODEL_RATE,
    seed: int = 0,
    progress: bool = True,
) -> History:
    """Train the whole model on, in place, to name hidden tokens of texts of one length.

    Args:
        reader: The model.
        ids: The text, without special tokens.
        n_tokens: Tokens of a training text, the special ones counted.
        steps: Batches to learn from.
        batch_tokens: Tokens of a batch.
        learning_rate: The peak.
        seed: Decides texts and hidden tokens.
        progress: Show a bar.

    Raises:
        ValueError: If the text is too short, or a number out of range.
    """
    return _fit(
        reader, ids, n_tokens, steps, batch_tokens, learning_rate, seed, progress
    )


def training_pieces(
    ids: Int[Tensor, " token"], *, size: int, count: int, seed: int = 0
) -> list[Int[Tensor, " {size}"]]:
    """Cut pieces of a text, going through it as often as it takes.

    Where a pass begins is drawn, so that its pieces are other ones than before.

    Args:
        ids: The text.
        size: Tokens of a piece.
        count: Number of pieces.
        seed: Decides where the passes begin.

    Raises:
        ValueError: If the text is too short for a piece.

    Example:
        >>> pieces = training_pieces(torch.arange(7), size=3, count=3)
        >>> len(pieces), [len(piece) for piece in pieces]
        (3, [3, 3, 3])
    """
    if not 1 <= size <= len(ids):
        raise ValueError(
            f"need 1 <= size <= {len(ids)}, the tokens of the text, got size={size}"
        )
    draw, pieces = torch.Generator().manual_seed(seed), []
    while len(pieces) < count:
        most = min(size, len(ids) - size + 1)
        start = int(torch.randint(most, (), generator=draw))
        passed = ids[start:].split(size)
        pieces += [piece for piece in passed if len(piece) == size]
    return pieces[:count]


def _fit(reader, ids, n_tokens, steps, batch_tokens, rate, seed, progress):
    """Train on as many texts as the steps take, each of the same length."""
    need_room(n_tokens)
    if steps < 1:
        raise ValueError(f"need steps >= 1, got steps={steps}")
    count = steps * max(1, batch_tokens // n_tokens)
    return fit(
        reader,
        training_pieces(ids, size=n_tokens - N_SPECIAL, count=count, seed=seed),
        collate=partial(_hide, marks=reader.marks),
        loss=lambda model, batch: nats(model, batch["ids"], batch["labels"], "mean"),
        config=TrainConfig(
            epochs=1,
            learning_rate=rate,
            batch_tokens=max(1, batch_tokens // n_tokens) * (n_tokens - N_SPECIAL),
            seed=seed,
        ),
        progress=progress,
    )


def _hide(group: Sequence[Tensor], marks: Marks) -> dict[str, Tensor]:
    """Hide some tokens of each text; `fit` seeds torch's own randomness."""
    inputs, labels = hide_some(marks, torch.stack(list(group)), torch.default_generator)
    return {"ids": between(inputs, *marks.around), "labels": between(labels)}
