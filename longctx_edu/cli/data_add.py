"""`longctx data add`: check a user's own data, and give them a name."""

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import typer

from longctx_edu.cli.data_options import (
    COLUMNS,
    Nested,
    PerSentence,
    RepairTags,
    Scheme,
    TagColumn,
    TokenColumn,
)
from longctx_edu.cli.options import flag, given, option, takes_options
from longctx_edu.errors import UserError

NAME = Annotated[str, typer.Argument(help="What to call the data.")]


@dataclass(frozen=True)
class FileOptions:
    """The options that say where the data are, and how they are written."""

    panel: ClassVar[str] = "The data"

    path: Annotated[
        Path | None,
        option("A file, or a folder with train, dev and test or a document a file."),
    ] = None
    labels: Annotated[
        str | None,
        option("The entity types, parted by commas.", default="any", metavar="A,B,C"),
    ] = None
    token_column: TokenColumn = None
    tag_column: TagColumn = None
    scheme: Scheme = None
    nested: Nested = False
    document_per_sentence: PerSentence = None
    repair_tags: RepairTags = False


@dataclass(frozen=True)
class CheckOptions:
    """The options of the check itself."""

    panel: ClassVar[str] = "The check"

    long_sentence: Annotated[
        int, option("Words above which a sentence is pointed at.", default="1000")
    ] = 1000
    show: Annotated[
        int, option("Errors, and warnings, to show; the rest is counted.", default="50")
    ] = 50
    overwrite: flag("Let the name mean these data from now on.", "--overwrite") = False
    as_json: flag("Print one JSON object, for a machine.", "--json") = False


@takes_options
def add(name: NAME, files: FileOptions, how: CheckOptions) -> None:
    """Check your own data, say all that is wrong, and name them for --data NAME.

    Ends with exit code 1, and adds nothing, where there is an error.
    """
    from longctx_edu.data.check import check
    from longctx_edu.data.registry import Registered, need_free_name, register

    if files.path is None:
        raise UserError("need --path with a file or a folder, got none")
    if how.show < 1:
        raise UserError(f"need --show >= 1, got {how.show}")
    need_free_name(name)
    need_new_name(name, files.path, overwrite=how.overwrite)
    checked = check(
        files.path,
        own_layout(files),
        repair=files.repair_tags,
        long_sentence=how.long_sentence,
        limit=how.show,
    )
    noted_in = None
    if checked.is_usable:
        entry = Registered(
            name=name,
            path=checked.path,
            layout=checked.layout,
            files=checked.files,
            repair=checked.repair,
            types=checked.types,
        )
        noted_in = register(entry)
    if how.as_json:
        print(json.dumps(report(name, checked, noted_in), indent=2, ensure_ascii=False))
    else:
        show(name, checked, noted_in)
    if not checked.is_usable:
        raise typer.Exit(1)


def remove(name: NAME) -> None:
    """Forget the name of data that were added; the data stay."""
    from longctx_edu.data.registry import unregister

    unregister(name)
    print(f"{name} is no longer known; its files stay where they are")


def need_new_name(name: str, path: Path, *, overwrite: bool) -> None:
    """Make sure that a name does not stand for other data.

    Args:
        name: The name.
        path: The data that are to have it.
        overwrite: Whether it may stand for other data so far.

    Raises:
        UserError: If it does.
    """
    from longctx_edu.data.registry import registered

    before = None if overwrite else registered(name)
    if before and before.path != path.expanduser().resolve():
        raise UserError(
            f"need another name than {name}: it stands for {before.path}; --overwrite "
            "lets it mean these data"
        )


def own_layout(files: FileOptions) -> Any:
    """Change what is known of the files by what was asked; None: nothing was.

    Args:
        files: The options.

    Raises:
        UserError: If a label is empty or stands twice.
    """
    from dataclasses import replace

    from longctx_edu.data.columns import Layout
    from longctx_edu.data.sets import recognise

    asked = {n: x for n, x in given(files).items() if n in COLUMNS}
    if files.labels is not None:
        labels = [label.strip() for label in files.labels.split(",")]
        twice = [label for label, n in Counter(labels).items() if n > 1]
        if not all(labels) or twice:
            raise UserError(
                f"need labels parted by commas, each once, got {files.labels!r}"
            )
        asked["types"] = tuple(labels)
    known = recognise(files.path.expanduser())
    return replace(known.layout if known else Layout(), **asked) if asked else None


def report(name: str, checked: Any, noted_in: Path | None) -> dict[str, Any]:
    """Return all that a check has found, for a machine.

    Args:
        name: What the data are called.
        checked: What was found.
        noted_in: The file that holds the name now; None where the data have errors.
    """
    from longctx_edu.data.findings import LEVELS

    findings = checked.findings
    return {
        "name": name,
        "path": str(checked.path),
        "added": noted_in is not None,
        "noted_in": noted_in and str(noted_in),
        "layout": asdict(checked.layout),
        "note": checked.note,
        "repaired": checked.n_repaired,
        "types": checked.types,
        "splits": {split: asdict(each) for split, each in checked.splits.items()},
        "counts": {level: findings.count(level) for level in LEVELS},
        "findings": [asdict(f) for level in LEVELS for f in findings.in_order(level)],
        "not_shown": [
            {"level": level, "kind": kind, "count": n}
            for (level, kind), n in findings.rest.items()
        ],
    }


def show(name: str, checked: Any, noted_in: Path | None) -> None:
    """Print what a check has found, for a reader.

    Args:
        name: What the data are called.
        checked: What was found.
        noted_in: The file that holds the name now; None where the data have errors.
    """
    from rich.console import Console

    from longctx_edu.data.findings import LEVELS

    console, findings = Console(), checked.findings
    for level in LEVELS:
        for finding in findings.in_order(level):
            console.print(str(finding), markup=False, highlight=False, soft_wrap=True)
        rest = {kind: n for (each, kind), n in findings.rest.items() if each == level}
        if rest:
            kinds = ", ".join(f"{n:,} {kind}" for kind, n in rest.items())
            print(f"{level}: and {sum(rest.values()):,} more ({kinds}); --show N")
    if any(findings.count(level) for level in LEVELS):
        console.print()
    console.print(summary_table(checked))
    how = f"tags in {checked.layout.scheme}; {checked.note}"
    console.print(how, markup=False, highlight=False, soft_wrap=True)
    if checked.n_repaired:
        console.print(f"{checked.n_repaired:,} tags read as B-", markup=False)
    n_errors, n_warnings = findings.count("error"), findings.count("warning")
    verdict = f"{name} is added: use it with --data {name}"
    if noted_in is None:
        verdict = f"{name} is not added: correct the errors first"
    counted = f"errors: {n_errors:,}, warnings: {n_warnings:,}"
    console.print(f"\n{counted}\n{verdict}", markup=False, highlight=False)


def summary_table(checked: Any) -> Any:
    """Draw what is in each split.

    Args:
        checked: What was found.
    """
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for split in checked.splits:
        table.add_column(split, justify="right")
    parts = checked.splits.values()
    rows = {
        "documents": [part.documents for part in parts],
        "sentences": [part.sentences for part in parts],
        "words": [part.tokens for part in parts],
        "words a document, median": [round(part.median_tokens) for part in parts],
        "words a document, longest": [part.longest_tokens for part in parts],
    }
    for type_ in checked.types:
        rows[type_] = [part.entities.get(type_, 0) for part in parts]
    for row, numbers in rows.items():
        table.add_row(row, *(f"{number:,}" for number in numbers))
    return table
