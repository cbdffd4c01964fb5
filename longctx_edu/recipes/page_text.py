"""Words of a document as HTML, with what is there and what was predicted marked.

Gold is a solid line below, predicted a dashed line above, and a label behind each
entity says in words what became of it: nothing hangs on colour alone.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from longctx_edu.data.documents import Document
from longctx_edu.metrics import Entity, Mistake, entities, mistakes
from longctx_edu.metrics.mistakes import owners
from longctx_edu.recipes.page_words import clean, gap, joined

MOST_WORDS, MOST_NAMES = 20, 4
"""Words of an entity, and entities, that a label shows."""


@dataclass(frozen=True)
class Marked:
    """A document with its entities, gold and predicted, and its mistakes.

    Args:
        number: Its number on the page, counted from 0.
        document: Its words.
        gold_at: The number of the gold entity that each word is part of.
        said_at: The number of the predicted one.
        groups: Entities that overlap, gold and predicted, group by group.
        mistakes: What is wrong.
    """

    number: int
    document: Document
    gold_at: list[int | None]
    said_at: list[int | None]
    groups: list[tuple[list[Entity], list[Entity]]]
    mistakes: list[Mistake]


def marked(number: int, document: Document, tags: Sequence[str]) -> Marked:
    """Read off what is there and what was predicted.

    Args:
        number: The document's number.
        document: Words with gold tags.
        tags: One predicted IOB2 tag a word.
    """
    gold, said = entities(document.tags), entities(tags)
    return Marked(
        number,
        document,
        gold_at=owners(gold, len(document)),
        said_at=owners(said, len(document)),
        groups=grouped(gold, said),
        mistakes=mistakes(document.tags, tags),
    )


def grouped(
    gold: Sequence[Entity], said: Sequence[Entity]
) -> list[tuple[list[Entity], list[Entity]]]:
    """Put entities that overlap together, in the order of the text.

    Args:
        gold: The entities that are there.
        said: The entities that were predicted.

    Example:
        >>> one, two, three = Entity(0, 2, "A"), Entity(1, 3, "A"), Entity(3, 4, "A")
        >>> [(len(a), len(b)) for a, b in grouped([one], [two, three])]
        [(1, 1), (0, 1)]
    """
    pairs = [(entity, 0) for entity in gold] + [(entity, 1) for entity in said]
    groups: list[tuple[list[Entity], list[Entity]]] = []
    stop = 0
    for entity, side in sorted(pairs):
        if not groups or entity.start >= stop:
            groups.append(([], []))
        groups[-1][side].append(entity)
        stop = max(stop, entity.stop)
    return groups


def name_html(words: Sequence[str], entity: Entity) -> str:
    """Write an entity's words and type, the words cut after some.

    Args:
        words: The document's words.
        entity: Where it stands.
    """
    inside = words[entity.start : entity.stop]
    text = joined(inside[:MOST_WORDS])
    rest = f" … ({len(inside):,} words)" if len(inside) > MOST_WORDS else ""
    return (
        f'<q lang=""><bdi>{text}</bdi>{rest}</q> '
        f'<b class="type"><bdi>{clean(entity.type)}</bdi></b>'
    )


def text_html(
    shown: Marked,
    start: int,
    stop: int,
    *,
    anchors: Collection[int] = (),
    here: range = range(0),
) -> str:
    """Write a part of a document, its entities marked and labelled.

    Args:
        shown: The document.
        start: First word.
        stop: The word behind the last one.
        anchors: First words of entities that can be jumped to.
        here: Words that are shown as the ones meant.
    """
    labels, out = labels_of(shown, start, stop), []
    for marks, items in groupby(parts_of(shown, start, stop, here), lambda it: it[0]):
        _, texts, places = zip(*items, strict=True)
        anchor = f' id="{anchor_of(shown, places[0])}"' if places[0] in anchors else ""
        names = " ".join(name for name, mark in zip("gph", marks, strict=True) if mark)
        text = "".join(texts)
        is_plain = not names and not anchor
        out.append(text if is_plain else f'<span{anchor} class="{names}">{text}</span>')
        out.append(labels.get(places[-1], ""))
    return "".join(out)


def parts_of(
    shown: Marked, start: int, stop: int, here: range
) -> Iterator[tuple[tuple[int, int, bool], str, int]]:
    """Give words and gaps in turn: their marks, HTML, and place; -1 for a gap.

    A gap is marked where one entity, or what is meant, goes on across it. Marks are
    the number of the gold entity and of the predicted one, counted from 1.
    """
    words, before = shown.document.tokens, None
    for place in range(start, stop):
        gold, said = shown.gold_at[place], shown.said_at[place]
        marks = (
            0 if gold is None else gold + 1,
            0 if said is None else said + 1,
            place in here,
        )
        if before is not None:
            both = (a if a == b else 0 for a, b in zip(before, marks, strict=True))
            yield tuple(both), gap(words[place - 1], words[place]), -1
        yield marks, clean(words[place]), place
        before = marks


def labels_of(shown: Marked, start: int, stop: int) -> dict[int, str]:
    """Write the label of each group of entities, by the last word that is shown."""
    labels = {}
    for gold, said in shown.groups:
        first = min(entity.start for entity in (*gold, *said))
        last = max(entity.stop for entity in (*gold, *said))
        if first < stop and last > start:
            labels[min(last, stop) - 1] = label_html(gold, said)
    return labels


def label_html(gold: Sequence[Entity], said: Sequence[Entity]) -> str:
    """Write what became of entities that overlap: a sign, words and types.

    Args:
        gold: The gold ones.
        said: The predicted ones.
    """
    if gold == said:
        return f'<small class="ok" lang="en" dir="ltr">✓ {types_html(gold)}</small>'
    if not said:
        text = f"missed {types_html(gold)}"
    elif not gold:
        text = f"spurious {types_html(said)}"
    elif {entity.type for entity in gold} == {entity.type for entity in said}:
        text = f"boundary {types_html(gold)}"
    else:
        text = f"gold {types_html(gold)}, predicted {types_html(said)}"
    return f'<small class="no" lang="en" dir="ltr">✗ {text}</small>'


def types_html(found: Sequence[Entity]) -> str:
    """Write the types of entities, the first few by name."""
    names = [f"<bdi>{clean(entity.type)}</bdi>" for entity in found[:MOST_NAMES]]
    more = [f"{len(found) - MOST_NAMES:,} more"] if len(found) > MOST_NAMES else []
    return " + ".join(names + more)


def anchor_of(shown: Marked, place: int) -> str:
    """Name the place of a word on the page.

    Args:
        shown: The document.
        place: The word.
    """
    return f"d{shown.number}w{place}"
