"""`longctx data`: which data sets are known, and articles of the Gazette to read."""

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer

from longctx_edu.cli.options import flag
from longctx_edu.errors import UserError

WIDTH = 88  # characters; longer lines are hard to read


def known_sets() -> None:
    """List the known data sets: labels, licence, and where each is or how to get it."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from longctx_edu.data.catalogue import CATALOGUE

    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(no_wrap=True, style="bold")
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for known in CATALOGUE.values():
        rows = {
            "holds": known.description,
            "labels": ", ".join(known.types),
            "licence": known.licence,
            "found": where(known),
        }
        for number, (name, value) in enumerate(rows.items()):
            table.add_row(known.name if number == 0 else "", name, Text(value))
    console = Console()
    console.print(table)
    console.print(
        "\nAny other data: --data PATH, a file or folder with a token and its tag a "
        "line.",
        markup=False,
    )


def where(known: Any) -> str:
    """Say where a known set is on this machine, or how to get it.

    Args:
        known: An entry of the catalogue.
    """
    from longctx_edu.data.catalogue import find

    if known.kind == "gazette":
        return "always: it is made on the spot"
    if path := find(known.name):
        return str(path)
    ways = f"not here; --data PATH, or a folder in LONGCTX_DATA that holds {known.name}"
    if known.hub_id is None:
        return ways
    return f"{ways}, or with a network from the hub ({known.hub_id})"


def gazette(
    articles: Annotated[int, typer.Option(help="How many.")] = 1,
    tokens: Annotated[int, typer.Option(help="Tokens an article.")] = 512,
    seed: Annotated[int, typer.Option(help="Another seed, other articles.")] = 0,
    split: Annotated[str, typer.Option(help="train, dev or test.")] = "train",
    in_body: Annotated[
        float, typer.Option(help="Share of names that the body introduces.")
    ] = 0.0,
    ambiguous: Annotated[
        float, typer.Option(help="Share of names that do not tell their type.")
    ] = 0.7,
    jsonl: flag("One JSON object an article.", "--jsonl") = False,
) -> None:
    """Print articles of the Gazette, their names in colour."""
    from longctx_edu.data.gazette import GazetteConfig
    from longctx_edu.data.gazette import articles as write

    if articles < 1:
        raise UserError(f"need --articles >= 1, got {articles}")
    config = GazetteConfig(
        n_tokens=tokens,
        ambiguous=ambiguous,
        in_body=in_body,
        split=split,
        seed=seed,
    )
    written = write(config, articles)
    if jsonl:
        for article in written:
            print(json.dumps(as_json(article), ensure_ascii=False))
    else:
        show(written)


def show(written: Any) -> None:
    """Print articles for a reader, with what each colour means.

    Args:
        written: Articles.
    """
    from rich.console import Console
    from rich.text import Text

    from longctx_edu.data.gazette import COLOURS, rich_text

    console = Console()
    if console.is_terminal:
        console.width = min(console.width, WIDTH)
        legend = Text(" ").join(Text(t, f"bold {c}") for t, c in COLOURS.items())
        console.print(legend)
    for number, article in enumerate(written):
        if number:
            console.print("\n* * *\n", markup=False)
        # Behind a pipe a paragraph stays one line: who reads there breaks lines.
        console.print(rich_text(article), soft_wrap=not console.is_terminal)


def as_json(article: Any) -> dict[str, Any]:
    """Return all that an article tells, for a machine.

    Args:
        article: An article of the Gazette.
    """
    from longctx_edu.data.gazette import render

    return {
        **asdict(article),
        "text": render(article),
        "topic": article.topic,
        "sentiment": article.sentiment,
        "summary": article.summary,
    }
