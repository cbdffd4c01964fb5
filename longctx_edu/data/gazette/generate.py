"""Write articles: lead, then section after section until the length is right."""

from collections.abc import Iterator

from longctx_edu.data.gazette.article import Article, GazetteConfig
from longctx_edu.data.gazette.deck import Deck
from longctx_edu.data.gazette.draft import Draft
from longctx_edu.data.gazette.lead import phrase, write_lead
from longctx_edu.data.gazette.names import Name
from longctx_edu.data.gazette.tables import TOPICS
from longctx_edu.data.gazette.writer import Writer

TOKENS_PER_MENTION = 21  # of an ambiguous name, in the body
SLACK = 5  # tokens that an article may miss of its length
TOKENS_PER_INTRODUCTION = 22


class Body:
    """The part after the lead.

    Args:
        writer: The article, with its lead.
        names: All that the article introduces.
        late: Those among them that the lead did not introduce.
        mood: 1 good, -1 bad, 0 neither.
    """

    def __init__(self, writer: Writer, names: list[Name], late: list[Name], mood: int):
        self.writer, self.mood, self.late = writer, mood, list(late)
        self.lead = len(writer.tokens)
        hidden = [n for n in names if n.ambiguous]
        self.bare = hidden if len(hidden) > 2 else names
        others = [n for n in names if n not in self.bare] or names
        self.known, self.n_bare = names, 0
        self.names = Deck(self.bare, writer.generator)
        self.others = Deck(others, writer.generator)
        self.tokens_per_name = TOKENS_PER_MENTION * max(1, 4 / len(self.bare))
        room = writer.left
        self.places = sorted(self.lead + int(writer.random() * room) for _ in self.late)

    def write(self) -> None:
        """Write sections until the length is reached."""
        writer, first = self.writer, self.writer.topic
        rest = Deck([t for t in TOPICS if t != first], writer.generator)
        topic = first
        while writer.left > SLACK:
            writer.topic = topic
            writer.passing = writer.cast.passing(topic, self.known)
            self.section()
            topic = first if topic != first and writer.random() < 0.15 else rest.draw()

    def section(self) -> None:
        """Write a heading and three or four paragraphs."""
        writer = self.writer
        if writer.left > 60 and not self.is_due():
            writer.section_starts.append(len(writer.tokens))
            writer.paragraph_starts.append(len(writer.tokens))
            writer.add(writer.fill(writer.pattern(writer.topic, "heading"), {}))
        for _ in range(3 + int(writer.random() * 2)):
            if writer.left <= SLACK:
                return
            writer.paragraph_starts.append(len(writer.tokens))
            for _ in range(3 + int(writer.random() * 3)):
                if writer.left > SLACK:
                    self.sentence()

    def is_due(self) -> bool:
        """Tell whether the next sentence must introduce a name."""
        if not self.late:
            return False
        left = self.writer.left
        return (
            self.places[-len(self.late)] <= len(self.writer.tokens)
            or left <= TOKENS_PER_INTRODUCTION * len(self.late) + 25
        )

    def sentence(self) -> None:
        """Write a sentence, short enough for the room that is left."""
        writer = self.writer
        if self.is_due():
            pattern = writer.pattern("general", "introduction")
            name = self.late.pop(0)
            writer.add(writer.fill(pattern, {"i": phrase(writer, name)}))
            return
        draft = self.draft()
        while len(draft.tokens) > writer.left + SLACK:
            draft = self.draft()
        if "/neutral/" in draft.pattern.name:
            self.n_bare += sum(name in self.bare for _, name in draft.names)
        writer.add(draft)

    def draft(self) -> Draft:
        """Make a sentence: bare names where they are behind, else events or filler."""
        writer, random = self.writer, self.writer.random
        written = len(writer.tokens) - self.lead
        if written / self.tokens_per_name - self.n_bare + 2 * random() > 1:
            return self.neutral(writer.topic if random() < 0.25 else "general")
        if random() < 0.5:
            file = writer.topic if random() < 0.6 else "general"
            return writer.fill(writer.pattern(file, "filler"), {})
        file = writer.topic if random() < 0.7 else "general"
        pattern = writer.pattern(file, "typed")
        if pattern.sentiment * self.mood < 0 and random() < 0.9:
            pattern = writer.pattern(file, "typed")
        return writer.fill(pattern, {})

    def neutral(self, file: str) -> Draft:
        """Make a sentence in which names stand with nothing that tells their type."""
        writer = self.writer
        pattern = writer.pattern(file, "neutral")
        given = {"x": self.names.draw()}
        if "y" in pattern.parts:
            deck = self.names if writer.random() < 0.8 else self.others
            given["y"] = deck.draw()
            if given["y"] == given["x"]:
                given["y"] = writer.passing["PER"].draw()
        return writer.fill(pattern, given)


def article(config: GazetteConfig, index: int) -> Article:
    """Write one article.

    The same config and index give the same article, whatever was written before.

    Args:
        config: The dials.
        index: The article's number, from 0.

    Raises:
        ValueError: If index is negative.

    Example:
        >>> article(GazetteConfig(n_tokens=256), 7).topic in TOPICS
        True
    """
    if index < 0:
        raise ValueError(f"need index >= 0, got index={index}")
    writer = Writer(config, index)
    writer.topic = writer.cast.pick(TOPICS)
    mood = int(writer.random() * 3) - 1
    names = writer.cast.introduced(config.n_names, config.ambiguous, writer.topic)
    n_late = int(config.in_body * len(names) + writer.random())
    late, early = names[:n_late], names[n_late:]
    writer.passing = writer.cast.passing(writer.topic, [])
    write_lead(writer, early, mood)
    lead = len(writer.tokens)
    Body(writer, names, late, mood).write()
    return writer.article(lead)


def articles(config: GazetteConfig, count: int) -> Iterator[Article]:
    """Write the first articles of a config, one at a time.

    Args:
        config: The dials.
        count: How many.

    Example:
        >>> [len(a.evidence) for a in articles(GazetteConfig(ambiguous=1.0), 2)]
        [8, 8]
    """
    return (article(config, index) for index in range(count))
