"""From text to words, and from words to numbers, without a vocabulary.

A word becomes a few features: its form (two independent hashes), its ending, and its
shape. Each feature names a row of one table of `n_buckets` rows. No list of words is
learnt or saved, so a name never seen before is a word like any other.
"""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Int
from torch import Tensor

N_FEATURES = 4
"""Features a word has: two hashes of its form, its ending, its shape."""

# A number with its separators, a word with inner hyphens or points (U.S., well-known),
# the clitic 's, or a single other character.
_WORD = re.compile(
    r"\d+(?:[.,:]\d+)*|['’]s\b|(?:\w\.){2,}|\w+(?:[-_]\w+)*|[^\w\s]", re.UNICODE
)


@dataclass(frozen=True)
class Word:
    """A word and where it stands in its text.

    Args:
        text: The word itself.
        start: Its first character, counted from 0.
        stop: The character after its last one.
    """

    text: str
    start: int
    stop: int


def tokenize(text: str) -> list[Word]:
    """Cut a text into words and punctuation; `text[start:stop]` is each word.

    Args:
        text: Any text.

    Example:
        >>> [word.text for word in tokenize("Marlow's harbour, 1,200 boats.")]
        ['Marlow', "'s", 'harbour', ',', '1,200', 'boats', '.']
    """
    return [Word(m.group(), m.start(), m.end()) for m in _WORD.finditer(text)]


def word_features(
    words: Sequence[str], *, n_buckets: int
) -> Int[Tensor, "token feature"]:
    """Name the rows of the table that make up each word.

    Args:
        words: The words.
        n_buckets: Rows of the table.

    Raises:
        ValueError: If there are fewer than 64 rows.

    Example:
        >>> a, b, c = word_features(["Ada", "ada", "Ida"], n_buckets=4096)
        >>> (a == b).int().tolist()  # all but the shape
        [1, 1, 1, 0]

    Source: hash embeddings: Svenstrup et al. 2017, section 3.
    """
    if n_buckets < 64:
        raise ValueError(f"need n_buckets >= 64, got {n_buckets}")
    rows = [_features(word, n_buckets) for word in words]
    return torch.tensor(rows, dtype=torch.long).reshape(-1, N_FEATURES)


def word_shape(word: str) -> str:
    """Write a word's shape: capital X, small x, digit 9, runs cut to two.

    Args:
        word: The word.

    Example:
        >>> word_shape("McLaren-75")
        'XxXxx-99'
    """
    shape = ""
    for letter in word:
        kind = letter
        if letter.isdigit():
            kind = "9"
        elif letter.isalpha():
            kind = "X" if letter.isupper() else "x"
        if not shape.endswith(kind * 2):
            shape += kind
    return shape


@lru_cache(maxsize=200_000)
def _features(word: str, n_buckets: int) -> tuple[int, ...]:
    lower = word.lower()
    shape = word_shape(word)[:6]
    keys = (f"form {lower}", f"again {lower}", f"end {lower[-3:]}", f"shape {shape}")
    return tuple(zlib.crc32(key.encode()) % n_buckets for key in keys)
