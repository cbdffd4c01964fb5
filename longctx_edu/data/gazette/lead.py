"""Write headline and lead: the main event, and who is who."""

from functools import lru_cache

from longctx_edu.data.gazette.article import Event
from longctx_edu.data.gazette.draft import Draft, introduce
from longctx_edu.data.gazette.names import Name
from longctx_edu.data.gazette.tables import Relation, relations
from longctx_edu.data.gazette.writer import Writer


@lru_cache
def between(actor: str, object_: str) -> tuple[Relation, ...]:
    """Return the relations from a type to a type."""
    return tuple(r for r in relations() if (r.actor, r.object) == (actor, object_))


@lru_cache
def about(topic: str) -> tuple[Relation, ...]:
    """Return the relations that belong to a section of life."""
    return tuple(r for r in relations() if r.topic == topic)


def preferred(writer: Writer, options, mood: int) -> Relation:
    """Choose a relation, more often one that fits the mood of the article."""
    fitting = [r for r in options if r.sentiment == mood]
    return writer.cast.pick(fitting if fitting and writer.random() < 0.8 else options)


def pair_up(
    writer: Writer, names: list[Name], mood: int
) -> list[tuple[Relation, Name, Name]]:
    """Pair the names, the main event first, each pair with what joins it."""
    rest, pairs = list(names), []
    types = {(a.type, b.type) for a in names for b in names if a is not b}
    options = [r for r in about(writer.topic) if (r.actor, r.object) in types]
    if options:
        main = preferred(writer, options, mood)
        actor = next(n for n in rest if n.type == main.actor)
        object_ = next(n for n in rest if n.type == main.object and n is not actor)
        pairs.append((main, actor, object_))
        rest = [n for n in rest if n is not actor and n is not object_]
    while len(rest) > 1:
        actor, object_ = rest.pop(), rest.pop()
        pairs.append(
            (
                preferred(writer, between(actor.type, object_.type), mood),
                actor,
                object_,
            )
        )
    return pairs


def phrase(writer: Writer, name: Name) -> Draft:
    """Introduce a name by a role that fits its type."""
    return introduce(name, writer.word(f"role.{name.type}"), writer.random())


def clause(writer: Writer, relation: Relation, actor: Name, object_: Name) -> Draft:
    """Tell an event, and introduce both its sides."""
    told = Draft()
    told.splice(phrase(writer, actor))
    told.say(relation.words)
    told.splice(phrase(writer, object_))
    return told


def headline(writer: Writer, sentiment: int, sides: list[Name]) -> None:
    """Write the headline, which tells no type."""
    section = f"headline.{'0+-'[sentiment]}"
    pattern = writer.pattern("lead", section)
    while len(sides) < 2 and "y" in pattern.parts:
        pattern = writer.pattern("lead", section)
    writer.paragraph_starts.append(0)
    writer.add(writer.fill(pattern, dict(zip("xy", sides, strict=False))))


def dateline(writer: Writer) -> str:
    """Write place and day; return the day."""
    writer.paragraph_starts.append(len(writer.tokens))
    town = writer.passing["LOC"].draw()
    draft = writer.fill(writer.pattern("lead", "dateline"), {"town": town})
    writer.add(draft)
    return draft.day


def write_lead(writer: Writer, names: list[Name], mood: int) -> None:
    """Write headline, dateline and the sentences that introduce the names.

    Args:
        writer: The article, still empty.
        names: Whom the lead introduces; may be empty.
        mood: 1 good, -1 bad, 0 neither.
    """
    pairs = pair_up(writer, names, mood)
    paired = [n for _, *sides in pairs for n in sides]
    single = [n for n in names if n not in paired]
    if not names:
        pattern = writer.pattern(writer.topic, "typed")
        draft = writer.fill(pattern, {})
        sides = [draft.names[0][1]]
        headline(writer, pattern.sentiment, sides)
        dateline(writer)
        writer.add(draft)
        return
    headline(writer, pairs[0][0].sentiment if pairs else 0, paired[:2] or single)
    day = dateline(writer)
    opening = "main"
    while pairs:
        count = 1 if opening or len(pairs) == 1 or writer.random() < 0.4 else 2
        told, pairs = pairs[:count], pairs[count:]
        clauses = [clause(writer, *pair) for pair in told]
        pattern = writer.pattern("lead", opening or ("one", "two")[count - 1])
        opening = ""
        writer.add(writer.fill(pattern, dict(zip("ef", clauses, strict=False))))
        for relation, actor, object_ in told:
            writer.events.append(
                Event(
                    relation.kind,
                    relation.topic,
                    relation.sentiment,
                    actor.text,
                    object_.text,
                    day=day,
                    words=" ".join(relation.words),
                    sentence=len(writer.patterns) - 1,
                )
            )
    for name in single:
        pattern = writer.pattern("lead", "single")
        writer.add(writer.fill(pattern, {"i": phrase(writer, name)}))
        where = len(writer.patterns) - 1
        writer.events.append(
            Event("noted", writer.topic, 0, name.text, day=day, sentence=where)
        )
