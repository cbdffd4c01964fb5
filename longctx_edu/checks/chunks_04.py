"""What the checks of lesson 04 share: chunks and their owners, found the slow way."""

from collections.abc import Iterator

from longctx_edu.checks.plain import is_number, list_of
from longctx_edu.checks.report import require

__all__: list[str] = []

Pair = tuple[int, int]


def slow_cut(n_tokens: int, size: int, overlap: int) -> list[Pair]:
    """Walk over a document chunk by chunk, and move the last one back.

    Example:
        >>> slow_cut(9, 4, 1)
        [(0, 4), (3, 7), (5, 9)]
    """
    found, start = [], 0
    while start + size < n_tokens:
        found.append((start, start + size))
        start += size - overlap
    return [*found, (max(0, n_tokens - size), n_tokens)]


def slow_owners(chunks: list[Pair], n_tokens: int) -> list[int]:
    """Ask each token in which chunk its poorer side is longest.

    Example:
        >>> slow_owners([(0, 4), (2, 6)], 6)
        [0, 0, 0, 1, 1, 1]
    """
    owners = []
    for token in range(n_tokens):
        best, most = -1, -1
        for number, (start, stop) in enumerate(chunks):
            if not start <= token < stop:
                continue
            before = n_tokens if start == 0 else token - start
            after = n_tokens if stop == n_tokens else stop - 1 - token
            if min(before, after) > most:
                best, most = number, min(before, after)
        owners.append(best)
    return owners


def every_cut() -> Iterator[tuple[int, int, int]]:
    """Give every small length with every size and overlap."""
    for n_tokens in range(1, 15):
        for size in range(1, 7):
            for overlap in range(size):
                yield n_tokens, size, overlap


def pairs_from(value: object) -> list[Pair]:
    """Take an answer for a list of pairs, or say what it is.

    Args:
        value: What a learner's function gave.

    Raises:
        CheckFailed: If it is anything else.

    Example:
        >>> pairs_from([[0, 4]])
        [(0, 4)]
    """
    pairs = list_of(value, "pairs (start, stop)")
    for pair in pairs:
        fine = isinstance(pair, list | tuple) and len(pair) == 2
        require(
            fine and all(map(is_number, pair)),
            "a chunk is a pair (start, stop)",
            came=pair,
            expected="two whole numbers, such as (0, 4)",
            hint="append((start, stop)), with two pairs of brackets",
        )
    return [tuple(pair) for pair in pairs]
