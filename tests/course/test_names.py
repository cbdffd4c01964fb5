"""Finished code exists once, in the library: no lesson writes it again.

An exercise may, since there the learner writes it: then the call must be the same.
"""

import ast
from pathlib import Path

import machinery as m
from course_source import BEGIN


def redefined(path: Path, known: set[str]) -> list[str]:
    """Say which library names a lesson defines, or assigns to after an import."""
    said, imported = [], set()
    for cell, tree in m.code_cells(path):
        for node in tree.body:
            if isinstance(node, ast.ImportFrom) and "longctx_edu" in (
                node.module or ""
            ):
                imported |= {alias.asname or alias.name for alias in node.names}
            names = set()
            if isinstance(node, m.Function | ast.ClassDef):
                names = {node.name} & known
            elif isinstance(node, ast.Assign):
                names = {ast.unparse(target) for target in node.targets} & imported
            said += [f"{cell.id} defines {name}" for name in sorted(names)]
    return said


def parameters(node: m.Function) -> dict[str, tuple[str, str | None]]:
    """Map each parameter to its kind and its default as written, None without."""
    args = node.args
    plain = [*args.posonlyargs, *args.args]
    missing = [None] * (len(plain) - len(args.defaults))
    found = {
        arg.arg: ("plain", default and ast.unparse(default))
        for arg, default in zip(plain, [*missing, *args.defaults], strict=True)
    }
    for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        found[arg.arg] = ("keyword only", default and ast.unparse(default))
    return found


def disagreement(stub: m.Function, original: m.Function) -> list[str]:
    """Say where a call of the stub would not be a call of the library's function.

    A stub may leave out what has a default: a learner writes the idea, not each option.
    """
    ours, theirs = parameters(stub), parameters(original)
    shared = [name for name in theirs if name in ours]
    said = [
        f"{name!r} is unknown to the library" for name in ours if name not in theirs
    ]
    said += [
        f"{name!r} is needed by the library"
        for name, (_, default) in theirs.items()
        if name not in ours and default is None
    ]
    for name in shared:
        if ours[name] != theirs[name]:
            said.append(f"{name!r} is {ours[name]}, in the library {theirs[name]}")
    if not said and list(ours) != shared:
        said.append(f"the order is {list(ours)}, in the library {shared}")
    return [f"{stub.name}: {sentence}" for sentence in said]


def stubs(path: Path):
    """Give each function and method of the cells that hold a solution."""
    for cell, tree in m.code_cells(path):
        if BEGIN in cell.source:
            yield from (
                n for n in tree.body if isinstance(n, m.Function | ast.ClassDef)
            )


def disagreements(path: Path, known: dict) -> list[str]:
    """Compare every stub of an exercise with the library's function of that name."""
    said = []
    for stub in stubs(path):
        original = known.get(stub.name)
        if original is None or type(original) is not type(stub):
            continue
        if isinstance(stub, ast.ClassDef):
            methods = {n.name: n for n in original.body if isinstance(n, m.Function)}
            for method in stub.body:
                if isinstance(method, m.Function) and method.name in methods:
                    said += disagreement(method, methods[method.name])
        else:
            said += disagreement(stub, original)
    return said


@m.each(m.LESSONS)
def test_no_lesson_redefines_a_library_name(path):
    assert redefined(path, set(m.library())) == []


@m.each(m.EXERCISE_SOURCES)
def test_a_stub_is_called_like_the_library_function(path):
    assert disagreements(path, m.library()) == []


def test_the_library_shows_names():
    assert {"dense_attention", "window_attention", "dense_mask"} <= set(m.library())


def test_a_redefinition_is_seen(tmp_path):
    lesson = tmp_path / "01_a.py"
    lesson.write_text(
        "# %%\nfrom longctx_edu.masks import window\n"
        "# %%\ndef dense_mask(n):\n    return n\n"
        "# %%\nwindow = window(left=1, right=0)\nmask = 3\n"
    )
    said = redefined(lesson, {"dense_mask", "window", "mask"})
    assert said == ["01_a-001 defines dense_mask", "01_a-002 defines window"]


def test_a_stub_that_disagrees_is_seen(tmp_path):
    exercise = tmp_path / "01_a_exercises.py"
    stub = (
        "# %%\ndef f({}):\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION\n"
    )
    known = {"f": ast.parse("def f(q, k, *, left, scale=None): ...").body[0]}

    def said(signature):
        exercise.write_text(stub.format(signature))
        return disagreements(exercise, known)

    assert said("q, k, *, left, scale=None") == []
    assert said("q, k, *, left") == []
    assert said("k, q, *, left") == [
        "f: the order is ['k', 'q', 'left'], in the library ['q', 'k', 'left']"
    ]
    assert said("q, k, *, width") == [
        "f: 'width' is unknown to the library",
        "f: 'left' is needed by the library",
    ]
    assert said("q, k, left") == [
        "f: 'left' is ('plain', None), in the library ('keyword only', None)"
    ]
    assert "'scale' is ('keyword only', '1')" in said("q, k, *, left, scale=1")[0]
