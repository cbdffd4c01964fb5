"""Whether code reaches for the machinery by which its cost is counted."""

import ast
from collections.abc import Iterable

from longctx_edu.grading.leaning import (
    closure,
    dotted_name,
    parsed,
    used_names,
)

__all__ = ["reaching"]

PLAIN = {
    "math", "torch", "numpy", "einops", "itertools", "functools", "collections",
    "dataclasses", "typing", "random", "statistics", "jaxtyping", "longctx_edu",
    "matplotlib", "time", "warnings", "string", "re", "copy", "abc", "enum",
    "fractions", "decimal", "heapq", "bisect", "pprint", "__future__",
}  # fmt: skip
DEEP = {
    "utils", "overrides", "library", "ops", "compile", "jit", "func", "fx", "classes",
    "serialization", "load", "export", "hub", "package", "parallel", "distributed",
    "testing", "futures", "grading", "cli", "benchmarks", "recipes", "training",
    "largest", "report", "ctypeslib", "lib", "core", "f2py", "memmap", "fromfile",
    "get_type_hints", "ForwardRef",
}  # fmt: skip
MODULES = {
    "sys", "os", "gc", "inspect", "threading", "types", "builtins", "importlib",
    "ctypes", "socket", "subprocess", "multiprocessing", "weakref", "concurrent",
}  # fmt: skip
CALLS = {
    "eval", "exec", "compile", "globals", "locals", "vars", "open", "getattr",
    "breakpoint", "setattr", "delattr", "input", "memoryview",
}  # fmt: skip
SETTABLE = {"requires_grad", "grad", "data"}
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
    found = []
    for source in sources:
        for node in ast.walk(parsed(source)):
            words = reach_of(node)
            if words:
                found.append(f"{words} (line {getattr(node, 'lineno', '?')})")
    if name and by_numpy(sources, name):
        found.append("NumPy")
    return sorted(set(found))


def reach_of(node: ast.AST) -> str | None:
    """Say what one piece of syntax reaches for."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        before = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
        names = [before + alias.name for alias in node.names]
        return next((f"import {each}" for each in names if is_deep(each)), None)
    if isinstance(node, ast.Attribute):
        own = dotted_name(node.value) == "self" or node.attr in SETTABLE
        stored = not isinstance(node.ctx, ast.Load) and not own
        hidden = node.attr.startswith("_") and node.attr not in USUAL
        if stored or hidden or node.attr in MODULES | DEEP:
            return dotted_name(node) or f".{node.attr}"
    if isinstance(node, ast.FunctionDef) and node.name.startswith("__torch"):
        return node.name
    if isinstance(node, ast.Name):
        hidden = node.id.startswith("__") and node.id != "__name__"
        return node.id if hidden or node.id in CALLS else None
    return None


def is_deep(name: str) -> bool:
    """Tell a module that learners do not need from those that they do."""
    first, *rest = name.split(".")
    return first not in PLAIN or bool((MODULES | DEEP) & set(rest))


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
