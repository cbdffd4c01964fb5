"""`longctx evaluate` and `longctx predict`: what a model is worth, and what it says."""

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
LONG = 2_000  # blanks; a text with fewer is done before a bar is read


@takes_options
def evaluate(
    folder: FOLDER,
    data: DataOptions,
    split: Annotated[str, typer.Option(help="train, dev or test.")] = "test",
    decoding: Annotated[
        str | None,
        option(
            "How tags are read off, if not as the model was trained.",
            metavar="greedy|constrained",
        ),
    ] = None,
) -> None:
    """Score a trained model on a data set, and keep the scores beside it."""
    from rich.console import Console

    from longctx_edu.data.cut import SPLITS
    from longctx_edu.recipes.ner import tagger_scores
    from longctx_edu.recipes.show import show_scores
    from longctx_edu.recipes.tagger import load
    from longctx_edu.training.files import write_text

    if split not in SPLITS:
        raise unknown_name("split", split, SPLITS)
    tagger, splits = load(folder), load_splits(data)
    if decoding is not None:
        tagger = replace(tagger, config=replace(tagger.config, decoding=decoding))
    need_known_types(tagger, splits, folder)
    documents = getattr(splits, split)
    scores = tagger_scores(tagger, documents)
    report = {
        "data": splits.name,
        "split": split,
        "documents": len(documents),
        "decoding": tagger.config.decoding,
    }
    path = folder / f"evaluation_{splits.name}_{split}.json"
    write_text(path, json.dumps({**report, **scores}, indent=2) + "\n")
    console = Console()
    words = sum(len(document) for document in documents)
    console.print(
        f"{splits.name}, {split}: {len(documents):,} documents, {words:,} words",
        style="bold",
        markup=False,
    )
    show_scores(scores, console)
    console.print(f"kept in {path}", markup=False, soft_wrap=True)


def need_known_types(tagger: Any, splits: Any, folder: Path) -> None:
    """Make sure that a model knows the entity types of a data set.

    Args:
        tagger: The model.
        splits: The data set.
        folder: Where the model is, for the message.

    Raises:
        UserError: If a type of the data is none of the model's.
    """
    strange = sorted(set(splits.types) - set(tagger.types))
    if strange:
        raise UserError(
            f"need entity types among {', '.join(tagger.types)}, which the model in "
            f"{folder} knows, got {', '.join(strange)} in {splits.name}: evaluate it "
            "on data like that it was trained on"
        )


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

    Each comes with its type, its line, and its first and last character, so that
    text[start:stop] is the entity.
    """
    from longctx_edu.recipes.entities import find_entities
    from longctx_edu.recipes.tagger import load

    if format not in FORMATS:
        raise unknown_name("format", format, FORMATS)
    text = read_text(text, file)
    tagger = load(folder)
    is_long = text.count(" ") > LONG
    found = find_entities(tagger, text, progress=is_long and not quiet)
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
        return decoded(file)
    if text is None and sys.stdin.isatty():
        raise UserError('need a text, got none: "TEXT", --file PATH, or - for stdin')
    if text is None or text == "-":
        try:
            text = sys.stdin.buffer.read().decode("utf-8")
        except UnicodeDecodeError as error:
            came = f"the byte 0x{error.object[error.start]:02x} at {error.start}"
            raise UserError(f"need UTF-8 on standard input, got {came}") from None
    if not text.strip():
        raise UserError("need some text, got nothing but blanks")
    return text


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
