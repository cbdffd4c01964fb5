"""Part a file with a token a line into sentences, columns and lines.

Columns are parted by tabs where the line has one, else by spaces. Windows line ends,
a byte order mark, spaces in blank lines and a missing last line end are all fine.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from longctx_edu.data.files import decoded
from longctx_edu.data.tags import UNREAD, prefixes_of
from longctx_edu.errors import DataError, Report, refuse

DOCUMENT_MARK = "-DOCSTART-"


@dataclass(frozen=True)
class Layout:
    """How a file is written.

    Args:
        token_column: The token's column, counted from 0.
        tag_column: The tag's column; negative counts from the end.
        nested: All columns behind the token's are layers of tags; keep the outermost.
        scheme: IOB2, IOB1, BIOES, BILOU or BMES; found out from the tags if None.
        document_per_sentence: Each sentence is a text on its own, as in posts.
        types: The entity types that may occur; any if empty.

    Raises:
        UserError: If the scheme is unknown.
        ValueError: If the token's column is negative.
    """

    token_column: int = 0
    tag_column: int = -1
    nested: bool = False
    scheme: str | None = None
    document_per_sentence: bool = False
    types: tuple[str, ...] = ()

    def __post_init__(self):
        prefixes_of(self.scheme or "IOB2")
        if self.token_column < 0:
            raise ValueError(
                f"need token_column >= 0, got token_column={self.token_column}"
            )

    @property
    def n_columns(self) -> int:
        """The fewest columns that a line with a token has."""
        if self.nested:
            return self.token_column + 2
        return max(2, self.token_column + 1, self.tag_column + 1, -self.tag_column)


@dataclass
class Sentence:
    """The rows of one sentence as they stand in the file, and where.

    Args:
        tokens: The words.
        tags: Each word's layers of tags; one where nothing is nested.
        lines: Each word's line, counted from 1.
        opens_document: A document mark stands before it.
    """

    tokens: list[str] = field(default_factory=list)
    tags: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    opens_document: bool = False

    def layers(self) -> list[list[str]]:
        """Return the layers of tags, each with one tag a word.

        A line with fewer layers than its neighbours is outside all entities of the
        others; one that cannot be read is so in all.
        """
        depth = max(len(tags) for tags in self.tags)
        rest = [UNREAD if tags == [UNREAD] else "O" for tags in self.tags]
        rows = [
            [*tags, *[other] * (depth - len(tags))]
            for tags, other in zip(self.tags, rest, strict=True)
        ]
        return [list(layer) for layer in zip(*rows, strict=True)]


def sentences_of(
    path: Path, layout: Layout, *, report: Report = refuse
) -> Iterator[Sentence]:
    """Yield the sentences of a file, in order; those without tokens stay out.

    Args:
        path: The file, in UTF-8.
        layout: How it is written.
        report: What to do with a mistake: if not to stop, the tag of a line that
            cannot be read is UNREAD.

    Raises:
        UserError: If there is no such file.
        DataError: At a line with too few columns, with what was expected there.
    """
    sentence = Sentence()
    token, tag = layout.token_column, layout.tag_column
    # Not splitlines(): it would also part a token that holds a Unicode line end.
    lines = decoded(path, report=report).split("\n")
    usual = usual_columns(lines)
    for line, text in enumerate(lines, start=1):
        marked = text.startswith(DOCUMENT_MARK)
        if marked or not text.strip():
            if sentence.tokens:
                yield sentence
                sentence = Sentence()
            sentence.opens_document |= marked
            continue
        columns = columns_of(text)
        message = fault(columns, layout, usual)
        if message:
            came = " ".join(columns)[:60]
            # Where most lines have too few columns, one mistake stands for them all.
            if not len(columns) == usual[1] < layout.n_columns or line == usual[0]:
                report(DataError(path, line, f"{message}: {came!r}", "columns"))
            columns, tags = [*columns, *[""] * token], [UNREAD]
        else:
            tags = columns[token + 1 :] if layout.nested else [columns[tag]]
        sentence.tokens.append(columns[token])
        sentence.tags.append(tags)
        sentence.lines.append(line)
    if sentence.tokens:
        yield sentence


def columns_of(text: str) -> list[str]:
    r"""Part a line at its tabs, else at its spaces; empty last columns do not count.

    Args:
        text: The line.

    Example:
        >>> columns_of("New York\tB-LOC\t"), columns_of("Rome  NNP B-LOC")
        (['New York', 'B-LOC'], ['Rome', 'NNP', 'B-LOC'])
    """
    text = text.rstrip("\r")
    if "\t" not in text:
        return [column for column in text.split(" ") if column]
    columns = [column.strip(" ") for column in text.split("\t")]
    while columns and not columns[-1]:
        columns.pop()
    return columns


def usual_columns(lines: list[str]) -> tuple[int, int]:
    """Count the columns that most lines with a token have; of two counts the earlier.

    Args:
        lines: The lines of a file.

    Returns:
        The first such line, counted from 1, and its number of columns.

    Example:
        >>> usual_columns(["word tag of it", "", "Ada B-PER", "sings O"])
        (3, 2)
    """
    n_lines: Counter[int] = Counter()
    first: dict[int, int] = {}
    for line, text in enumerate(lines, start=1):
        if text.strip() and not text.startswith(DOCUMENT_MARK):
            n = len(columns_of(text))
            n_lines[n] += 1
            first.setdefault(n, line)
    if not n_lines:
        return 0, 0
    n = max(n_lines, key=n_lines.get)
    return first[n], n


def fault(columns: list[str], layout: Layout, usual: tuple[int, int]) -> str:
    """Say what is wrong with a line's columns; nothing is if the result is empty.

    A tag column counted from the end needs as many columns in every line: with one
    too few it would be another column.

    Args:
        columns: The line, in parts.
        layout: How the file is written.
        usual: The columns of most lines, as `usual_columns` counts them.
    """
    n, needed = len(columns), layout.n_columns
    if n < needed:
        what = "token and tag" if needed == 2 else f"tag in column {needed}"
        if layout.tag_column < -1:
            what = f"tag in column {-layout.tag_column} from the end"
        return f"need at least {needed} columns ({what}), got {n}"
    if not columns[layout.token_column]:
        return f"need a token in column {layout.token_column + 1}, got none"
    if layout.tag_column < 0 and not layout.nested and n != usual[1]:
        return f"need {usual[1]} columns, as in line {usual[0]}, got {n}"
    return ""
