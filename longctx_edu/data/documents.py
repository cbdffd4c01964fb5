"""A text with its entities: what every reader returns and every task takes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mention:
    """One entity in a document.

    Args:
        start: First token, counted from 0.
        stop: The token after the last one.
        type: The entity's class: "PER".
        distance: Tokens to the nearest evidence for the type; None where unknown.
        ambiguous: True where the name alone does not tell the type.
        name: The surface form.
    """

    start: int
    stop: int
    type: str
    distance: int | None = None
    ambiguous: bool = False
    name: str = ""


@dataclass(frozen=True)
class Document:
    """A text as words, with one IOB2 tag a word.

    Args:
        name: Where it comes from: a file's name, an id.
        tokens: The words.
        tags: One IOB2 tag a word.
        sentence_starts: First word of each sentence, counted from 0.
        lead: How many first words are headline and lead; 0 where there are none.
        mentions: The entities, where more is known of them than the tags say.

    Raises:
        ValueError: If words and tags differ in number.

    Example:
        >>> Document("note", ("Ada", "sings"), ("B-PER", "O"), (0,)).tags
        ('B-PER', 'O')
    """

    name: str
    tokens: tuple[str, ...]
    tags: tuple[str, ...]
    sentence_starts: tuple[int, ...]
    lead: int = 0
    mentions: tuple[Mention, ...] = ()

    def __post_init__(self):
        if len(self.tokens) != len(self.tags):
            raise ValueError(
                f"need one tag a token, got {len(self.tokens)} tokens "
                f"and {len(self.tags)} tags"
            )

    def __len__(self) -> int:
        return len(self.tokens)
