"""A linear-chain CRF: the score of a whole row of tags, and the sum over all rows.

A row scores its logits, plus how well its first tag begins a text, plus how well each
tag follows the one before. What a step is worth is learnt, see `models.Transitions`.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from longctx_edu.tasks.decoding import viterbi
from longctx_edu.tasks.pieces import IGNORE, Piece, collate
from longctx_edu.tasks.tagging import tag_logits


def log_partition(
    logits: Float[Tensor, "batch word label"],
    first: Float[Tensor, "batch label"],
    follows: Float[Tensor, "label label"],
    keep: Bool[Tensor, "batch word"],
) -> Float[Tensor, " batch"]:
    """Logarithm of the sum of exp(score) over all rows of labels, of each text.

    The forward recursion: `total[y]`, over all rows that end in y, becomes
    `logits[y] + logsumexp over x of (total[x] + follows[x, y])` with the next word.

    Args:
        logits: One a word and label.
        first: What each label is worth at the first word.
        follows: What a label (row) is worth before another (column).
        keep: True for words; those of a text come first, then what fills it up.

    Example:
        >>> logits, first = torch.zeros(1, 2, 3), torch.zeros(1, 3)
        >>> words = torch.ones(1, 2, dtype=torch.bool)
        >>> total = log_partition(logits, first, torch.zeros(3, 3), words)
        >>> total.exp().round()  # there are 3 * 3 rows
        tensor([9.])

    Source: Lafferty et al. 2001, section 3; Sutton and McCallum 2012, equation 4.6.
    """
    if logits.shape[1] == 0:
        return logits.new_zeros(len(logits))
    total = first + logits[:, 0]
    for word in range(1, logits.shape[1]):
        longer = (total[:, :, None] + follows).logsumexp(dim=1) + logits[:, word]
        total = torch.where(keep[:, word, None], longer, total)
    return torch.where(keep[:, 0], total.logsumexp(dim=-1), 0.0)


def row_score(
    logits: Float[Tensor, "batch word label"],
    labels: Int[Tensor, "batch word"],
    first: Float[Tensor, "batch label"],
    follows: Float[Tensor, "label label"],
    keep: Bool[Tensor, "batch word"],
) -> Float[Tensor, " batch"]:
    """Add up what one row of labels is worth, for each text.

    Args:
        logits: One a word and label.
        labels: The row; anything where there is no word.
        first: What each label is worth at the first word.
        follows: What a label (row) is worth before another (column).
        keep: True for words; those of a text come first.

    Example:
        >>> logits = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
        >>> first, follows = torch.tensor([[10.0, 20.0]]), 100 * torch.ones(2, 2)
        >>> keep = torch.ones(1, 2, dtype=torch.bool)
        >>> row_score(logits, torch.tensor([[1, 0]]), first, follows, keep)
        tensor([125.])

    Source: Lample et al. 2016, section 2.2.
    """
    labels = torch.where(keep, labels, 0)
    words = logits.gather(-1, labels[..., None])[..., 0]
    begins, steps = (
        first.gather(1, labels[:, :1]),
        follows[labels[:, :-1], labels[:, 1:]],
    )
    each = words + torch.cat([begins, steps], dim=1)
    text = keep.nonzero()[:, 0]
    return logits.new_zeros(len(logits)).index_add(0, text, each[keep])


def negative_log_likelihood(
    logits: Float[Tensor, "batch word label"],
    labels: Int[Tensor, "batch word"],
    first: Float[Tensor, "batch label"],
    follows: Float[Tensor, "label label"],
    keep: Bool[Tensor, "batch word"],
) -> Float[Tensor, ""]:
    """Mean over words of `log_partition - row_score`, in nats.

    Without anything learnt of steps, it is the cross-entropy of each word alone.

    Args:
        logits: One a word and label.
        labels: The right row; anything where there is no word.
        first: What each label is worth at the first word.
        follows: What a label (row) is worth before another (column).
        keep: True for words; those of a text come first.

    Raises:
        ValueError: If there is no word.

    Example:
        >>> logits, labels = torch.zeros(1, 2, 4), torch.tensor([[3, 1]])
        >>> first, keep = torch.zeros(1, 4), torch.ones(1, 2, dtype=torch.bool)
        >>> steps = torch.zeros(4, 4)
        >>> nats = negative_log_likelihood(logits, labels, first, steps, keep)
        >>> nats.exp().round()  # each word is one of 4
        tensor(4.)

    Source: Lample et al. 2016, section 2.2.
    """
    if not keep.any():
        raise ValueError(f"need a word with a label, got none in {len(keep)} texts")
    missing = log_partition(logits, first, follows, keep)
    missing = missing - row_score(logits, labels, first, follows, keep)
    return missing[keep.any(dim=1)].sum() / keep.sum()


def labelled_words(
    logits: Float[Tensor, "batch token label"], labels: Int[Tensor, "batch token"]
) -> tuple[
    Float[Tensor, "batch word label"],
    Int[Tensor, "batch word"],
    Bool[Tensor, "batch word"],
]:
    """Leave out the tokens without a label: padding, and all but a word's first piece.

    Args:
        logits: One a token and label.
        labels: The label of each token, or `IGNORE`.

    Returns:
        Logits and labels, the words of a text first, and True for words.

    Example:
        >>> labels = torch.tensor([[-100, 4, -100, 2], [-100, -100, 3, -100]])
        >>> _, words, keep = labelled_words(torch.zeros(2, 4, 5), labels)
        >>> words.tolist(), keep.tolist()
        ([[4, 2], [3, -100]], [[True, True], [True, False]])
    """
    real = labels != IGNORE
    order = (~real).byte().argsort(dim=1, stable=True)[:, : int(real.sum(dim=1).max())]
    words = logits.take_along_dim(order[..., None], dim=1)
    return words, labels.gather(1, order), real.gather(1, order)


def collate_chains(pieces: Sequence[Piece], *, pad: int) -> dict[str, Tensor]:
    """Put pieces side by side as `collate` does, and say which begin their document.

    Args:
        pieces: Any pieces.
        pad: The input that fills up a row.
    """
    opens = [bool((piece.words == 0).any()) for piece in pieces]
    return {**collate(pieces, pad=pad), "opens": torch.tensor(opens)}


def crf_loss(model: nn.Module, batch: dict[str, Tensor]) -> Float[Tensor, ""]:
    """Mean over the words of a batch of minus the log-probability of its rows, in nats.

    A piece from the middle of a document may begin with any tag: an entity may have
    been cut there, and what begins a document is not asked.

    Args:
        model: A token classifier with `head_transitions`.
        batch: What `collate_chains` returns.

    Raises:
        ValueError: If no token has a label, or IOB2 forbids a row.

    Source: Lample et al. 2016, section 2.2; over first sub-words: Devlin et al. 2019,
    section 5.3.
    """
    logits = tag_logits(model, batch).float()
    logits, labels, keep = labelled_words(logits, batch["labels"])
    first, follows = model.head_transitions()
    first = torch.where(batch["opens"][:, None], first, 0.0)
    loss = negative_log_likelihood(logits, labels, first, follows, keep)
    if loss.isposinf():
        raise ValueError("need tags that IOB2 allows, got a row of probability 0")
    return loss


def crf_tags(
    logits: Float[Tensor, "word label"], tags: Sequence[str], *, transitions: nn.Module
) -> list[str]:
    """Give a document its most likely row of tags.

    Args:
        logits: One a word and label.
        tags: The tag that each label number stands for.
        transitions: What each step is worth.

    Source: Viterbi 1967; Lample et al. 2016, section 2.2.
    """
    first, follows = (worth.detach().cpu() for worth in transitions())
    return [tags[label] for label in viterbi(logits.cpu(), first, follows).tolist()]
