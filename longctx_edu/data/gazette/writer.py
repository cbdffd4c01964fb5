"""Put sentences one after another, and keep the books on names, evidence, events."""

from random import Random

from longctx_edu.data.documents import Mention
from longctx_edu.data.gazette.article import Article, Event, Evidence, GazetteConfig
from longctx_edu.data.gazette.cast import Cast
from longctx_edu.data.gazette.deck import Deck
from longctx_edu.data.gazette.draft import Draft
from longctx_edu.data.gazette.names import Name
from longctx_edu.data.gazette.tables import Pattern, patterns, vocabulary


class Writer:
    """An article under way.

    Args:
        config: The dials.
        index: The article's number.
    """

    def __init__(self, config: GazetteConfig, index: int):
        self.config, self.index = config, index
        self.generator = Random(f"gazette/{config.split}/{config.seed}/{index}")
        self.random = self.generator.random
        self.cast = Cast(config.split, self.generator)
        self.decks: dict[str, Deck] = {}
        self.passing: dict[str, Deck[Name]] = {}
        self.topic = ""
        self.tokens: list[str] = []
        self.names: list[tuple[int, Name]] = []
        self.evidence: list[Evidence] = []
        self.events: list[Event] = []
        self.patterns: list[str] = []
        self.sentence_starts: list[int] = []
        self.paragraph_starts: list[int] = []
        self.section_starts: list[int] = []

    @property
    def left(self) -> int:
        """Tokens that are still to be written."""
        return self.config.n_tokens - len(self.tokens)

    def pattern(self, file: str, section: str) -> Pattern:
        """Draw a pattern of a section."""
        key = f"{file}/{section}"
        if key not in self.decks:
            items = patterns(file, section, self.config.split)
            self.decks[key] = Deck(items, self.generator)
        return self.decks[key].draw()

    def word(self, slot: str) -> tuple[str, ...]:
        """Draw what fills a slot."""
        key = slot if slot != "affair" else f"affair.{self.topic}"
        if key not in self.decks:
            self.decks[key] = Deck(vocabulary(key), self.generator)
        return self.decks[key].draw()

    def fill(self, pattern: Pattern, given: dict[str, Name | Draft]) -> Draft:
        """Make a sentence from a pattern.

        Args:
            pattern: The sentence with slots.
            given: What fills some of them: a name, or a phrase; chance fills the rest.
        """
        draft = Draft(pattern=pattern)
        for part in pattern.parts:
            if type(part) is tuple:
                draft.say(part)
            elif part in given:
                filling = given[part]
                if isinstance(filling, Draft):
                    draft.splice(filling)
                else:
                    draft.mention(filling)
            elif part in self.passing:
                draft.mention(self.passing[part].draw())
            else:
                words = self.word(part)
                draft.tokens.extend(words)
                if part == "day":
                    draft.day = words[0]
        draft.capitalise()
        return draft

    def add(self, draft: Draft) -> None:
        """Write a sentence."""
        at = len(self.tokens)
        self.sentence_starts.append(at)
        self.patterns.append(draft.pattern.name)
        self.tokens.extend(draft.tokens)
        for i, name in draft.names:
            self.names.append((at + i, name))
        for i, j, name, role in draft.evidence:
            self.evidence.append(Evidence(at + i, at + j, name.text, name.type, role))
        if draft.pattern.kind:
            self.events.append(self.event(draft))

    def event(self, draft: Draft) -> Event:
        """Read off what happens in a sentence that has just been written."""
        names = [name for _, name in draft.names]
        places = [n.text for n in names if n.type == "LOC"]
        actors = [n.text for n in names if n.type in ("PER", "ORG")]
        actor = actors[0] if actors else ""
        others = [n.text for n in names if n.type != "LOC" and n.text != actor]
        return Event(
            kind=draft.pattern.kind,
            topic=self.topic,
            sentiment=draft.pattern.sentiment,
            actor=actor,
            object=others[0] if others else "",
            place=places[0] if places else "",
            day=draft.day,
            sentence=len(self.patterns) - 1,
        )

    def mentions(self) -> tuple[Mention, ...]:
        """Return every mention with its distance to the nearest evidence."""
        known: dict[str, list[Evidence]] = {}
        for found in self.evidence:
            known.setdefault(found.name, []).append(found)
        made = []
        for start, name in self.names:
            stop, text, distance = start + len(name.words), name.text, 0
            if name.ambiguous:
                distance = min(
                    max(e.start - stop, start - e.stop, 0) for e in known[text]
                )
            made.append(Mention(start, stop, name.type, distance, name.ambiguous, text))
        return tuple(made)

    def article(self, lead: int) -> Article:
        """Return the finished article.

        Args:
            lead: How many first tokens are headline and lead.
        """
        mentions = self.mentions()
        tags = ["O"] * len(self.tokens)
        for m in mentions:
            tags[m.start] = f"B-{m.type}"
            for i in range(m.start + 1, m.stop):
                tags[i] = f"I-{m.type}"
        config = self.config
        return Article(
            name=f"gazette-{config.split}-{config.seed}-{self.index}",
            tokens=tuple(self.tokens),
            tags=tuple(tags),
            sentence_starts=tuple(self.sentence_starts),
            lead=lead,
            mentions=mentions,
            headline=" ".join(self.tokens[: self.sentence_starts[1]]),
            events=tuple(self.events),
            evidence=tuple(self.evidence),
            patterns=tuple(self.patterns),
            paragraph_starts=tuple(self.paragraph_starts),
            section_starts=tuple(self.section_starts),
            config=config,
            index=self.index,
        )
