"""Tag schemes: everything that files contain becomes IOB2 here, or is refused.

IOB2 marks the first token of an entity with `B-`, the others with `I-`, the rest O.
IOB1 writes `B-` only where two entities of a type touch. BIOES and BILOU also mark
the last token (`E-`, `L-`) and entities of one token (`S-`, `U-`).
"""

from collections.abc import Sequence
from pathlib import Path

from longctx_edu.errors import DataError, unknown_name

PREFIXES = {"IOB2": "BI", "IOB1": "BI", "BIOES": "BIES", "BILOU": "BILU"}
"""The prefixes of each scheme; O stands beside them in all."""

SAME_AS = {"S": "B", "U": "B", "E": "I", "L": "I"}
"""The IOB2 prefix that stands for a prefix of BIOES or BILOU."""


def valid_iob2(
    tags: Sequence[str],
    *,
    path: str | Path,
    lines: Sequence[int],
    scheme: str = "IOB2",
    types: Sequence[str] = (),
    repair: bool = False,
) -> tuple[list[str], int]:
    """Check the tags of one sentence and write them in valid IOB2.

    Args:
        tags: One tag a token, in the scheme.
        path: The file they come from, for the message.
        lines: The line of each tag, counted from 1.
        scheme: IOB2, IOB1, BIOES or BILOU.
        types: The types that may occur; any if empty.
        repair: Turn an `I-` that continues nothing into `B-`; else refuse it.

    Raises:
        DataError: At the first tag that is refused.
        UserError: If the scheme is unknown.

    Returns:
        The tags, and how many were repaired.

    Example:
        >>> valid_iob2(["O", "I-PER"], path="a.conll", lines=[1, 2], repair=True)
        (['O', 'B-PER'], 1)
    """
    check_tags(tags, path=path, lines=lines, scheme=scheme, types=types)
    tags = to_iob2(tags, scheme)
    token = stray(tags)
    if token is not None and not repair:
        tag, before = tags[token], repr(tags[token - 1]) if token else "nothing"
        wanted = f"need B{tag[1:]} or I{tag[1:]} before {tag}, got {before}"
        to_do = f"correct it, or read it as B{tag[1:]} with --repair (repair=True)"
        raise DataError(path, lines[token], f"{wanted}; {to_do}")
    return repair_tags(tags)


def check_tags(
    tags: Sequence[str],
    *,
    path: str | Path,
    lines: Sequence[int],
    scheme: str = "IOB2",
    types: Sequence[str] = (),
) -> None:
    """Refuse a tag that the scheme does not have, or of a type that is not known.

    Args:
        tags: One tag a token.
        path: The file they come from, for the message.
        lines: The line of each tag, counted from 1.
        scheme: IOB2, IOB1, BIOES or BILOU.
        types: The types that may occur; any if empty.

    Raises:
        DataError: At the first such tag.
        UserError: If the scheme is unknown.

    Example:
        >>> check_tags(["B-PER", "X-PER"], path="a.conll", lines=[1, 2])
        Traceback (most recent call last):
        longctx_edu.errors.DataError: a.conll:2: need O, B-TYPE or I-TYPE, got 'X-PER'
    """
    prefixes = prefixes_of(scheme)
    good: set[str] = {"O"}
    for tag, line in zip(tags, lines, strict=True):
        if tag in good:
            continue
        prefix, _, type_ = tag.partition("-")
        if len(prefix) != 1 or prefix not in prefixes or not type_:
            *first, last = (f"{letter}-TYPE" for letter in prefixes)
            wanted = f"O, {', '.join(first)} or {last}"
            raise DataError(path, line, f"need {wanted}, got {tag!r}")
        if types and type_ not in types:
            known = ", ".join(types)
            raise DataError(path, line, f"need one of the types {known}, got {tag!r}")
        good.add(tag)


def to_iob2(tags: Sequence[str], scheme: str) -> list[str]:
    """Write the tags of one sentence in IOB2.

    From IOB1 the result is always valid. From the others it is as valid as the tags
    were: an `I-` that continues nothing stays, for `stray` and `repair_tags` to find.

    Args:
        tags: One tag a token, in the scheme.
        scheme: IOB2, IOB1, BIOES or BILOU.

    Raises:
        UserError: If the scheme is unknown.

    Example:
        >>> to_iob2(["I-PER", "I-PER", "B-PER", "O"], "IOB1")
        ['B-PER', 'I-PER', 'B-PER', 'O']
        >>> to_iob2(["B-PER", "E-PER", "S-LOC"], "BIOES")
        ['B-PER', 'I-PER', 'B-LOC']

    Source: Ramshaw and Marcus 1995, section 4 (IOB1); Ratinov and Roth 2009,
    section 3 (BILOU).
    """
    prefixes_of(scheme)
    if scheme == "IOB1":
        return repair_tags(tags)[0]
    return [SAME_AS.get(tag[0], tag[0]) + tag[1:] for tag in tags]


def stray(tags: Sequence[str]) -> int | None:
    """Find the first `I-` that continues nothing of its type; None if all do.

    Args:
        tags: One IOB2 tag a token.

    Example:
        >>> stray(["B-PER", "I-PER", "O", "I-PER"])
        3
    """
    before = "O"
    for token, tag in enumerate(tags):
        if tag[0] == "I" and before[1:] != tag[1:]:
            return token
        before = tag
    return None


def repair_tags(tags: Sequence[str]) -> tuple[list[str], int]:
    """Turn each `I-` that continues nothing of its type into `B-`.

    Args:
        tags: One IOB2 tag a token.

    Returns:
        The tags, now valid, and how many were changed.

    Example:
        >>> repair_tags(["I-PER", "I-PER", "I-LOC"])
        (['B-PER', 'I-PER', 'B-LOC'], 2)
    """
    repaired, n_repaired, before = [], 0, "O"
    for tag in tags:
        if tag[0] == "I" and before[1:] != tag[1:]:
            tag, n_repaired = "B" + tag[1:], n_repaired + 1
        repaired.append(tag)
        before = tag
    return repaired, n_repaired


def outermost(columns: Sequence[Sequence[str]]) -> list[str]:
    """Flatten nested entities: where entities overlap, keep the longest.

    Of two as long, the one that starts earlier stays; of two with the same tokens,
    the one of the earlier column.

    Args:
        columns: Columns of valid IOB2 tags over the same tokens.

    Raises:
        ValueError: If the columns differ in length, or there is none.

    Example:
        >>> outermost([["O", "B-LOC"], ["B-PER", "I-PER"]])
        ['B-PER', 'I-PER']
    """
    lengths = [len(column) for column in columns]
    if len(set(lengths)) != 1:
        raise ValueError(f"need columns of one length, got lengths {lengths}")
    found = [span for column in columns for span in spans_of(column)]
    flat = ["O"] * lengths[0]
    for start, stop, type_ in sorted(found, key=lambda s: (s[0] - s[1], s[0])):
        if all(tag == "O" for tag in flat[start:stop]):
            flat[start:stop] = [f"B-{type_}"] + [f"I-{type_}"] * (stop - start - 1)
    return flat


def spans_of(tags: Sequence[str]) -> list[tuple[int, int, str]]:
    """Read start, stop and type of each entity from valid IOB2 tags."""
    starts = [token for token, tag in enumerate(tags) if tag[0] == "B"]
    spans = []
    for start in starts:
        stop = start + 1
        while stop < len(tags) and tags[stop][0] == "I":
            stop += 1
        spans.append((start, stop, tags[start][2:]))
    return spans


def prefixes_of(scheme: str) -> str:
    """Return the scheme's prefixes, or refuse its name."""
    if scheme not in PREFIXES:
        raise unknown_name("tag scheme", scheme, PREFIXES)
    return PREFIXES[scheme]
