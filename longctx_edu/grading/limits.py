"""What one submission may take, and how large what it says may be."""

from dataclasses import dataclass

__all__ = ["Limits"]


@dataclass(frozen=True)
class Limits:
    """How much time and room a submission has.

    Args:
        call_s: Seconds of computing or sleep for a cell, or a call of a function.
        check_s: Seconds for all calls of one check.
        total_s: Seconds for a submission.
        extra_bytes: Memory beyond what the process has when it starts.
        n_processes: Processes and threads at once, its own included.
        file_bytes: Size of a file that it writes.
        n_files: Files that it holds open.
        n_pulls: Things that it takes from one iterator of a check.

    Example:
        >>> Limits(call_s=2.0).call_s
        2.0
    """

    call_s: float = 10.0
    check_s: float = 30.0
    total_s: float = 180.0
    extra_bytes: int = 2**30
    n_processes: int = 8
    file_bytes: int = 2**24
    n_files: int = 64
    n_pulls: int = 100_000
