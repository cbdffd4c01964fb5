"""Whether code reaches for the machinery by which its cost is counted."""

import ast
from collections.abc import Iterable

from longctx_edu.grading.leaning import (
    closure,
    dotted_name,
    gathered,
    parsed,
    used_names,
)

__all__ = ["reaching"]

PLAIN = {
    "math", "torch", "numpy", "einops", "itertools", "functools", "collections",
    "dataclasses", "typing", "random", "statistics", "jaxtyping", "longctx_edu",
    "matplotlib", "operator", "time", "warnings", "string", "re", "copy", "abc", "enum",
    "fractions", "decimal", "heapq", "bisect", "pprint", "IPython", "__future__",
}  # fmt: skip
DEEP = {
    "torch": {"utils", "overrides", "library", "ops", "compile", "jit", "func", "fx",
              "serialization", "load", "classes", "export", "hub", "package",
              "parallel", "distributed", "testing", "futures"},
    "longctx_edu": {"grading", "cli", "benchmarks", "recipes", "training"},
    "numpy": {"ctypeslib", "lib", "core", "testing", "f2py"},
    "IPython": {"core", "utils", "lib", "terminal", "testing"},
}  # fmt: skip
MODULES = {
    "sys", "os", "gc", "inspect", "threading", "types", "builtins", "importlib",
    "ctypes", "socket", "subprocess", "multiprocessing", "weakref", "concurrent",
}  # fmt: skip
CALLS = {
    "eval", "exec", "compile", "globals", "locals", "vars", "open", "getattr",
    "breakpoint", "setattr", "delattr", "input", "memoryview",
}  # fmt: skip
USUAL = {"__init__", "__name__", "__class__", "__doc__", "__len__", "__call__"}


def reaching(sources: Iterable[str], name: str = "") -> list[str]:
    """List what code does with Python's or torch's own machinery.

    A cost is counted in the learner's process, by means that such code could bend.

    Args:
        sources: The code of each cell.
        name: Of an exercise whose function should not go by way of NumPy, where
            nobody counts.

    Returns:
        Each with its line; empty for what learners usually write.

    Example:
        >>> reaching(["import math, gc", "x = math.pi"])
        ['import gc (line 1)']
    """
    sources = list(sources)
    imported = set(gathered(sources)[0])
    found = []
    for source in sources:
        for node in ast.walk(parsed(source)):
            words = reach_of(node, imported)
            if words:
                found.append(f"{words} (line {getattr(node, 'lineno', '?')})")
    if name and by_numpy(sources, name):
        found.append("NumPy")
    return sorted(set(found))


def reach_of(node: ast.AST, imported: set[str]) -> str | None:
    """Say what one piece of syntax reaches for."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        before = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
        names = [before + alias.name for alias in node.names]
        return next((f"import {each}" for each in names if is_deep(each)), None)
    if isinstance(node, ast.Attribute):
        dotted = dotted_name(node) or f".{node.attr}"
        outside = (
            not isinstance(node.ctx, ast.Load) and dotted.split(".")[0] in imported
        )
        hidden = node.attr.startswith("_") and node.attr not in USUAL
        deep = node.attr in MODULES or is_deep(dotted, imported=False)
        return dotted if outside or hidden or deep else None
    if isinstance(node, ast.FunctionDef) and node.name.startswith("__torch"):
        return node.name
    if isinstance(node, ast.Name):
        hidden = node.id.startswith("__") and node.id != "__name__"
        return node.id if hidden or node.id in CALLS else None
    return None


def is_deep(name: str, *, imported: bool = True) -> bool:
    """Tell what learners do not need from what they do."""
    first, *rest = name.split(".")
    if imported and (first not in PLAIN or MODULES & set(rest)):
        return True
    return bool(DEEP.get(first, set()) & set(rest))


def by_numpy(sources: list[str], name: str) -> bool:
    """Tell whether an exercise's function computes with NumPy."""
    imports, nodes = closure(sources, name)
    for node in nodes:
        heads = {used.split(".")[0] for used in used_names(node)}
        if any(imports.get(head, "").split(".")[0] == "numpy" for head in heads):
            return True
        parts = [part for part in ast.walk(node) if isinstance(part, ast.Attribute)]
        if any(part.attr in ("numpy", "from_numpy") for part in parts):
            return True
    return False
