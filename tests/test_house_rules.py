"""Rules of the house that neither ruff nor import-linter can hold."""

import ast
from pathlib import Path

import pytest

LIBRARY = Path(__file__).resolve().parents[1] / "longctx_edu"
MODULES = sorted(LIBRARY.rglob("*.py"))
# Where to print is the purpose: commands, checks' reports, what a notebook calls.
SPEAKING = ("cli", "checks", "recipes", "course")


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def named(path: Path) -> str:
    return path.relative_to(LIBRARY).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_every_module_says_what_it_holds(path):
    text = ast.get_docstring(tree(path))
    assert text is not None or not tree(path).body


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_annotations_are_checked_as_they_are_read(path):
    future = [n for n in tree(path).body if getattr(n, "module", "") == "__future__"]
    assert future == [], "the shape checks read annotations, not strings"


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_the_library_does_not_print(path):
    if named(path).removesuffix(".py").split("/")[0] in SPEAKING:
        return
    calls = [n for n in ast.walk(tree(path)) if isinstance(n, ast.Call)]
    printing = [n.lineno for n in calls if ast.unparse(n.func) == "print"]
    assert printing == []
