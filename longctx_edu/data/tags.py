"""Tag schemes: everything that files contain becomes IOB2 here, or is refused.

IOB2 marks the first token of an entity with `B-`, the others with `I-`, the rest O.
IOB1 writes `B-` only where two entities of a type touch. BIOES and BILOU also mark
the last token (`E-`, `L-`) and entities of one token (`S-`, `U-`); BMES writes `M-`
for the tokens between.
"""

import difflib
from collections.abc import Sequence
from pathlib import Path

from longctx_edu.errors import DataError, Report, refuse, unknown_name

PREFIXES = {
    "IOB2": "BI",
    "IOB1": "BI",
    "BIOES": "BIES",
    "BILOU": "BILU",
    "BMES": "BMES",
}
"""The prefixes of each scheme; O stands beside them in all."""

SAME_AS = {"S": "B", "U": "B", "M": "I", "E": "I", "L": "I"}
"""The IOB2 prefix that stands for a prefix of BIOES, BILOU or BMES."""

CONTINUES, CLOSES = "IMEL", "ESLU"
"""Prefixes that need an open entity of their type, and those that leave none open."""

UNREAD = "\n"  # no file can hold it
"""Stands for a tag that was reported and is not to be reported again."""


def valid_iob2(
    tags: Sequence[str],
    *,
    path: str | Path,
    lines: Sequence[int],
    scheme: str = "IOB2",
    types: Sequence[str] = (),
    repair: bool = False,
    report: Report = refuse,
) -> tuple[list[str], int]:
    """Check the tags of one sentence and write them in valid IOB2.

    Args:
        tags: One tag a token, in the scheme.
        path: The file they come from, for the message.
        lines: The line of each tag, counted from 1.
        scheme: A name of PREFIXES.
        types: The types that may occur; any if empty.
        repair: Turn an `I-` that continues nothing into `B-`; else report it.
        report: What to do with a mistake: if not to stop, its tag is read as O, or as
            `B-` where it is an `I-` that continues nothing.

    Raises:
        DataError: At the first tag that is refused.
        UserError: If the scheme is unknown.

    Returns:
        The tags, and how many were repaired.

    Example:
        >>> valid_iob2(["O", "I-PER"], path="a.conll", lines=[1, 2], repair=True)
        (['O', 'B-PER'], 1)
    """
    tags = check_tags(
        tags, path=path, lines=lines, scheme=scheme, types=types, report=report
    )
    found = [] if scheme == "IOB1" else strays(tags)
    for token in found if not repair else ():
        tag, before = tags[token], repr(tags[token - 1]) if token else "nothing"
        opener = f"B{tag[1:]}"
        wanted = f"need {opener} or I{tag[1:]} before {tag}, got {before}"
        to_do = f"correct it, or read it as {opener} with --repair (repair=True)"
        report(DataError(path, lines[token], f"{wanted}; {to_do}", "order"))
    good = to_iob2(tags, scheme)
    for token in found:
        good[token] = f"B{good[token][1:]}"
    good = ["O" if tag == UNREAD else tag for tag in good]
    return repair_tags(good)[0], len(found)


def check_tags(
    tags: Sequence[str],
    *,
    path: str | Path,
    lines: Sequence[int],
    scheme: str = "IOB2",
    types: Sequence[str] = (),
    report: Report = refuse,
) -> list[str]:
    """Refuse a tag that the scheme does not have, or of a type that is not known.

    Args:
        tags: One tag a token.
        path: The file they come from, for the message.
        lines: The line of each tag, counted from 1.
        scheme: A name of PREFIXES.
        types: The types that may occur; any if empty.
        report: What to do with such a tag.

    Returns:
        The tags, with UNREAD for those that were reported.

    Raises:
        DataError: At the first such tag.
        UserError: If the scheme is unknown.

    Example:
        >>> check_tags(["B-PER", "X-PER"], path="a.conll", lines=[1, 2])
        Traceback (most recent call last):
        longctx_edu.errors.DataError: a.conll:2: need O, B-TYPE or I-TYPE, got 'X-PER'
    """
    prefixes = prefixes_of(scheme)
    good, checked = {"O", UNREAD}, list(tags)
    for token, (tag, line) in enumerate(zip(tags, lines, strict=True)):
        if tag in good:
            continue
        prefix, _, type_ = tag.partition("-")
        if len(prefix) != 1 or prefix not in prefixes or not type_:
            *first, last = (f"{letter}-TYPE" for letter in prefixes)
            message = f"need O, {', '.join(first)} or {last}, got {tag!r}"
            report(DataError(path, line, message, "tag"))
            checked[token] = UNREAD
        elif types and type_ not in types:
            message = f"need one of the types {', '.join(types)}, got {tag!r}"
            near = difflib.get_close_matches(type_, types, n=1, cutoff=0.5)
            hint = f"; did you mean {prefix}-{near[0]}?" if near else ""
            report(DataError(path, line, message + hint, "type"))
            checked[token] = UNREAD
        else:
            good.add(tag)
    return checked


def to_iob2(tags: Sequence[str], scheme: str) -> list[str]:
    """Write the tags of one sentence in IOB2.

    From IOB1 the result is always valid. From the others it is as valid as the tags
    were: an `I-` that continues nothing stays, for `stray` and `repair_tags` to find.

    Args:
        tags: One tag a token, in the scheme.
        scheme: A name of PREFIXES.

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
    return next(iter(strays(tags)), None)


def strays(tags: Sequence[str]) -> list[int]:
    """Find every tag that continues nothing of its type, in any scheme but IOB1.

    Args:
        tags: One tag a token.

    Example:
        >>> strays(["B-PER", "E-PER", "E-PER", "O", "I-PER", "E-PER"])
        [2, 4]
    """
    found, before = [], "O"
    for token, tag in enumerate(tags):
        is_open = before[1:] == tag[1:] and before[0] not in CLOSES
        if tag[0] in CONTINUES and not is_open and before != UNREAD:
            found.append(token)
        before = tag
    return found


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
    repaired, found = list(tags), strays(tags)
    for token in found:
        repaired[token] = f"B{tags[token][1:]}"
    return repaired, len(found)


def prefixes_of(scheme: str) -> str:
    """Return the scheme's prefixes, or refuse its name."""
    if scheme not in PREFIXES:
        raise unknown_name("tag scheme", scheme, PREFIXES)
    return PREFIXES[scheme]
