"""Fill a pattern: from slots to the tokens of one sentence, with its names."""

from dataclasses import dataclass, field

from longctx_edu.data.gazette.names import Name
from longctx_edu.data.gazette.tables import Pattern, with_article

STOPS = frozenset(".,;:")


@dataclass
class Draft:
    """A sentence, or a phrase for one, on its way into the article.

    Args:
        tokens: Its words.
        names: (first token, name) of every mention.
        evidence: (start, stop, name, role) of every phrase that fixes a type.
        day: The weekday that it names, if any.
        pattern: What it was made from; None for a phrase.
    """

    tokens: list[str] = field(default_factory=list)
    names: list[tuple[int, Name]] = field(default_factory=list)
    evidence: list[tuple[int, int, Name, str]] = field(default_factory=list)
    day: str = ""
    pattern: Pattern | None = None

    def say(self, words) -> None:
        """Add words; a comma that closes a phrase gives way to punctuation."""
        if words[0] in STOPS and self.tokens and self.tokens[-1] == ",":
            self.tokens.pop()
        self.tokens.extend(words)

    def mention(self, name: Name) -> None:
        """Add a name."""
        self.names.append((len(self.tokens), name))
        self.tokens.extend(name.words)

    def splice(self, phrase: "Draft") -> None:
        """Add a phrase with its names and evidence."""
        at = len(self.tokens)
        self.tokens.extend(phrase.tokens)
        self.names.extend((at + i, name) for i, name in phrase.names)
        self.evidence.extend((at + i, at + j, *who) for i, j, *who in phrase.evidence)

    def capitalise(self) -> None:
        """Write the first word of the sentence with a capital."""
        first = 1 if self.tokens[0] == "“" else 0
        word = self.tokens[first]
        self.tokens[first] = word[0].upper() + word[1:]


def introduce(name: Name, role: tuple[str, ...], form: float) -> Draft:
    """Return a name with the words that fix its type; alone, if it needs none.

    Args:
        name: Whom to introduce.
        role: Words for its type: ("harbour", "town").
        form: From 0 to 1, chooses among "X , the R ,", "X , a R ," and "the R X".
    """
    phrase = Draft()
    if not name.ambiguous:
        phrase.mention(name)
        return phrase
    if form < 0.65:
        phrase.mention(name)
        phrase.say((",", *(("the", *role) if form < 0.4 else with_article(role))))
    else:
        phrase.say(("the", *role, *(("of",) if name.type == "LOC" else ())))
        phrase.mention(name)
    phrase.evidence.append((0, len(phrase.tokens), name, " ".join(role)))
    if form < 0.65:
        phrase.tokens.append(",")
    return phrase
