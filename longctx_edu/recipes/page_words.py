"""Words as they may stand on a page: escaped, cut to a length, blanks between them."""

from collections.abc import Sequence
from html import escape
from itertools import pairwise

LONGEST = 60
"""Characters of a word that are shown; damaged files hold words of any length."""
# Ideographs, kana and their punctuation: written without blanks between words.
DENSE = ((0x3000, 0x30FF), (0x3400, 0x9FFF), (0xF900, 0xFAFF), (0xFF00, 0xFFEF))
DENSE_PLANES = 0x20000, 0x3FFFF
# What HTML does not allow, and halves of characters that UTF-8 cannot write.
FORBIDDEN = {code: "\ufffd" for code in (*range(32), *range(127, 160))}
HALVES = range(0xD800, 0xE000)


def clean(text: str, most: int = LONGEST) -> str:
    """Return text as it may stand in HTML, in an attribute too, cut to a length.

    Args:
        text: Any text.
        most: Characters.

    Example:
        >>> clean('<b "x">')
        '&lt;b &quot;x&quot;&gt;'
    """
    if len(text) > most:
        text = text[: most - 1] + "…"
    text = "".join("\ufffd" if ord(letter) in HALVES else letter for letter in text)
    return escape(text.translate(FORBIDDEN))


def gap(left: str, right: str) -> str:
    """Return what stands between two words: nothing in Chinese and Japanese.

    Args:
        left: A word.
        right: The next one.

    Example:
        >>> gap("Ada", "sings"), gap("北", "京")
        (' ', '')
    """
    return "" if is_dense(left[-1:]) and is_dense(right[:1]) else " "


def is_dense(letter: str) -> bool:
    """Tell whether a character belongs to a script without blanks between words.

    Args:
        letter: One character, or none.
    """
    code = ord(letter) if letter else 0
    ranges = (*DENSE, DENSE_PLANES)
    return any(low <= code <= high for low, high in ranges)


def joined(words: Sequence[str]) -> str:
    """Write words as text.

    Args:
        words: The words.
    """
    between = [*(gap(a, b) for a, b in pairwise(words)), ""]
    return "".join(clean(word) + g for word, g in zip(words, between, strict=False))
