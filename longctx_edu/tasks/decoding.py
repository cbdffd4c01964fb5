"""From a document's logits to its tags: each word alone, or the whole row at once."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor


def greedy(logits: Float[Tensor, "word label"], tags: Sequence[str]) -> list[str]:
    """Give each word its best tag, whatever its neighbours have.

    Args:
        logits: One a word and label.
        tags: The tag that each label number stands for.

    Example:
        >>> logits = torch.tensor([[2.0, 1.5, 0.0], [0.0, 1.0, 2.0]])
        >>> greedy(logits, ["O", "B-A", "I-A"])
        ['O', 'I-A']
    """
    return [tags[label] for label in logits.argmax(dim=-1).tolist()]


def constrained(logits: Float[Tensor, "word label"], tags: Sequence[str]) -> list[str]:
    """Give a document its most likely tags among those that IOB2 allows.

    An `I-` must continue an entity of its type. A tag that breaks this would count as
    no entity at all; here it becomes part of one, or nothing, whichever the logits of
    all words together favour. Found word by word, keeping for each tag the best way
    that leads to it.

    Args:
        logits: One a word and label.
        tags: The tag that each label number stands for.

    Example:
        >>> logits = torch.tensor([[2.0, 1.5, 0.0], [0.0, 1.0, 2.0]])
        >>> constrained(logits, ["O", "B-A", "I-A"])
        ['B-A', 'I-A']

    Source: Viterbi 1967; for tags with a hand-set transition table: Lample et al.
    2016, section 2.2.
    """
    words = logits.float().log_softmax(dim=-1).cpu()
    return [tags[label] for label in viterbi(words, *allowed(tags)).tolist()]


def viterbi(
    logits: Float[Tensor, "word label"],
    first: Float[Tensor, " label"],
    follows: Float[Tensor, "label label"],
) -> Int[Tensor, " word"]:
    """Find the row of labels with the highest sum of logits and steps.

    Of a text, it keeps one small number a word and label: where the best way to this
    label came from.

    Args:
        logits: One a word and label.
        first: What each label is worth at the first word.
        follows: What a label (row) is worth before another (column).

    Example:
        >>> logits, first = torch.tensor([[2.0, 0.0], [0.0, 1.0]]), torch.zeros(2)
        >>> viterbi(logits, first, torch.tensor([[0.0, -5.0], [0.0, 0.0]]))
        tensor([0, 0])

    Source: Viterbi 1967.
    """
    if len(logits) == 0:
        return torch.empty(0, dtype=torch.long)
    came_from = torch.empty(logits.shape, dtype=_smallest(logits.shape[1]))
    best = logits[0] + first
    for word in range(1, len(logits)):
        way, came_from[word] = (best[:, None] + follows).max(dim=0)
        best = way + logits[word]
    labels = [int(best.argmax())]
    for word in range(len(logits) - 1, 0, -1):
        labels.append(int(came_from[word, labels[-1]]))
    return torch.tensor(labels[::-1])


def allowed(
    tags: Sequence[str],
) -> tuple[Float[Tensor, " label"], Float[Tensor, "label label"]]:
    """Say which steps IOB2 allows: 0 where a tag may stand, and -inf elsewhere.

    Args:
        tags: The tag that each label number stands for.

    Returns:
        For a tag that begins a text, and for a tag (column) after another (row).

    Example:
        >>> first, follows = allowed(["O", "B-A", "I-A"])
        >>> first.tolist(), follows[0].tolist(), follows[1].tolist()
        ([0.0, 0.0, -inf], [0.0, 0.0, -inf], [0.0, 0.0, 0.0])
    """

    def may_follow(tag: str, before: str) -> bool:
        return not tag.startswith("I-") or before in (f"B-{tag[2:]}", tag)

    first = [0.0 if may_follow(tag, "O") else -math.inf for tag in tags]
    follows = [
        [0.0 if may_follow(tag, before) else -math.inf for tag in tags]
        for before in tags
    ]
    return torch.tensor(first), torch.tensor(follows)


def _smallest(n_labels: int) -> torch.dtype:
    """Choose the smallest whole numbers that count so many labels."""
    kinds = (torch.uint8, torch.int16, torch.int64)
    return next(kind for kind in kinds if n_labels <= torch.iinfo(kind).max + 1)


DECODERS = {"greedy": greedy, "constrained": constrained}
"""The ways to read tags off logits, by name."""
