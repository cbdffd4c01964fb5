"""On what an exercise's function leans, read from the syntax: nothing is run."""

import ast
import symtable
from collections.abc import Iterable, Iterator

from longctx_edu.grading.cells import without_magic

__all__ = ["closure", "dotted_name", "finished_functions", "gathered", "parsed"]

AIDS = ("plotting", "course", "checks", "shapes", "playground")


def finished_functions(sources: Iterable[str], name: str) -> list[str]:
    r"""List the functions of the library on which an exercise's function leans.

    They hold finished answers; whether leaning on them is fine, a teacher says.

    Args:
        sources: The code of each cell.
        name: Of the exercise.

    Example:
        >>> cell = "from longctx_edu.attention import full\ndef f(q): return full(q)"
        >>> finished_functions([cell], "f")
        ['longctx_edu.attention.full']
    """
    imports, nodes = closure(list(sources), name)
    found = set()
    for node in nodes:
        for used in used_names(node):
            head, _, tail = used.partition(".")
            if head in imports:
                found.add(imports[head] + (f".{tail}" if tail else ""))
    return sorted(each for each in found if is_finished(each))


def closure(sources: list[str], name: str) -> tuple[dict[str, str], list[ast.AST]]:
    """Collect what defines a function and all that it uses, with what is imported."""
    imports, definitions = gathered(sources)
    nodes, waiting, seen = [], [name], set()
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        for node in definitions.get(current, []):
            nodes.append(node)
            waiting += [used.partition(".")[0] for used in used_names(node)]
    return imports, nodes


def is_finished(name: str) -> bool:
    """Tell whether a name is one of the library's answers."""
    parts = name.split(".")
    return parts[0] == "longctx_edu" and len(parts) > 1 and parts[1] not in AIDS


def gathered(
    sources: Iterable[str],
) -> tuple[dict[str, str], dict[str, list[ast.AST]]]:
    """Collect what cells import and define, by name."""
    imports: dict[str, str] = {}
    definitions: dict[str, list[ast.AST]] = {}
    for source in sources:
        tree = parsed(source)
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for each in node.names:
                    short = each.asname or each.name.split(".")[0]
                    imports[short] = each.name if each.asname else short
            elif isinstance(node, ast.ImportFrom):
                for each in node.names:
                    imports[each.asname or each.name] = f"{node.module}.{each.name}"
        for node in tree.body:
            for defined in bound_names(node):
                definitions.setdefault(defined, []).append(node)
    return imports, definitions


def bound_names(node: ast.stmt) -> Iterator[str]:
    """Give the names that a statement binds."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif not isinstance(node, ast.Import | ast.ImportFrom):
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                yield part.id


def used_names(node: ast.AST) -> Iterator[str]:
    """Give the names that code takes from outside, with what follows their dots."""
    free = free_names(node)
    for part in ast.walk(node):
        name = dotted_name(part) if isinstance(part, ast.Attribute | ast.Name) else None
        if name and name.split(".")[0] in free:
            yield name


def free_names(node: ast.AST) -> set[str]:
    """Collect the names that a statement reads and does not bind within itself."""
    try:
        table = symtable.symtable(ast.unparse(node), "cell", "exec")
    except (SyntaxError, ValueError, RecursionError):
        return set()
    functions = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    found = set() if functions else {s.get_name() for s in table.get_symbols()}
    tables = table.get_children()
    while tables:
        table = tables.pop()
        found |= {s.get_name() for s in table.get_symbols() if s.is_global()}
        tables += table.get_children()
    return found


def parsed(source: str) -> ast.Module:
    """Parse a cell; one that is no Python is not run either."""
    try:
        return ast.parse(without_magic(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])


def dotted_name(node: ast.AST) -> str | None:
    """Write a chain of names, `torch.utils.data`; None for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted_name(node.value)
        return f"{before}.{node.attr}" if before else None
    return None
