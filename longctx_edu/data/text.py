"""From text to words, and from words to numbers, without a vocabulary.

A word becomes a few features: its form (two independent hashes), its ending, and its
shape, in which a capital that opens a sentence tells nothing. Each feature names a row
of one table of `n_buckets` rows. No list of words is learnt or saved, so a name never
seen before is a word like any other.
"""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Int
from torch import Tensor

# After these, or at the very beginning, any word has a capital.
_OPENERS = frozenset(("", ".", "!", "?", ":", "“", '"', "‘"))

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
        >>> a, b = word_features(["Ada", "ada"], n_buckets=4096)
        >>> (a == b).int().tolist()  # all but the shape
        [1, 1, 1, 0]

    Source: hash embeddings: Svenstrup et al. 2017, section 3.
    """
    if n_buckets < 64:
        raise ValueError(f"need n_buckets >= 64, got {n_buckets}")
    before = ("", *words)[: len(words)]
    rows = [
        _features(word, previous in _OPENERS, n_buckets)
        for word, previous in zip(words, before, strict=True)
    ]
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
def _features(word: str, opens: bool, n_buckets: int) -> tuple[int, ...]:
    lower = word.lower()
    shape = word_shape(word)[:6]
    if opens and shape[:1] == "X":
        shape = "?" + shape[1:]
    keys = (f"form {lower}", f"again {lower}", f"end {lower[-3:]}", f"shape {shape}")
    return tuple(zlib.crc32(key.encode()) % n_buckets for key in keys)
