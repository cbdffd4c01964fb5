"""Runs a learner's cells one after another, in the learner's own process."""

import ast
import builtins
import io
import linecache
import sys
import types
from typing import Any

from longctx_edu.checks.report import learners_line

__all__ = ["Notebook", "Printed"]

OURS = {"check", "needs-solution"}  # cells of the course, not of the learner
KEPT = 2000
MAGIC = ("%", "!", "?")


class Printed(io.TextIOBase):
    """Keeps the first letters of what is printed, and counts the rest."""

    def __init__(self) -> None:
        self.text, self.count = "", 0

    def writable(self) -> bool:
        """Say that it takes text."""
        return True

    def write(self, text: str) -> int:
        """Take some text."""
        if not isinstance(text, str):
            raise TypeError(f"need a str to print, got {type(text).__name__}")
        self.text += text[: max(0, KEPT - len(self.text))]
        self.count += len(text)
        return len(text)

    def isatty(self) -> bool:
        """Say that nobody looks."""
        return False


class Notebook:
    """A namespace that cells fill.

    Attributes:
        names: What the cells have defined.
    """

    def __init__(self) -> None:
        self.module = types.ModuleType("__main__")
        self.names: dict[str, Any] = self.module.__dict__
        self.names["display"] = lambda *things, **how: None
        self.names["get_ipython"] = lambda: None
        self.printed = Printed()

    def open(self) -> None:
        """Become this process's main module, and take what it prints."""
        sys.modules["__main__"] = self.module
        sys.stdout = sys.stderr = self.printed
        builtins.input = no_input

    def find(self, name: str) -> tuple[Any, list[str]]:
        """Give what a name stands for, and all names that were defined."""
        return self.names.get(name), [n for n in self.names if not n.startswith("_")]

    def run(self, cell: dict[str, Any]) -> list:
        """Run a cell, and go on whatever comes of it.

        Returns:
            What stopped it, in words, or None; how much was printed so far.
        """
        said = None
        try:
            self.execute(cell["number"], cell["source"], cell["tags"])
        except BaseException as error:
            said = words_of(error)
        return [said, self.printed.text, self.printed.count]

    def execute(self, number: int, source: str, tags: list[str]) -> None:
        """Run the code of a cell; of the course's own cells only what defines."""
        name = f"<cell {number}>"
        source = without_magic(source)
        lines = source.splitlines(keepends=True)
        linecache.cache[name] = (len(source), None, lines, name)
        tree = ast.parse(source, name)
        if OURS & set(tags):
            tree.body = [node for node in tree.body if defines(node)]
        exec(compile(tree, name, "exec", dont_inherit=True), self.names)


def words_of(error: BaseException) -> str:
    """Say what stopped a cell."""
    try:
        said = f"{type(error).__name__}: {error}".rstrip(": ")[:500]
        place = learners_line(error)
    except Exception:
        said, place = type(error).__name__, None
    return said if place is None else f"{said}, {place}"


def defines(node: ast.stmt) -> bool:
    """Tell an import, a definition or a constant from a statement that works."""
    if isinstance(node, ast.Assign):
        return all(isinstance(t, ast.Name) and t.id.isupper() for t in node.targets)
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return isinstance(node, kinds | ast.Import | ast.ImportFrom)


def without_magic(source: str) -> str:
    r"""Empty the lines that only a notebook understands.

    Example:
        >>> without_magic("%matplotlib inline\nx = 1")
        '\nx = 1'
    """
    if source.lstrip().startswith("%%"):
        return ""
    lines = source.split("\n")
    return "\n".join("" if li.lstrip().startswith(MAGIC) else li for li in lines)


def no_input(prompt: object = "") -> str:
    """Refuse to ask: nobody is there to answer."""
    raise RuntimeError("input() has nobody to ask while a notebook is graded")
