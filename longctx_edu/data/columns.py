"""Part a file with a token a line into sentences, columns and lines.

Columns are parted by tabs where the line has one, else by spaces. Windows line ends,
a byte order mark, spaces in blank lines and a missing last line end are all fine.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from longctx_edu.data.files import decoded
from longctx_edu.data.tags import prefixes_of
from longctx_edu.errors import DataError

DOCUMENT_MARK = "-DOCSTART-"


@dataclass(frozen=True)
class Layout:
    """How a file is written.

    Args:
        token_column: The token's column, counted from 0.
        tag_column: The tag's column; negative counts from the end.
        nested: All columns behind the token's are layers of tags; keep the outermost.
        scheme: IOB2, IOB1, BIOES or BILOU.
        document_per_sentence: Each sentence is a text on its own, as in posts.
        types: The entity types that may occur; any if empty.

    Raises:
        UserError: If the scheme is unknown.
        ValueError: If the token's column is negative.
    """

    token_column: int = 0
    tag_column: int = -1
    nested: bool = False
    scheme: str = "IOB2"
    document_per_sentence: bool = False
    types: tuple[str, ...] = ()

    def __post_init__(self):
        prefixes_of(self.scheme)
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


def sentences_of(path: Path, layout: Layout) -> Iterator[Sentence]:
    """Yield the sentences of a file, in order; those without tokens stay out.

    Args:
        path: The file, in UTF-8.
        layout: How it is written.

    Raises:
        UserError: If there is no such file.
        DataError: At a line with too few columns, with what was expected there.
    """
    sentence, first = Sentence(), None
    token, tag = layout.token_column, layout.tag_column
    # Not splitlines(): it would also part a token that holds a Unicode line end.
    for line, text in enumerate(decoded(path).split("\n"), start=1):
        marked = text.startswith(DOCUMENT_MARK)
        if marked or not text.strip():
            if sentence.tokens:
                yield sentence
                sentence = Sentence()
            sentence.opens_document |= marked
            continue
        columns = columns_of(text)
        first = first or (line, len(columns))
        if len(columns) != first[1] or line == first[0] or not columns[token]:
            message = fault(columns, layout, first)
            if message:
                came = " ".join(columns)[:60]
                raise DataError(path, line, f"{message}: {came!r}")
        sentence.tokens.append(columns[token])
        sentence.tags.append(columns[token + 1 :] if layout.nested else [columns[tag]])
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


def fault(columns: list[str], layout: Layout, first: tuple[int, int]) -> str:
    """Say what is wrong with a line's columns; nothing is if the result is empty.

    A tag column counted from the end needs as many columns in every line: with one
    too few it would be another column.

    Args:
        columns: The line, in parts.
        layout: How the file is written.
        first: Line and number of columns of the first token.
    """
    n, needed = len(columns), layout.n_columns
    if n < needed:
        what = "token and tag" if needed == 2 else f"tag in column {needed}"
        if layout.tag_column < -1:
            what = f"tag in column {-layout.tag_column} from the end"
        return f"need at least {needed} columns ({what}), got {n}"
    if not columns[layout.token_column]:
        return f"need a token in column {layout.token_column + 1}, got none"
    if layout.tag_column < 0 and not layout.nested and n != first[1]:
        return f"need {first[1]} columns, as in line {first[0]}, got {n}"
    return ""
