"""Entities in columns of IOB2 tags: where each stands, and which of several stay."""

from collections.abc import Sequence


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
