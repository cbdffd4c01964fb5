"""Tagging: the loss of a token classifier, and tags for whole documents."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from longctx_edu.losses import cross_entropy
from longctx_edu.tasks.decoding import greedy
from longctx_edu.tasks.pieces import IGNORE, Piece, collate


def tag_names(types: Sequence[str]) -> tuple[str, ...]:
    """Name the labels of an IOB2 tagger.

    Args:
        types: Entity types.

    Example:
        >>> tag_names(["PER", "LOC"])
        ('O', 'B-PER', 'I-PER', 'B-LOC', 'I-LOC')
    """
    return ("O", *(f"{prefix}-{type}" for type in types for prefix in "BI"))


def tagging_loss(model: nn.Module, batch: dict[str, Tensor]) -> Float[Tensor, ""]:
    """Mean cross-entropy over the labelled tokens of a batch, in nats.

    Args:
        model: A token classifier.
        batch: What `collate` returns.

    Raises:
        ValueError: If no token of the batch has a label.

    Source: Devlin et al. 2019, section 5.3. Built in lesson 09.
    """
    logits = tag_logits(model, batch).float()
    return cross_entropy(logits, batch["labels"], ignore_index=IGNORE)


def weighted_tagging_loss(
    model: nn.Module, batch: dict[str, Tensor], *, outside_weight: float
) -> Float[Tensor, ""]:
    """Mean cross-entropy over the labelled tokens, those outside entities reweighted.

    Most words are outside. Counted less often, they weigh less against the few that
    an entity has: more entities are found, and more that are none.

    Args:
        model: A token classifier, whose first label is O.
        batch: What `collate` returns.
        outside_weight: How often a token with the label O counts; others count once.

    Raises:
        ValueError: If no token of the batch counts.
    """
    logits = tag_logits(model, batch).float()
    weights = logits.new_ones(logits.shape[-1])
    weights[0] = outside_weight
    labels = batch["labels"]
    return cross_entropy(logits, labels, ignore_index=IGNORE, class_weights=weights)


def tag_logits(
    model: nn.Module, batch: dict[str, Tensor]
) -> Float[Tensor, "batch token label"]:
    """Let a token classifier read a batch.

    Args:
        model: A token classifier.
        batch: What `collate` returns.
    """
    return model(
        batch["inputs"], keep=batch["keep"], global_tokens=batch["global_tokens"]
    )


@torch.no_grad()
def predict_tags(
    model: nn.Module,
    pieces: Sequence[Piece],
    tags: Sequence[str],
    *,
    lengths: Sequence[int],
    pad: int,
    batch_tokens: int = 4096,
    decode: Callable[[Tensor, Sequence[str]], list[str]] = greedy,
    on_piece: Callable[[int], None] | None = None,
) -> list[list[str]]:
    """Tag whole documents: each word by the piece that answers for it.

    Args:
        model: A token classifier; it is put into evaluation mode and back.
        pieces: What `pieces_of` returns.
        tags: The tag that each label number stands for.
        lengths: Words of each document.
        pad: The input that fills up a row.
        batch_tokens: Most tokens in a batch, padding included.
        decode: How a document's logits become its tags: `greedy`, or `constrained`.
        on_piece: Called with the tokens of each finished batch.
    """
    device = next(model.parameters()).device
    nothing = torch.tensor([float(tag == "O") for tag in tags])
    answers = [nothing.repeat(length, 1) for length in lengths]
    was_training = model.training
    model.eval()
    for numbers in _batches([len(piece) for piece in pieces], batch_tokens):
        group = [pieces[number] for number in numbers]
        batch = {k: x.to(device) for k, x in collate(group, pad=pad).items()}
        logits = tag_logits(model, batch).float().cpu()
        for piece, rows in zip(group, logits, strict=True):
            at = piece.words >= 0
            answers[piece.document][piece.words[at]] = rows[: len(piece)][at]
        if on_piece is not None:
            on_piece(sum(len(piece) for piece in group))
    model.train(was_training)
    return [decode(rows, tags) for rows in answers]


def _batches(lengths: Sequence[int], batch_tokens: int) -> list[list[int]]:
    """Group pieces of like length, the longest first."""
    order = sorted(range(len(lengths)), key=lambda number: -lengths[number])
    groups, longest = [], 0
    for number in order:
        if groups and (len(groups[-1]) + 1) * longest <= batch_tokens:
            groups[-1].append(number)
        else:
            groups.append([number])
            longest = lengths[number]
    return groups
