"""What an article of the Gazette is: its text, its entities, its event log."""

from dataclasses import dataclass

from longctx_edu.data.documents import Document
from longctx_edu.data.gazette.tables import SPLITS
from longctx_edu.errors import unknown_name


@dataclass(frozen=True)
class GazetteConfig:
    """The dials of the generator.

    Args:
        n_tokens: Tokens an article is asked to have, its headline included.
        ambiguous: Share of the introduced names that do not tell their type.
        in_body: Share of the introduced names that the body introduces, not the lead.
        n_names: Names that an article introduces; passing names come on top.
        split: "train", "dev" or "test": each has its own names and patterns.
        seed: Another seed, other articles.

    Raises:
        ValueError: If a dial is outside its range.
    """

    n_tokens: int = 512
    ambiguous: float = 0.7
    in_body: float = 0.0
    n_names: int = 8
    split: str = "train"
    seed: int = 0

    def __post_init__(self):
        for name in ("ambiguous", "in_body"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(
                    f"need a share from 0 to 1, got {name}={getattr(self, name)}"
                )
        if self.n_names < 1:
            raise ValueError(f"need n_names >= 1, got n_names={self.n_names}")
        if self.split not in SPLITS:
            raise unknown_name("split", self.split, SPLITS)
        if self.n_tokens < self.shortest:
            raise ValueError(
                f"need n_tokens >= {self.shortest} to introduce the names, got "
                f"n_tokens={self.n_tokens}, n_names={self.n_names} "
                f"and in_body={self.in_body}"
            )

    @property
    def shortest(self) -> int:
        """The fewest tokens in which the names can be introduced."""
        return max(128, round(40 + 11 * self.n_names * (1 + self.in_body)))


@dataclass(frozen=True)
class Event:
    """One thing that happens, and where the article tells it.

    Args:
        kind: What happens: "buys".
        topic: The section of life it belongs to: "harbour".
        sentiment: 1 good, -1 bad, 0 neither.
        actor: Who or what does it; empty where the sentence names nobody who does.
        object: Whom or what it concerns; may be empty.
        place: Where, if told.
        day: On which weekday, if told.
        words: The verb of an event of the lead: "has bought"; else empty.
        sentence: Number of the sentence that tells it, from 0, the headline.
    """

    kind: str
    topic: str
    sentiment: int
    actor: str
    object: str = ""
    place: str = ""
    day: str = ""
    words: str = ""
    sentence: int = -1


@dataclass(frozen=True)
class Evidence:
    """A phrase that fixes the type of a name: "Marlow , the harbour town".

    Args:
        start: First token of the phrase, name included.
        stop: The token after the last one.
        name: The name.
        type: The type it fixes.
        role: The word or words that fix it: "harbour town".
    """

    start: int
    stop: int
    name: str
    type: str
    role: str


@dataclass(frozen=True, kw_only=True)
class Article(Document):
    """An article of the Gazette: a document that knows what it tells.

    Each mention's `distance` is the number of tokens between it and the nearest
    evidence for its name, before or after: 0 inside the evidence and beside it. A name
    that is not ambiguous is its own evidence, so its distance is 0.

    Args:
        headline: The first sentence, as one string.
        events: What happens, in the order of the text; the first is the main event.
        evidence: The phrases that fix the types of the ambiguous names.
        patterns: The name of the pattern behind each sentence.
        paragraph_starts: First token of each paragraph; headings are paragraphs.
        section_starts: First token of each section's heading.
        config: The dials it was made with.
        index: Its number.
    """

    headline: str
    events: tuple[Event, ...]
    evidence: tuple[Evidence, ...]
    patterns: tuple[str, ...]
    paragraph_starts: tuple[int, ...]
    section_starts: tuple[int, ...]
    config: GazetteConfig
    index: int

    @property
    def topic(self) -> str:
        """The section of life that the main event belongs to."""
        return self.events[0].topic

    @property
    def sentiment(self) -> str:
        """Tell "good", "bad" or "mixed": whether one kind of event outweighs.

        One kind outweighs where the mean sentiment of the events passes a quarter.
        """
        mean = sum(e.sentiment for e in self.events) / len(self.events)
        return "good" if mean > 0.25 else "bad" if mean < -0.25 else "mixed"

    @property
    def relations(self) -> tuple[tuple[str, str, str], ...]:
        """Who does what to whom: (actor, kind, object) of every event with both."""
        return tuple(
            (e.actor, e.kind, e.object) for e in self.events if e.actor and e.object
        )

    @property
    def summary(self) -> str:
        """The main event in one sentence."""
        event = self.events[0]
        if event.words:
            return f"{event.actor} {event.words} {event.object} ."
        return " ".join(self.sentence(event.sentence))

    def sentence(self, number: int) -> tuple[str, ...]:
        """Return the tokens of a sentence; the headline is number 0."""
        edges = (*self.sentence_starts, len(self))
        return self.tokens[edges[number] : edges[number + 1]]
