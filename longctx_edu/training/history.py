"""What a training run did, as rows: one a step, one an epoch; in a file, if asked."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from longctx_edu.training.files import cannot_write, write_text

METRICS = "metrics.jsonl"


@dataclass(frozen=True)
class History:
    """What `fit` hands back.

    Args:
        steps: A row a step: step, epoch, loss, learning_rate, tokens, elapsed_s.
        epochs: A row an epoch: epoch, step, training_loss, elapsed_s, the scores.
        best_epoch: The epoch whose weights were kept, counted from 1; None where
            nothing was scored: then the last weights were kept.
        stopped_early: True where patience ran out.
        seconds: Whole run, evaluation included, over all resumptions.
        training_s: The part of it that went into steps.
        tokens: Tokens that were trained on, padding not counted.

    Example:
        >>> History([], [], None, False, seconds=9.0, training_s=4.0, tokens=8)
        ... # doctest: +ELLIPSIS
        History(...)
        >>> _.tokens_per_s
        2.0
    """

    steps: list[dict]
    epochs: list[dict]
    best_epoch: int | None
    stopped_early: bool
    seconds: float
    training_s: float
    tokens: int

    @property
    def tokens_per_s(self) -> float:
        """Tokens per second of training steps, padding not counted."""
        return self.tokens / self.training_s if self.training_s else 0.0


@dataclass
class MetricsLog:
    """Rows in memory and, where there is a folder, as JSON lines on the disk.

    Args:
        path: The file; None = memory only.
        rows: What was logged so far.

    Example:
        >>> log = MetricsLog(None)
        >>> log.add({"kind": "step", "step": 1, "loss": 0.5})
        >>> log.of_kind("step")
        [{'step': 1, 'loss': 0.5}]
    """

    path: Path | None
    rows: list[dict] = field(default_factory=list)

    def add(self, row: dict) -> None:
        """Log one row.

        Args:
            row: What JSON can hold, with its "kind".

        Raises:
            UserError: If the file cannot be written.
        """
        self.rows.append(row)
        if self.path is None:
            return
        try:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def start(self) -> None:
        """Begin an empty file."""
        if self.path is not None:
            write_text(self.path, "")

    def cut(self, *, step: int, epoch: int) -> None:
        """Read the file, and drop what came after a saved state.

        Args:
            step: Steps that the state holds.
            epoch: Epochs that were scored before it.
        """
        last = {"step": step, "epoch": epoch}
        lines = (
            self.path.read_text(encoding="utf-8").splitlines() if self.exists else []
        )
        rows = [row for row in map(_row, lines) if row is not None]
        self.rows = [row for row in rows if row[row["kind"]] <= last[row["kind"]]]
        write_text(self.path, "".join(json.dumps(row) + "\n" for row in self.rows))

    def sync(self) -> None:
        """Wait until the rows are on the disk.

        Raises:
            UserError: If they cannot be written.
        """
        if not self.exists:
            return
        try:
            with open(self.path, "rb+") as file:
                os.fsync(file.fileno())
        except OSError as error:
            raise cannot_write(self.path, error) from error

    @property
    def exists(self) -> bool:
        """Whether the file is there."""
        return self.path is not None and self.path.is_file()

    def of_kind(self, kind: str) -> list[dict]:
        """Give the rows of one kind, without their kind.

        Args:
            kind: "step" or "epoch".
        """
        rows = [row for row in self.rows if row["kind"] == kind]
        return [{k: v for k, v in row.items() if k != "kind"} for row in rows]


def _row(line: str) -> dict | None:
    """Read a line; None for the half line that a kill can leave at the end."""
    try:
        return json.loads(line)
    except ValueError:
        return None
