"""The Gazette: a newspaper from an invented world, as long as you like.

An article has a headline, a lead that introduces its names with words that fix their
type ("Marlow, the surgeon"), and sections in which the same names stand bare, in
sentences that suit a person, an organisation, a place and a work alike. So a model
knows the type of a far mention only if it can look back. The same seed gives the same
bytes; the splits share no name and few sentence patterns, but share the evidence.
"""

from longctx_edu.data.gazette.article import Article, Event, Evidence, GazetteConfig
from longctx_edu.data.gazette.generate import article, articles
from longctx_edu.data.gazette.render import COLOURS, render, rich_text, segments
from longctx_edu.data.gazette.tables import SPLITS, TOPICS, TYPES

__all__ = [
    "COLOURS",
    "SPLITS",
    "TOPICS",
    "TYPES",
    "Article",
    "Event",
    "Evidence",
    "GazetteConfig",
    "article",
    "articles",
    "render",
    "rich_text",
    "segments",
]
