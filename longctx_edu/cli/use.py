"""`longctx evaluate` and `longctx predict`: what a model is worth, and what it says."""

import codecs
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from longctx_edu.cli.data_options import DataOptions, load_splits
from longctx_edu.cli.options import flag, option, takes_options
from longctx_edu.errors import UserError, unknown_name

FOLDER = Annotated[Path, typer.Argument(help="Where `longctx train` left the model.")]
FORMATS = ("table", "jsonl")
LONG = 5_000  # characters; a shorter text is done before a bar is read


@takes_options
def evaluate(
    folder: FOLDER,
    data: DataOptions,
    split: Annotated[str, typer.Option(help="train, dev or test.")] = "test",
    decoding: Annotated[
        str | None,
        option(
            "How tags are read off, if not as the model was trained.",
            metavar="greedy|constrained|crf",
        ),
    ] = None,
) -> None:
    """Score a trained model on a data set, and keep the scores beside it."""
    from rich.console import Console

    from longctx_edu.data.cut import SPLITS
    from longctx_edu.recipes.known import read_known
    from longctx_edu.recipes.report_page import write_report_page
    from longctx_edu.recipes.scores import score_documents
    from longctx_edu.recipes.show import show_scores
    from longctx_edu.recipes.tagger import load, need_known_types
    from longctx_edu.training.files import write_text

    if split not in SPLITS:
        raise unknown_name("split", split, SPLITS)
    tagger, splits = load(folder), load_splits(data)
    if decoding is not None:
        tagger = replace(tagger, config=replace(tagger.config, decoding=decoding))
    need_known_types(tagger, splits, folder)
    documents, known = getattr(splits, split), read_known(folder)
    predicted = tagger.predict(documents)
    scores = score_documents(documents, predicted, known=known)
    what = f"{splits.name}, {split}"
    report = {
        "data": splits.name,
        "split": split,
        "documents": len(documents),
        "decoding": tagger.config.decoding,
    }
    path = folder / f"evaluation_{splits.name}_{split}.json"
    write_text(path, json.dumps({**report, **scores}, indent=2) + "\n")
    page, title = path.with_suffix(".html"), f"Named entities in {what}"
    write_report_page(page, documents, predicted, scores, title=title)
    console = Console()
    words = sum(len(document) for document in documents)
    sizes = f"{len(documents):,} documents, {words:,} words"
    console.print(f"{what}: {sizes}", style="bold", markup=False)
    show_scores(scores, console)
    console.print(f"kept in {path} and {page.name}", markup=False, soft_wrap=True)


def predict(
    folder: FOLDER,
    text: Annotated[
        str | None, typer.Argument(help="The text; - reads standard input.")
    ] = None,
    file: Annotated[Path | None, option("Read the text from a file, in UTF-8.")] = None,
    format: Annotated[
        str, option("How entities are printed.", default="table", metavar="table|jsonl")
    ] = "table",
    quiet: flag("No progress bar.", "--quiet", "-q") = False,
) -> None:
    """Find the named entities of a text of any length.

    Each comes with its type, its line, and the characters where it starts and stops,
    counted from 0 in Unicode code points, so that text[start:stop] is the entity. A
    byte order mark at the beginning is no part of the text.
    """
    from longctx_edu.recipes.entities import find_entities
    from longctx_edu.recipes.tagger import load

    if format not in FORMATS:
        raise unknown_name("format", format, FORMATS)
    text = read_text(text, file)
    tagger = load(folder)
    shows = len(text) > LONG and not quiet
    found = find_entities(tagger, text, progress=shows)
    if format == "jsonl":
        for entity in found:
            print(json.dumps(asdict(entity), ensure_ascii=False))
    else:
        show_entities(found)


def read_text(text: str | None, file: Path | None) -> str:
    """Take the text from the argument, the file or standard input.

    Args:
        text: The argument; "-" means standard input.
        file: The file.

    Raises:
        UserError: If there is none, or more than one, or it is not UTF-8.
    """
    from longctx_edu.data.files import decoded

    if text is not None and file is not None:
        raise UserError(f"need a text or --file, got both: {text[:40]!r} and {file}")
    if file is not None:
        text = decoded(file)
    elif text is None and sys.stdin.isatty():
        raise UserError('need a text, got none: "TEXT", --file PATH, or - for stdin')
    elif text is None or text == "-":
        text = standard_input()
    else:
        need_unicode(text)
    if not text.strip():
        raise UserError("need some text, got nothing but blanks")
    return text


def need_unicode(text: str) -> None:
    """Make sure that an argument was UTF-8; Python keeps another byte as U+DC80 or up.

    Args:
        text: The argument.

    Raises:
        UserError: If it was not.
    """
    for at, letter in enumerate(text):
        if "\udc80" <= letter <= "\udcff":
            byte = ord(letter) - 0xDC00
            raise UserError(
                f"need UTF-8 in the text, got the byte 0x{byte:02x} at {at}"
            )


def standard_input() -> str:
    """Read standard input to its end, in UTF-8 wherever one lives, as a file is read.

    Raises:
        UserError: If it is not UTF-8.
    """
    content = sys.stdin.buffer.read().removeprefix(codecs.BOM_UTF8)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        came = f"the byte 0x{error.object[error.start]:02x} at {error.start}"
        raise UserError(f"need UTF-8 on standard input, got {came}") from None


def show_entities(found: list[Any]) -> None:
    """Print entities as a table.

    Args:
        found: What `find_entities` returns.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name in ("line", "start", "stop"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("type", no_wrap=True)
    table.add_column("text", overflow="fold")
    for entity in found:
        numbers = map(str, (entity.line, entity.start, entity.stop))
        shown = Text(" ".join(entity.text.split()))
        table.add_row(*numbers, Text(entity.type), shown)
    console = Console()
    if found:
        console.print(table)
    else:
        console.print("no entity found")
