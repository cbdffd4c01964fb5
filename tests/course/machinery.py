"""What the guards of the course share: names, sources, solutions, notebooks.

A course is a folder with lessons/, notebooks/, exercises/ and solutions/: the project
itself, or a small one that a test makes to see a guard refuse something.
"""

import ast
import functools
import importlib.util
import linecache
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from course_source import BEGIN, EXERCISES, read_source, solved
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "longctx_edu"
WRONG_ANSWERS = Path(__file__).parent / "wrong_answers"
SOURCES = sorted((ROOT / "lessons").glob("[0-9]*.py"))
LESSONS = [path for path in SOURCES if not path.stem.endswith(EXERCISES)]
EXERCISE_SOURCES = [path for path in SOURCES if path.stem.endswith(EXERCISES)]


def notebooks_of(*folders: str) -> list[Path]:
    """List the course's notebooks; what `longctx reset` has kept is a learner's."""
    every = (path for folder in folders for path in (ROOT / folder).glob("*.ipynb"))
    return sorted(path for path in every if ".before-" not in path.name)


BUILT = notebooks_of("notebooks", "solutions")


def each(paths: list[Path]) -> pytest.MarkDecorator:
    """Parametrise a test over `path`; with nothing there yet, skip it and say so."""
    if not paths:
        nothing = pytest.mark.skip(reason="no such lesson yet")
        return pytest.mark.parametrize("path", [pytest.param(None, marks=nothing)])
    names = [f"{path.parent.name}/{path.name}" for path in paths]
    return pytest.mark.parametrize("path", paths, ids=names)


def code_cells(path: Path) -> Iterator[tuple[NotebookNode, ast.Module]]:
    """Give each code cell of a source with its syntax tree, magics left out."""
    for cell in read_source(path).cells:
        if cell.cell_type == "code":
            yield cell, parse(cell.source)


def parse(source: str) -> ast.Module:
    """Parse a cell; a line magic becomes an empty line."""
    lines = ["" if li[:1] in "%!" else li for li in source.split("\n")]
    return ast.parse("\n".join(lines))


Function = ast.FunctionDef | ast.AsyncFunctionDef


def public_names(package: Path) -> dict[str, Function | ast.ClassDef]:
    """Collect what a library shows: each `__all__`, or the public definitions.

    The command line's own functions are no part of what a lesson could redefine.
    """
    shown: set[str] = set()
    defined: dict[str, Function | ast.ClassDef] = {}
    for path in sorted(package.rglob("*.py")):
        if "cli" in path.relative_to(package).with_suffix("").parts:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        here = {n.name: n for n in tree.body if isinstance(n, Function | ast.ClassDef)}
        exported = declared_names(tree)
        if exported is None and path.name != "__init__.py":
            exported = [name for name in here if not name.startswith("_")]
        defined = {**here, **defined}
        shown.update(exported or [])
    return {name: defined[name] for name in shown if name in defined}


def declared_names(tree: ast.Module) -> list[str] | None:
    """Read a module's `__all__`, None where it has none."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and "__all__" in map(ast.unparse, node.targets):
            return ast.literal_eval(node.value)
    return None


@functools.cache
def library() -> dict[str, Function | ast.ClassDef]:
    """Collect the public names of the library itself, once."""
    return public_names(LIBRARY)


def check_calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Give each call of a `check_...` function in a cell."""
    for node in ast.walk(tree):
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Name) and called.id.startswith("check_"):
            yield called.id, node


def solution_module(path: Path) -> types.ModuleType:
    """Run the defining part of an exercise's source, solutions included.

    A cell with a solution runs whole; of the others only imports, definitions and
    assignments to capital names, so that nothing is trained and nothing is drawn.
    """
    module = types.ModuleType(path.stem)
    whole = [BEGIN in cell.source for cell, _ in code_cells(path)]
    cells = [c for c in solved(read_source(path)).cells if c.cell_type == "code"]
    sys.modules[module.__name__] = module
    for cell, keep_all in zip(cells, whole, strict=True):
        tree = parse(cell.source)
        tree.body = [node for node in tree.body if keep_all or defines(node)]
        if not tree.body:
            continue
        name = f"<{path.stem} {cell.id}>"
        lines = cell.source.splitlines(keepends=True)
        linecache.cache[name] = (len(cell.source), None, lines, name)
        exec(compile(tree, name, "exec"), module.__dict__)
    return module


def defines(node: ast.stmt) -> bool:
    """Tell an import, a definition or a constant from a statement that works."""
    if isinstance(node, ast.Assign):
        return all(isinstance(t, ast.Name) and t.id.isupper() for t in node.targets)
    return isinstance(node, Function | ast.ClassDef | ast.Import | ast.ImportFrom)


def load_file(path: Path) -> types.ModuleType:
    """Import one file by its path, under a name of its own."""
    spec = importlib.util.spec_from_file_location(
        f"{path.parent.name}_{path.stem}", path
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def built(path: Path) -> list[NotebookNode]:
    """Read a built notebook's cells."""
    return nbformat.read(path, as_version=4).cells


def text_of(cell: NotebookNode, kinds: tuple[str, ...] = ("text/",)) -> str:
    """Join the text that a cell's outputs show, in the kinds that are asked for."""
    parts = []
    for output in cell.get("outputs", []):
        parts.append(output.get("text", ""))
        data = output.get("data", {})
        parts += [str(v) for kind, v in data.items() if kind.startswith(kinds)]
        parts += output.get("traceback", [])
    return "\n".join(parts)
