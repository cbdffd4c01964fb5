"""Which data a command works on: the options, and the texts that they ask for."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar

from longctx_edu.cli.options import flag, given, option, switch
from longctx_edu.errors import UserError

TokenColumn = Annotated[
    int | None, option("The token's column, counted from 0.", default="0")
]
TagColumn = Annotated[
    int | None,
    option("The tag's column; negative counts from the end.", default="-1"),
]
Scheme = Annotated[
    str | None,
    option(
        "How tags are written.",
        default="found out",
        metavar="IOB2|IOB1|BIOES|BILOU|BMES",
    ),
]
Nested = flag("Tags stand in several columns: keep the outermost.", "--nested")
PerSentence = switch(
    "Each sentence is a text on its own, or texts are parted as the files mark them.",
    "document-per-sentence",
    default="as is known of the set",
)
RepairTags = flag(
    "Read an I- that continues nothing as B-, and count it.",
    "--repair-tags",
    "--repair",
)

DIALS = {"tokens": "n_tokens", "in_body": "in_body", "ambiguous": "ambiguous"}
"""Options that the Gazette takes, and what `GazetteConfig` calls them."""

COLUMNS = ("token_column", "tag_column", "scheme", "nested", "document_per_sentence")
"""Options that say how files are written; `Layout` calls them the same."""


@dataclass(frozen=True)
class DataOptions:
    """The options that say which data is meant, and how its files are written."""

    panel: ClassVar[str] = "The data"

    data: Annotated[
        str | None,
        option("A known data set, a file or a folder.", metavar="NAME|PATH"),
    ] = None
    repair_tags: RepairTags = False
    token_column: TokenColumn = None
    tag_column: TagColumn = None
    scheme: Scheme = None
    nested: Nested = False
    document_per_sentence: PerSentence = None
    articles: Annotated[
        int | None, option("Gazette: articles to train on.", default="400")
    ] = None
    tokens: Annotated[
        int | None, option("Gazette: tokens an article.", default="512")
    ] = None
    in_body: Annotated[
        float | None,
        option("Gazette: share of names that the body introduces.", default="0"),
    ] = None
    ambiguous: Annotated[
        float | None,
        option("Gazette: share of names that do not tell their type.", default="0.7"),
    ] = None


def load_splits(options: DataOptions) -> Any:
    """Load train, dev and test of what the options name.

    Args:
        options: What was asked for.

    Raises:
        UserError: If nothing is named or found, or an option does not fit the data.
    """
    from longctx_edu.data.catalogue import load

    if options.data is None:
        raise UserError("need --data with a data set, a file or a folder, got none")
    asked = given(options)
    is_made = options.data == "gazette"
    wrong = [*COLUMNS, "repair_tags"] if is_made else ["articles", *DIALS]
    for name in wrong:
        if name in asked:
            what = "files" if is_made else "the gazette"
            raise UserError(
                f"need --{name.replace('_', '-')} with {what} only, got --data "
                f"{options.data}: leave it out"
            )
    if is_made:
        return load("gazette", **_dials(asked))
    layout = _layout(options.data, {n: asked[n] for n in COLUMNS if n in asked})
    return load(options.data, layout=layout, repair=options.repair_tags)


def absolute(options: DataOptions) -> DataOptions:
    """Name a path so that it is found from another folder too.

    Args:
        options: What was asked for.
    """
    from longctx_edu.data.registry import registered
    from longctx_edu.data.sets import CATALOGUE

    if options.data is None or options.data in CATALOGUE or registered(options.data):
        return options
    return replace(options, data=str(Path(options.data).expanduser().absolute()))


def _dials(asked: dict[str, Any]) -> dict[str, Any]:
    dials = {DIALS[name]: asked[name] for name in DIALS if name in asked}
    if "articles" in asked:
        n = asked["articles"]
        if n < 1:
            raise UserError(f"need --articles >= 1, got {n}")
        dials["counts"] = (n, max(1, n // 8), max(1, n // 8))
    return dials


def _layout(name: str, asked: dict[str, Any]) -> Any:
    """Change what is known of a set's files by what was asked; None: nothing was."""
    from longctx_edu.data.catalogue import resolve
    from longctx_edu.data.columns import Layout

    if not asked:
        return None
    known, _, _ = resolve(name)
    return replace(known.layout if known else Layout(), **asked)
