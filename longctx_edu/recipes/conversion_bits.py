"""Bits per masked token of a text, read in pieces of any length.

A text is cut into pieces, each between the special tokens of its model. What is hidden
is drawn once for the whole text: each way of reading it has to name the same tokens at
the same places.
"""

from collections.abc import Iterator
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from longctx_edu.data.language import IGNORED, held_out, mask_tokens, read_corpus
from longctx_edu.errors import UserError
from longctx_edu.metrics import bits_per_token
from longctx_edu.recipes.conversion_model import Marks, MaskedReader

N_SPECIAL = 2
"""Special tokens of a piece: one before it, one behind it."""


def text_ids(
    reader: MaskedReader, path: str | Path
) -> tuple[Int[Tensor, " token"], Int[Tensor, " place"]]:
    """Read a text file as token ids, the last tenth of its characters held out.

    Args:
        reader: Its tokenizer is used.
        path: The file, in UTF-8.

    Raises:
        UserError: If there is no such file, it is empty or not UTF-8.
        ValueError: If the text is too short for two parts.

    Returns:
        Ids to learn from, ids to test on; no special tokens.
    """
    return tuple(
        torch.tensor(
            reader.tokenizer(part, add_special_tokens=False, verbose=False)["input_ids"]
        )
        for part in held_out(read_corpus(path))
    )


def hide_some(
    marks: Marks, ids: Int[Tensor, "*batch token"], generator: torch.Generator
) -> tuple[Int[Tensor, "*batch token"], Int[Tensor, "*batch token"]]:
    """Hide 15 % of the tokens of a text, as BERT's training does.

    Args:
        marks: The ids that the tokenizer gives a meaning of their own.
        ids: Texts.
        generator: Where chance comes from.

    Returns:
        The inputs; and the labels, the true id where one is asked for, else `IGNORED`.
    """
    return mask_tokens(
        ids,
        vocab_size=marks.vocab_size,
        mask_id=marks.mask,
        special_ids=marks.special,
        generator=generator,
    )


@torch.no_grad()
def bits_at(
    reader: MaskedReader,
    ids: Int[Tensor, " token"],
    *,
    n_tokens: int,
    seed: int = 0,
    batch_tokens: int = 4096,
) -> float:
    """Return the bits per masked token of a text that is read in pieces.

    The seed and the text alone decide what is hidden, whatever reads it and however
    long the pieces are. The last piece may be shorter.

    Args:
        reader: The model; it is put into evaluation mode and back.
        ids: The text, without special tokens.
        n_tokens: Tokens that are read at once, the special ones counted.
        seed: Decides which tokens are hidden.
        batch_tokens: Most tokens in a batch.

    Raises:
        UserError: If the model cannot read so many tokens at once.
        ValueError: If no token fits beside the special ones, or there is no text.

    Source: Devlin et al. 2019, section 3.1; Longformer (Beltagy et al. 2020), table
    5. Built in lesson 10.
    """
    if n_tokens > reader.longest:
        raise UserError(
            f"need n_tokens <= {reader.longest}, the length of the position table, got "
            f"{n_tokens}: make the model long"
        )
    if not len(ids):
        raise ValueError("need a text with a token in it, got none")
    inputs, labels = hide_some(reader.marks, ids, torch.Generator().manual_seed(seed))
    was_training, where = reader.training, next(reader.parameters()).device
    reader.eval()
    total = 0.0
    for rows, wanted in _batches(reader.marks, inputs, labels, n_tokens, batch_tokens):
        rows, wanted = rows.to(where), wanted.to(where)
        total += float(nats(reader, rows, wanted, "sum"))
    reader.train(was_training)
    return bits_per_token(total / int((labels != IGNORED).sum()))


def nats(
    model: nn.Module, ids: Tensor, labels: Tensor, reduction: str
) -> Float[Tensor, ""]:
    """Return the cross-entropy of the tokens that are asked for.

    Args:
        model: A `MaskedReader`.
        ids: Texts with their special tokens, some tokens hidden.
        labels: The id at each place that is asked for, else `IGNORED`.
        reduction: "mean", or "sum".
    """
    asked = labels != IGNORED
    logits = model(ids, asked).float()
    return nn.functional.cross_entropy(logits, labels[asked], reduction=reduction)


def between(
    rows: Tensor, first: int = IGNORED, last: int = IGNORED
) -> Int[Tensor, "batch token"]:
    """Put an id before each row and one behind it.

    Args:
        rows: Texts.
        first: The id before each; by default what a loss leaves out.
        last: The id behind each.

    Example:
        >>> between(torch.tensor([[7, 8]]), 1, 2).tolist()
        [[1, 7, 8, 2]]
    """
    ends = (rows.new_full((len(rows), 1), end) for end in (first, last))
    before, behind = ends
    return torch.cat([before, rows, behind], dim=1)


def need_room(n_tokens: int) -> None:
    """Refuse texts that hold special tokens alone.

    Args:
        n_tokens: Tokens of a text, the special ones counted.

    Raises:
        ValueError: If none is left for the text itself.
    """
    if n_tokens <= N_SPECIAL:
        raise ValueError(
            f"need n_tokens > {N_SPECIAL}, the special tokens of a text, got "
            f"n_tokens={n_tokens}"
        )


def _batches(
    marks: Marks, inputs: Tensor, labels: Tensor, n_tokens: int, batch_tokens: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Cut a text into pieces, as many of the same length together as a batch holds."""
    need_room(n_tokens)
    size = n_tokens - N_SPECIAL
    whole = len(inputs) // size * size
    n_rows = max(1, batch_tokens // n_tokens)
    for part in (slice(0, whole), slice(whole, len(inputs))):
        length = min(size, len(inputs[part])) or 1
        rows, wanted = (x[part].reshape(-1, length) for x in (inputs, labels))
        for some, asked in zip(rows.split(n_rows), wanted.split(n_rows), strict=True):
            if (asked != IGNORED).any():
                yield between(some, *marks.around), between(asked)
