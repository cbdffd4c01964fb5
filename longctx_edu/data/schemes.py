"""Find out which tag scheme files are written in, from their tags alone."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from longctx_edu.data.columns import Layout, sentences_of
from longctx_edu.data.tags import CLOSES, CONTINUES, PREFIXES

LETTERS = frozenset("".join(PREFIXES.values()))


def evidence(columns: Iterable[Sequence[str]]) -> Counter[str]:
    """Count the tags that speak for one scheme and against another.

    Under IOB1 no entity opens with `B-` but behind one of its own type; under IOB2
    none opens with `I-`. BIOES, BILOU and BMES close each entity with a letter of
    their own, the others leave it open.

    Args:
        columns: The tags of each sentence, as they stand in the file.

    Returns:
        How many tags: "IOB1" open with `I-`, "IOB2" open with a `B-` that IOB1 would
        not write; "open" are the last of an entity and do not close it; and how often
        each of the letters E, S, L, U, M and I comes first.

    Example:
        >>> count = evidence([["I-PER", "I-PER", "O"], ["B-LOC"]])
        >>> count["IOB1"], count["IOB2"], count["open"]
        (1, 1, 2)
    """
    count: Counter[str] = Counter()
    for tags in columns:
        parts = [split_tag(tag) for tag in tags]
        for (before, before_type), (letter, type_) in pairwise([("O", ""), *parts]):
            goes_on = before_type == type_ and before not in "O" + CLOSES
            count[letter] += letter != "O"
            count["IOB1"] += letter == "I" and before_type != type_
            count["IOB2"] += letter == "B" and before_type != type_
            is_end = before in "BIM" and not (goes_on and letter in CONTINUES)
            count["open"] += is_end
        count["open"] += bool(parts) and parts[-1][0] in "BIM"
    return count


def scheme_of(count: Counter[str]) -> str | None:
    """Name the scheme that the tags are written in; None where there is no entity.

    Where tags speak for both IOB1 and IOB2 it is IOB2, so that a reader refuses those
    that do not fit.

    Args:
        count: What `evidence` has found.

    Example:
        >>> scheme_of(evidence([["B-PER", "E-PER", "O", "S-LOC"]]))
        'BIOES'
    """
    bilou, bioes = count["L"] + count["U"], count["E"] + count["S"]
    if bilou + bioes > count["open"]:
        if bilou > bioes:
            return "BILOU"
        return "BMES" if count["M"] > count["I"] else "BIOES"
    if count["IOB1"] and not count["IOB2"]:
        return "IOB1"
    return "IOB2" if count["IOB2"] else None


def with_scheme(layout: Layout, files: Iterable[Path], *, repair: bool) -> Layout:
    """Fill in the tag scheme, where it is not known, from the tags of all files.

    Where tags are to be repaired nothing is guessed between IOB1 and IOB2: repaired,
    both read the same.

    Args:
        layout: How the files are written.
        files: All that are written so.
        repair: Whether an `I-` that continues nothing is read as `B-`.
    """
    if layout.scheme is not None:
        return layout
    count = sum((tag_evidence(file, layout) for file in files), start=Counter())
    return filled_scheme(layout, count, repair=repair)


def filled_scheme(layout: Layout, count: Counter[str], *, repair: bool) -> Layout:
    """Fill in the tag scheme that the tags speak for; IOB2 where they do not tell.

    Args:
        layout: How the files are written; a scheme that it names stays.
        count: What `evidence` has found in all files.
        repair: Whether an `I-` that continues nothing is read as `B-`.
    """
    if layout.scheme is not None:
        return layout
    scheme = scheme_of(count) or "IOB2"
    return replace(layout, scheme="IOB2" if repair and scheme == "IOB1" else scheme)


def tag_evidence(path: Path, layout: Layout) -> Counter[str]:
    """Count the tags of a file that speak for a scheme, whatever else is wrong in it.

    Args:
        path: The file.
        layout: How it is written.
    """
    sentences = sentences_of(path, layout, report=lambda error: None)
    return evidence(tags for each in sentences for tags in each.layers())


@lru_cache(maxsize=1024)
def split_tag(tag: str) -> tuple[str, str]:
    """Part a tag into its letter and its type; what is no tag counts as O."""
    letter, _, type_ = tag.partition("-")
    return (letter, type_) if letter in LETTERS and type_ else ("O", "")
