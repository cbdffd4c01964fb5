"""What a check finds wrong with data: each with its place, all at once, but bounded."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from longctx_edu.errors import DataError, UserError

LEVELS = ("error", "warning", "note")
"""What forbids to use the data, what one should know before, and what explains."""


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Args:
        level: One of LEVELS.
        kind: What sort of thing, in a word.
        message: What must hold, what came, what to do.
        path: The file; None where the whole set is meant.
        line: Its line, counted from 1; None where the whole file is meant.

    Example:
        >>> print(Finding("error", "tag", "need O, got 'o'", "a.conll", 3))
        error: a.conll:3: need O, got 'o'
    """

    level: str
    kind: str
    message: str
    path: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        parts = [str(part) for part in (self.path, self.line) if part is not None]
        place = f"{':'.join(parts)}: " if parts else ""
        return f"{self.level}: {place}{self.message}"


class Findings:
    """A list that keeps the first findings of each level and counts the rest.

    Args:
        limit: How many to keep of each level.
    """

    def __init__(self, limit: int = 50):
        if limit < 1:
            raise ValueError(f"need limit >= 1, got limit={limit}")
        self.limit = limit
        self.kept: dict[str, list[Finding]] = {level: [] for level in LEVELS}
        self.rest: Counter[tuple[str, str]] = Counter()
        self._empty: set[str] = set()

    def add(
        self,
        level: str,
        kind: str,
        message: str,
        path: str | Path | None = None,
        line: int | None = None,
    ) -> None:
        """Keep a finding, or count it."""
        place = None if path is None else str(path)
        if len(self.kept[level]) < self.limit:
            self.kept[level].append(Finding(level, kind, message, place, line))
        else:
            self.rest[level, kind] += 1

    def report(self, error: UserError) -> None:
        """Keep a mistake that a reader found; what readers call instead of stopping.

        Args:
            error: The mistake. That a file is empty is kept once.
        """
        if not isinstance(error, DataError):
            self.add("error", "splits", str(error))
            return
        if error.kind == "empty":
            if str(error.path) in self._empty:
                return
            self._empty.add(str(error.path))
        self.add("error", error.kind, error.message, error.path, error.line)

    def count(self, level: str) -> int:
        """Count the findings of a level, kept or not.

        Args:
            level: One of LEVELS.
        """
        more = sum(n for (each, _), n in self.rest.items() if each == level)
        return len(self.kept[level]) + more

    def in_order(self, level: str) -> list[Finding]:
        """Return the findings of a level that were kept, by file and line.

        Args:
            level: One of LEVELS.
        """
        paths = {each.path: None for each in self.kept[level]}  # as they came
        order = {path: number for number, path in enumerate(paths)}
        return sorted(self.kept[level], key=lambda f: (order[f.path], f.line or 0))
