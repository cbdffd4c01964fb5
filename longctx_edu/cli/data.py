"""`longctx data`: which data sets are known, and articles of the Gazette to read."""

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer

from longctx_edu.cli.options import flag
from longctx_edu.errors import UserError

WIDTH = 88  # characters; longer lines are hard to read


def known_sets() -> None:
    """List the known data sets, and those that were added: labels, licence, place."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from longctx_edu.data.catalogue import CATALOGUE
    from longctx_edu.data.registry import all_registered

    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(no_wrap=True, style="bold")
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    found = [(known, where(known)) for known in CATALOGUE.values()]
    found += [(entry.known, where_added(entry)) for entry in all_registered()]
    for known, place in found:
        rows = {
            "holds": known.description,
            "labels": ", ".join(known.types),
            "licence": known.licence,
            "found": place,
        }
        for number, (name, value) in enumerate(rows.items()):
            table.add_row(known.name if number == 0 else "", name, Text(value))
    console = Console()
    console.print(table)
    console.print(
        "\nAny other data: --data PATH, a file or folder with a token and its tag a "
        "line. To check them and give them a name: longctx data add NAME --path PATH",
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


def where_added(entry: Any) -> str:
    """Say where a set that was added is, and what holds its name.

    Args:
        entry: A set of the registry.
    """
    there = "" if entry.path.exists() else "nothing is there any more: "
    return f"{there}{entry.path} (added; noted in {entry.noted_in})"


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
