"""What a question about this machine finds out."""

from typing import Literal

Status = Literal["ok", "note", "missing"]
"""Missing: a lesson could not run. Note: all run, but one should know."""

Finding = tuple[Status, str, str]
"""Status, what there is, and how to get what is missing."""
