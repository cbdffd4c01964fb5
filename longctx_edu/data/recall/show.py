"""A sample in words that a person can follow."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from longctx_edu.data.recall.config import ASK, MARK, RecallConfig
from longctx_edu.data.recall.sample import Recall

DOTS = 4  # so many tokens of noise are counted rather than written out


def show(sample: Recall, config: RecallConfig) -> str:
    """Write a sample in words: markers, keys, values, and dots for noise.

    `?` asks, `!` marks evidence, `k3` is the key number 3 and `v7` the value number
    7, from 0. Four tokens of noise or more are one word, `..9..` where they are nine.
    What is due stands behind an arrow, all tokens of an answer together.

    Args:
        sample: Made with this config.
        config: Tells what the ids are.

    Raises:
        ValueError: If an id is not one of the config's.

    Example:
        >>> import torch
        >>> from longctx_edu.data.recall.needle import NeedleConfig
        >>> ids = [4, 25, 34, 34, 0, 4, 34]
        >>> answers = [-100, -100, -100, -100, -100, 25, -100]
        >>> distances = [-1, -1, -1, -1, -1, 4, -1]
        >>> show(Recall(*torch.tensor([ids, answers, distances])), NeedleConfig())
        'k2 v7 . . ? k2 -> v7 .'
    """
    return " ".join(shortened(words(sample, config)))


def words(sample: Recall, config: RecallConfig) -> Iterator[str]:
    """Yield a word for each token, and each answer behind the token that gives it."""
    before = -1
    for token, answer in zip(sample.ids.tolist(), sample.answers.tolist(), strict=True):
        going_on = before >= 0 and answer >= 0  # the token was written as the answer
        if not going_on:
            yield word(token, config)
        if answer >= 0:
            yield from () if going_on else ("->",)
            yield word(answer, config)
        before = answer


def word(token: int, config: RecallConfig) -> str:
    """Return the word for one id."""
    for sign, ids in (("k", config.keys), ("v", config.values)):
        if token in ids:
            return f"{sign}{token - ids.start}"
    if token in config.noise:
        return "."
    if token in (ASK, MARK):
        return "?" if token == ASK else "!"
    raise ValueError(f"need ids from 0 to {config.vocab_size - 1}, got {token}")


def shortened(row: Iterable[str]) -> Iterator[str]:
    """Count long runs of noise."""
    for sign, run in groupby(row):
        run = list(run)
        yield from [f"..{len(run)}.."] if sign == "." and len(run) >= DOTS else run
