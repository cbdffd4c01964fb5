"""The command line: `longctx`. Heavy libraries are imported inside the commands."""

from longctx_edu.cli.app import main

__all__ = ["main"]
