"""From a text to its entities, with the characters where each stands."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from tqdm import tqdm

from longctx_edu.data.documents import Document
from longctx_edu.data.text import Word, tokenize
from longctx_edu.metrics import entities
from longctx_edu.recipes.tagger import Tagger

SENTENCE_ENDS = (".", "!", "?")

LONGEST, SHARED = 32_768, 1_024
"""Tokens of a text that are read at once, and that two readings share, where the model
itself sets no bound: a book then takes no more memory than its longest piece."""


@dataclass(frozen=True)
class TextEntity:
    """An entity in a text: `text[start:stop]`.

    Args:
        text: Its characters.
        type: Its class.
        start: First character, counted from 0.
        stop: The character after the last one.
        line: The line that it begins in, counted from 1.
    """

    text: str
    type: str
    start: int
    stop: int
    line: int


def find_entities(
    tagger: Tagger, text: str, *, progress: bool = False
) -> list[TextEntity]:
    """Find the entities of a text of any length.

    Time grows with the text, the model's memory does not: a text that is longer than
    the model reads at once, and than 32,768 tokens in any case, is read in pieces.

    Args:
        tagger: A trained tagger.
        text: The text.
        progress: Show a bar, where somebody sees it.
    """
    words = tokenize(text)
    if not words:
        return []
    tagger, documents = _bounded(tagger), [as_document(words)]
    pieces = tagger.pieces(documents)
    total = sum(len(piece) for piece in pieces)
    with tqdm(total=total, unit=" tokens", disable=None if progress else True) as bar:
        tags = tagger.predict(documents, pieces=pieces, on_piece=bar.update)[0]
    lines = _line_of(text)
    found = []
    for entity in entities(tags):
        start, stop = words[entity.start].start, words[entity.stop - 1].stop
        line = lines(start)
        found.append(TextEntity(text[start:stop], entity.type, start, stop, line))
    return found


def as_document(words: Sequence[Word], name: str = "text") -> Document:
    """Make a document of words; a sentence ends at `.`, `!` or `?`.

    Args:
        words: What `tokenize` returns.
        name: What the document is called.

    Example:
        >>> as_document(tokenize("Ada sings. Bo hums.")).sentence_starts
        (0, 3)
    """
    tokens = tuple(word.text for word in words)
    ends = [at + 1 for at, token in enumerate(tokens) if token in SENTENCE_ENDS]
    starts = (0, *(end for end in ends if end < len(tokens)))
    return Document(name, tokens, ("O",) * len(tokens), starts)


def coloured(text: str, found: Sequence[TextEntity]) -> Iterator[tuple[str, str]]:
    """Part a text into stretches, each with the type that it is, or "".

    Args:
        text: The text.
        found: Its entities, in order.
    """
    at = 0
    for entity in found:
        yield text[at : entity.start], ""
        yield entity.text, entity.type
        at = entity.stop
    yield text[at:], ""


def _bounded(tagger: Tagger) -> Tagger:
    """Let a tagger that reads a text of any length at once read it in long pieces."""
    config = tagger.config
    if tagger.table is not None or config.most_tokens is not None:
        return tagger
    shared = max(config.overlap, SHARED)
    return replace(tagger, config=replace(config, max_tokens=LONGEST, overlap=shared))


def _line_of(text: str) -> Callable[[int], int]:
    """Return what says the line of a character, for characters that ascend."""
    at, line = 0, 1

    def find(character: int) -> int:
        nonlocal at, line
        line += text.count("\n", at, character)
        at = character
        return line

    return find
