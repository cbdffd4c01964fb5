"""What the library shows: its names, what an import costs, and that examples hold."""

import ast
import doctest
import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

LIBRARY = Path(__file__).resolve().parents[1] / "longctx_edu"


def module_name(path: Path) -> str:
    parts = path.relative_to(LIBRARY.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PACKAGES = sorted(map(module_name, LIBRARY.rglob("__init__.py")))


def docstrings(path: Path) -> list[tuple[int, str]]:
    """Return the docstrings of a file that hold an example, each with its line.

    Read from the source: an object that a decorator has wrapped hides its own from
    `doctest.testmod`, which then runs nothing and calls it a success.
    """
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = []
    for node in ast.walk(tree):
        text = ast.get_docstring(node) if isinstance(node, kinds) else None
        if text and ">>>" in text:
            found.append((getattr(node.body[0], "lineno", 1), text))
    return found


EXAMPLES = {
    module_name(path): (path, docstrings(path))
    for path in sorted(LIBRARY.rglob("*.py"))
    if docstrings(path)
}


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_shows_its_public_names_and_no_others(name):
    package = importlib.import_module(name)
    public = {
        name
        for name, value in vars(package).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    shown = getattr(package, "__all__", [])
    assert len(set(shown)) == len(shown)
    assert set(shown) == public


def imported(name: str) -> set[str]:
    """Return the top-level names of all that an import loads, in a fresh process."""
    code = f"import json, sys, {name}\nprint(json.dumps(list(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return {module.partition(".")[0] for module in json.loads(done.stdout)}


def test_the_library_alone_imports_nothing_but_itself():
    foreign = imported("longctx_edu") - set(sys.stdlib_module_names)
    # What an interpreter loads at its start, as an editable install does, is not ours.
    foreign -= imported("sys")
    assert foreign == {"longctx_edu"}


HEAVY = {"transformers", "datasets", "accelerate", "matplotlib", "seqeval", "typer"}


@pytest.mark.parametrize(
    "part",
    [
        "attention",
        "chunking",
        "data",
        "losses",
        "masks",
        "metrics",
        "models",
        "optim",
        "positions",
        "shapes",
    ],
)
def test_a_part_of_the_core_imports_no_heavy_neighbour(part):
    assert imported(f"longctx_edu.{part}") & HEAVY == set()


def test_a_recipe_draws_nothing_until_it_is_asked_to():
    assert "matplotlib" not in imported("longctx_edu.recipes")


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_in_docstrings_hold(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    path, texts = EXAMPLES[name]
    runner = doctest.DocTestRunner(verbose=False)
    said: list[str] = []
    for line, text in texts:
        test = doctest.DocTestParser().get_doctest(
            text, dict(vars(module)), f"{name}, line {line}", str(path), line
        )
        assert test.examples
        runner.run(test, out=said.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(said)
