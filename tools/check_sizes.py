"""Hold files, functions and cells to a size that a reader can take in at once.

    python tools/check_sizes.py            breaches, and an exit status of 1 if any
    python tools/check_sizes.py --aims     also what is over the size to aim at

A function is counted from `def` to its end without its docstring. A code cell is
counted without solution markers, a text cell without tables, code and folded hints.
Line length is ruff's business.
"""

import argparse
import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from course_source import BEGIN, END, SourceError, cell_lines, read_source

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Limit:
    """A size to aim at, the size that is refused, and what to do about it."""

    aim: int
    hard: int
    advice: str


@dataclass(frozen=True)
class Finding:
    """One thing that is larger than its limit's aim."""

    path: str
    line: int
    kind: str
    size: int

    def __str__(self) -> str:
        limit = LIMITS[self.kind]
        return (
            f"{self.path}:{self.line}: {self.kind} {self.size}, aim {limit.aim}, "
            f"limit {limit.hard}: {limit.advice}"
        )


LIMITS = {
    "lines in the file": Limit(150, 250, "split it along its ideas"),
    "lines in the function": Limit(30, 50, "give a part of it a name"),
    "lines in the code cell": Limit(15, 25, "cut it where a reader would pause"),
    "words in the text cell": Limit(80, 120, "cut it, or put a figure between"),
    "code cells in a row": Limit(2, 3, "say in a text cell what the next one shows"),
}

# (path, kind) -> (its own limit, the reason that a reader would accept)
EXCEPTIONS: dict[tuple[str, str], tuple[int, str]] = {}


def python_findings(path: Path, name: str) -> Iterator[Finding]:
    """Measure a library file and each of its functions."""
    text = path.read_text(encoding="utf-8")
    yield Finding(name, 1, "lines in the file", len(text.splitlines()))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = node.end_lineno - node.lineno + 1 - docstring_lines(node)
            yield Finding(name, node.lineno, "lines in the function", size)


def docstring_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of a function's docstring, 0 without one."""
    if ast.get_docstring(node, clean=False) is None:
        return 0
    return node.body[0].end_lineno - node.body[0].lineno + 1


def lesson_findings(path: Path, name: str) -> Iterator[Finding]:
    """Measure the cells of a lesson's or an exercise's source."""
    lines = cell_lines(path.read_text(encoding="utf-8"))
    row = 0
    for cell, line in zip(read_source(path).cells, lines, strict=True):
        if cell.cell_type == "code":
            row += 1
            yield Finding(name, line, "lines in the code cell", code_lines(cell.source))
            yield Finding(name, line, "code cells in a row", row)
        else:
            row = 0
            yield Finding(name, line, "words in the text cell", words(cell.source))


def code_lines(source: str) -> int:
    """Count a code cell's lines, solution markers and blank ones left out."""
    lines = [line.strip() for line in source.split("\n")]
    return sum(bool(line) and line not in (BEGIN, END) for line in lines)


def words(text: str) -> int:
    r"""Count the words that stand open before a reader.

    Example:
        >>> words("One two.\n\n| a | b |\n<details>a hint</details>")
        2
    """
    for hidden in (r"<details>.*?</details>", r"```.*?```", r"^\|.*?$", r"<[^>]*>"):
        text = re.sub(hidden, " ", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    return sum(bool(re.search(r"\w", word)) for word in text.split())


def findings(root: Path) -> Iterator[Finding]:
    """Measure everything that has a limit."""
    for folder in ("longctx_edu", "tools"):
        for path in sorted((root / folder).rglob("*.py")):
            yield from python_findings(path, path.relative_to(root).as_posix())
    for path in sorted((root / "lessons").glob("[0-9]*.py")):
        yield from lesson_findings(path, path.relative_to(root).as_posix())


def limit_of(finding: Finding) -> int:
    """Give the limit that holds for this finding."""
    own = EXCEPTIONS.get((finding.path, finding.kind))
    return own[0] if own else LIMITS[finding.kind].hard


def main(arguments: list[str] | None = None) -> int:
    """Print what is too large; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--aims", action="store_true", help="show what is over its aim")
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    try:
        measured = list(findings(asked.root))
    except (SourceError, SyntaxError) as error:
        print(error)
        return 1
    over = [f for f in measured if f.size > limit_of(f)]
    aims = [f for f in measured if f not in over and f.size > LIMITS[f.kind].aim]
    unused = [
        key
        for key in EXCEPTIONS
        if not any(
            (f.path, f.kind) == key and f.size > LIMITS[f.kind].hard for f in measured
        )
    ]
    for finding in over + aims * asked.aims:
        print(finding)
    for path, kind in unused:
        print(f"{path}: the exception for {kind!r} is no longer needed: take it out")
    print(f"sizes: {len(over)} over the limit, {len(aims)} over the aim (--aims)")
    return bool(over or unused)


if __name__ == "__main__":
    sys.exit(main())
