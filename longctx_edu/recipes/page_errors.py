"""The errors of a tagger as lists of a page, and the places where they stand."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import TypeVar

from longctx_edu.data.documents import Document
from longctx_edu.metrics import MISTAKES, Entity, Mistake
from longctx_edu.recipes.page_text import (
    Marked,
    anchor_of,
    name_html,
    text_html,
)
from longctx_edu.recipes.page_words import clean

MOST_ERRORS = 200
"""Errors of one kind that are listed."""
AROUND, NEAR, LONG, WHOLE = 40, 25, 30, 120
"""Words: around an error in its document; in its sentence; of one entity in a text;
of a document that is shown whole."""
MEANINGS = {
    "wrong type": "The right words, with another type.",
    "wrong boundary": "A prediction of the right type shares words with it.",
    "wrong boundary and type": "Only predictions of other types share words with it.",
    "missed": "No prediction shares a word with it.",
    "spurious": "Predicted where there is no entity.",
}

Error = tuple[Marked, Mistake]
Item = TypeVar("Item")


def spread(errors: Sequence[Item], most: int = MOST_ERRORS) -> list[Item]:
    """Choose errors evenly over the documents, where there are more than fit.

    Args:
        errors: All of one kind, in order.
        most: How many fit.
    """
    if len(errors) <= most:
        return list(errors)
    return [errors[number * len(errors) // most] for number in range(most)]


def filters_html(counts: dict[str, int], types: Sequence[str]) -> str:
    """Write the choice of what is listed; without a script it stays hidden.

    Args:
        counts: Errors of each kind.
        types: Entity types; their numbers stand at the errors.
    """
    if not any(counts.values()):
        return ""
    boxes = "\n".join(
        f'<label><input type="checkbox" value="{kind}" checked autocomplete="off"> '
        f"{kind} ({n:,})</label>"
        for kind, n in counts.items()
        if n
    )
    options = "".join(f'<option value="{n}">{clean(t)}' for n, t in enumerate(types))
    return (
        f'<form id="filters" hidden><fieldset><legend>Show</legend>\n{boxes}\n'
        '<label>of type <select id="type" autocomplete="off"><option value="">any'
        f'{options}</select></label> <button type="button">Show all</button>\n'
        '<p id="shown" role="status"></p></fieldset></form>'
    )


def errors_html(
    listed: dict[str, list[Error]], counts: dict[str, int], types: Sequence[str]
) -> str:
    """Write the errors kind by kind.

    Args:
        listed: Those that are listed.
        counts: How many there are.
        types: Entity types, in the order of their numbers.
    """
    if not any(counts.values()):
        return "<p>No error: every prediction is right, and no entity is missed.</p>"
    numbers = {type_: number for number, type_ in enumerate(types)}
    return "\n".join(
        kind_html(kind, listed[kind], counts[kind], numbers)
        for kind in MISTAKES
        if counts[kind]
    )


def kind_html(
    kind: str, listed: Sequence[Error], count: int, numbers: dict[str, int]
) -> str:
    """Write the errors of one kind."""
    items = "\n".join(error_html(error, numbers) for error in listed)
    part = f" Listed are {len(listed):,}, spread evenly over the documents."
    return (
        f'<section data-kind="{kind}">\n'
        f'<h3>{kind.capitalize()} (<span class="count">{count:,}</span>)</h3>\n'
        f'<p class="note">{MEANINGS[kind]}{part if len(listed) < count else ""}</p>\n'
        f'<ol class="list">\n{items}\n</ol></section>'
    )


def error_html(error: Error, numbers: dict[str, int]) -> str:
    """Write one error: what is there, what was predicted, where, its sentence."""
    shown, mistake = error
    document, place = shown.document, mistake.place
    said = " and ".join(name_html(document.tokens, e) for e in mistake.predicted[:3])
    gold = "none" if mistake.gold is None else name_html(document.tokens, mistake.gold)
    found = [*mistake.predicted, *([mistake.gold] if mistake.gold else [])]
    types = " ".join(str(n) for n in sorted({numbers[entity.type] for entity in found}))
    first, last = sentence(document, place)
    here = range(place.start, place.stop)
    return (
        f'<li data-types="{types}"><p>Gold: {gold}. Predicted: {said or "none"}. '
        f'<a href="#{anchor_of(shown, place.start)}"><bdi>'
        f"{clean(document.name)}</bdi>, word {place.start + 1:,}</a></p>\n"
        f'<p class="text" lang="" dir="auto">{"… " if first else ""}'
        f"{text_html(shown, first, last, here=here)}"
        f"{' …' if last < len(document) else ''}</p></li>"
    )


def sentence(document: Document, place: Entity) -> tuple[int, int]:
    """Find the sentence of an entity, cut where it is long.

    Args:
        document: The document.
        place: The entity.

    Returns:
        The first word, and the one behind the last.
    """
    first, last = near(place, NEAR, len(document))
    starts = sorted({0, *document.sentence_starts})
    begin = starts[bisect_right(starts, place.start) - 1]
    following = bisect_left(starts, place.stop)
    end = starts[following] if following < len(starts) else len(document)
    return max(first, begin), min(last, end)


def near(place: Entity, around: int, n_words: int) -> tuple[int, int]:
    """Take the words around an entity; of a long one, its beginning.

    Args:
        place: The entity.
        around: Words before and after.
        n_words: Words of the document.

    Example:
        >>> near(Entity(5, 6, "PER"), 3, 100), near(Entity(0, 90, "PER"), 3, 100)
        ((2, 9), (0, 33))
    """
    stop = min(place.stop, place.start + LONG)
    return max(0, place.start - around), min(n_words, stop + around)


def documents_html(listed: Iterable[Error]) -> str:
    """Write the documents of the listed errors, long ones around the errors alone.

    Args:
        listed: The errors that must be there to be jumped to.
    """
    places: dict[int, list[Entity]] = {}
    documents: dict[int, Marked] = {}
    for shown, mistake in listed:
        documents[shown.number] = shown
        places.setdefault(shown.number, []).append(mistake.place)
    parts = (document_html(documents[n], places[n]) for n in sorted(places))
    return "\n".join(parts) or "<p>No document with an error.</p>"


def document_html(shown: Marked, places: Sequence[Entity]) -> str:
    """Write one document."""
    n_words, anchors = len(shown.document), {place.start for place in places}
    out, before = [], 0
    for first, last in stretches(places, n_words):
        if first > before:
            out.append(left_out(first - before))
        text = text_html(shown, first, last, anchors=anchors)
        out.append(f'<p class="text" lang="" dir="auto">{text}</p>')
        before = last
    if before < n_words:
        out.append(left_out(n_words - before))
    return (
        f"<section>\n<h3><bdi>{clean(shown.document.name)}</bdi></h3>\n"
        f'<p class="note">{n_words:,} words, {len(shown.mistakes):,} errors</p>\n'
        + "\n".join(out)
        + "</section>"
    )


def left_out(n_words: int) -> str:
    """Say how many words are not shown."""
    return f'<p class="note">… {n_words:,} words left out …</p>'


def stretches(places: Sequence[Entity], n_words: int) -> list[tuple[int, int]]:
    """Find the parts of a document that are shown: all, or the words around errors.

    Args:
        places: Where the errors are.
        n_words: Words of the document.

    Example:
        >>> stretches([Entity(100, 101, "PER"), Entity(110, 111, "PER")], 5_000)
        [(60, 151)]
    """
    if n_words <= WHOLE:
        return [(0, n_words)]
    parts: list[tuple[int, int]] = []
    for place in sorted(places):
        first, last = near(place, AROUND, n_words)
        if parts and first <= parts[-1][1]:
            first, last = parts[-1][0], max(parts.pop()[1], last)
        parts.append((first, last))
    return parts
