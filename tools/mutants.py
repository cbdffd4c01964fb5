"""Wrong answers by machine: a solution with one small part of its syntax changed.

Each mutant is the solution with a single change that a tired reader overlooks: another
operator, a constant off by one, another axis, a comparison the other way round, a
dropped line, two arguments swapped.
"""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

OPERATORS: dict[type, type] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
COMPARISONS: dict[type, tuple[type, ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
PAIRS = (
    ("max", "min"),
    ("amax", "amin"),
    ("sum", "mean"),
    ("argmax", "argmin"),
    ("ones", "zeros"),
    ("triu", "tril"),
    ("ceil", "floor"),
    ("log", "log2"),
    ("maximum", "minimum"),
    ("sin", "cos"),
    ("cummax", "cummin"),
    ("any", "all"),
)
SAME_EITHER_WAY = {"min", "max", "maximum", "minimum", "logaddexp", "equal", "allclose"}
"""Calls whose first two arguments may be swapped."""
NAMES = {**dict(PAIRS), **{other: one for one, other in PAIRS}}
DROPPED = (ast.Assign, ast.AugAssign, ast.Expr, ast.If, ast.For, ast.Return)


@dataclass(frozen=True)
class Mutant:
    """A solution with one change.

    Args:
        before: The changed statement's first line, as it was.
        after: The same, changed; empty where the statement is dropped.
        source: The whole cell.
    """

    before: str
    after: str
    source: str

    def __str__(self) -> str:
        return f"{self.before}  ->  {self.after or '(dropped)'}"


def mutants(source: str, first: int, last: int) -> list[Mutant]:
    r"""Change one thing at a time in some lines of a cell.

    Args:
        source: The cell.
        first: The first line that may change, counted from 1.
        last: The last one.

    Returns:
        Each changed cell once, in the order of the lines.

    Example:
        >>> for mutant in mutants("def f(x):\n    return x + 2", 2, 2):
        ...     print(mutant)
        return x + 2  ->  (dropped)
        return x + 2  ->  return x - 2
        return x + 2  ->  return x + 3
        return x + 2  ->  return x + 1
    """
    tree = ast.parse(source)
    found = {ast.unparse(tree): None}
    for statement in _statements(tree):
        for node in _own(statement):
            if not first <= getattr(node, "lineno", statement.lineno) <= last:
                continue
            for new in changes(node):
                changed, after = _with(tree, statement, node, new)
                mutant = Mutant(_line(statement), after, changed)
                found.setdefault(changed, mutant)
    return [mutant for mutant in found.values() if mutant is not None]


def changes(node: ast.AST) -> Iterator[ast.AST]:
    """Give what may stand in a node's place.

    Args:
        node: Of a solution's syntax tree.
    """
    if isinstance(node, DROPPED):
        yield ast.Pass()
    if isinstance(node, ast.BinOp | ast.AugAssign | ast.BoolOp):
        if type(node.op) in OPERATORS:
            yield _altered(node, op=OPERATORS[type(node.op)]())
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        for kind in COMPARISONS[type(node.ops[0])]:
            yield _altered(node, ops=[kind()])
    elif isinstance(node, ast.Compare):
        for at, op in enumerate(node.ops):
            for kind in COMPARISONS[type(op)][:1]:
                ops = [*node.ops[:at], kind(), *node.ops[at + 1 :]]
                yield _altered(node, ops=ops)
    elif isinstance(node, ast.Constant):
        yield from _constants(node.value)
    elif isinstance(node, ast.Call):
        yield from _calls(node)
    elif isinstance(node, ast.Attribute | ast.Name):
        called = node.attr if isinstance(node, ast.Attribute) else node.id
        part = "attr" if isinstance(node, ast.Attribute) else "id"
        if called in NAMES:
            yield _altered(node, **{part: NAMES[called]})
    elif isinstance(node, ast.IfExp):
        yield _altered(node, body=node.orelse, orelse=node.body)
    elif isinstance(node, ast.Tuple) and len(node.elts) == 2:
        yield _altered(node, elts=node.elts[::-1])


def _constants(value: object) -> Iterator[ast.AST]:
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        yield ast.Constant(value + 1)
        yield ast.Constant(value - 1)
    elif isinstance(value, float):
        yield ast.Constant(value * 2 if value else 1.0)


def _calls(node: ast.Call) -> Iterator[ast.AST]:
    """Swap two arguments, leave one out; a method's own object counts as none."""
    called = getattr(node.func, "attr", getattr(node.func, "id", ""))
    if len(node.args) >= 2 and called not in SAME_EITHER_WAY:
        one, other, *rest = node.args
        yield _altered(node, args=[other, one, *rest])
    for at in range(len(node.keywords)):
        yield _altered(node, keywords=node.keywords[:at] + node.keywords[at + 1 :])


def _altered(node: ast.AST, **parts: object) -> ast.AST:
    new = copy.copy(node)
    for name, value in parts.items():
        setattr(new, name, value)
    return new


def _statements(tree: ast.AST) -> Iterator[ast.stmt]:
    """Give the statements in the order of their lines, functions left out."""
    found = [n for n in ast.walk(tree) if isinstance(n, ast.stmt)]
    kept = [n for n in found if not isinstance(n, ast.FunctionDef | ast.ClassDef)]
    return iter(sorted(kept, key=lambda node: (node.lineno, node.col_offset)))


def _own(statement: ast.stmt) -> Iterator[ast.AST]:
    """Give a statement and its expressions, without the statements inside it."""
    yield statement
    todo = list(ast.iter_child_nodes(statement))
    while todo:
        node = todo.pop(0)
        if isinstance(node, ast.stmt):
            continue
        yield node
        todo = [*ast.iter_child_nodes(node), *todo]


def _line(statement: ast.stmt) -> str:
    return ast.unparse(statement).split("\n")[0]


class _Put(ast.NodeTransformer):
    """Put another node in a node's place."""

    def __init__(self, old: ast.AST, new: ast.AST):
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self.new if node is self.old else super().visit(node)


def _with(
    tree: ast.AST, statement: ast.stmt, node: ast.AST, new: ast.AST
) -> tuple[str, str]:
    """Write the cell, and the statement's first line, with a node exchanged."""
    memo: dict[int, object] = {}
    whole = copy.deepcopy(tree, memo)
    at, inside = memo[id(node)], memo[id(statement)]
    put = copy.deepcopy(new)
    changed = _Put(at, put).visit(whole)
    after = "" if isinstance(new, ast.Pass) else _line(inside)
    if at is inside and after:
        after = _line(put)
    return ast.unparse(ast.fix_missing_locations(changed)), after
