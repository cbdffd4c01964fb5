"""Turn an article back into running text, plain or with its names in colour."""

from itertools import pairwise
from typing import TYPE_CHECKING

from longctx_edu.data.gazette.article import Article

if TYPE_CHECKING:
    from rich.text import Text

COLOURS = {"PER": "magenta", "ORG": "blue", "LOC": "green", "WORK": "yellow"}
NO_SPACE_BEFORE = frozenset([".", ",", ";", ":", "?", "!", "”", "'s", "'"])


def segments(article: Article) -> list[tuple[str, str]]:
    """Return the text in pieces, each with its type or "headline", "heading" or "".

    The pieces joined are the whole text, with an empty line between paragraphs.
    """
    paragraphs = set(article.paragraph_starts)
    headings = {s: "heading" for s in article.section_starts} | {0: "headline"}
    edges = (*article.sentence_starts, len(article))
    style_of = dict.fromkeys(range(len(article)), "")
    for start, stop in pairwise(edges):
        if start in headings:
            style_of.update(dict.fromkeys(range(start, stop), headings[start]))
    for m in article.mentions:
        style_of.update(dict.fromkeys(range(m.start, m.stop), m.type))
    pieces: list[tuple[str, str]] = []
    for i, token in enumerate(article.tokens):
        gap = " "
        if i == 0 or token in NO_SPACE_BEFORE or article.tokens[i - 1] == "“":
            gap = ""
        if i in paragraphs and i:
            gap = "\n\n"
        same = pieces and pieces[-1][1] == style_of[i] and "\n" not in gap
        if same:
            pieces[-1] = (pieces[-1][0] + gap + token, style_of[i])
        else:
            pieces += [(gap, "")] if gap else []
            pieces.append((token, style_of[i]))
    return pieces


def render(article: Article) -> str:
    """Return the article as running text."""
    return "".join(text for text, _ in segments(article))


def rich_text(article: Article) -> "Text":
    """Return the article for the terminal, with each type of name in its colour."""
    from rich.text import Text

    styles = {t: f"bold {colour}" for t, colour in COLOURS.items()}
    styles |= {"headline": "bold underline", "heading": "bold italic", "": ""}
    text = Text()
    for piece, kind in segments(article):
        text.append(piece, style=styles[kind])
    return text
