"""The size guard: what it counts, what it refuses, what it says."""

import check_sizes
import pytest
from check_sizes import code_lines, main, words


@pytest.fixture
def project(tmp_path):
    for folder in ("longctx_edu", "tools", "lessons"):
        (tmp_path / folder).mkdir()

    def write(name: str, text: str):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path

    return write


def said(root, capsys, *flags) -> list[str]:
    status = main(["--root", str(root), *flags])
    lines = capsys.readouterr().out.splitlines()
    assert status == (not lines[-1].startswith("sizes: 0 over the limit"))
    return lines


def test_a_long_file_is_refused(project, capsys):
    root = project("longctx_edu/a.py", "x = 1\n" * 250)
    assert said(root, capsys) == ["sizes: 0 over the limit, 1 over the aim (--aims)"]
    assert "lines in the file 250, aim 150" in said(root, capsys, "--aims")[0]
    root = project("longctx_edu/a.py", "x = 1\n" * 251)
    assert said(root, capsys)[0] == (
        "longctx_edu/a.py:1: lines in the file 251, aim 150, limit 250: "
        "split it along its ideas"
    )


def test_a_functions_docstring_is_not_counted(project, capsys):
    doc = '    """Say.\n' + "    more\n" * 30 + '    """\n'
    root = project("tools/a.py", "\n\ndef f():\n" + doc + "    x = 1\n" * 49)
    assert said(root, capsys)[0].startswith("sizes: 0")
    root = project("tools/a.py", "\n\ndef f():\n" + doc + "    x = 1\n" * 50)
    assert said(root, capsys)[0].startswith("tools/a.py:3: lines in the function 51")


@pytest.mark.parametrize(
    "cells, words",
    [
        ("# %%\n" + "x = 1\n" * 26, "01_a.py:1: lines in the code cell 26"),
        ("# %%\nx\n" * 4, "01_a.py:7: code cells in a row 4, aim 2, limit 3"),
        ("# %% [markdown]\n# " + "a " * 121, ":1: words in the text cell 121"),
    ],
)
def test_a_large_cell_is_refused(project, capsys, cells, words):
    assert words in said(project("lessons/01_a.py", cells), capsys)[0]


def test_a_text_cell_ends_a_row_of_code(project, capsys):
    cells = ("# %%\nx\n" * 3 + "# %% [markdown]\n# Now.\n") * 2
    root = project("lessons/01_a.py", cells)
    assert said(root, capsys)[0].startswith("sizes: 0")


def test_what_is_not_counted():
    marked = "def f():\n\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION"
    assert code_lines(marked) == 2
    folded = (
        "One.\n\n<details><summary>Hint</summary>\n\nTwo three.\n</details>\n\nFour"
    )
    assert words(folded) == 2
    assert words("| a | b |\n|---|---|\n| c | d |\n\nafter") == 1
    assert words("see [the paper](https://example.org/a-b-c) - now") == 4
    assert words("before\n```python\nx = 1\n```") == 1


def test_an_exception_has_its_own_limit_and_goes_when_unused(
    project, capsys, monkeypatch
):
    key = ("longctx_edu/names.py", "lines in the file")
    monkeypatch.setattr(check_sizes, "EXCEPTIONS", {key: (300, "a table of names")})
    root = project("longctx_edu/names.py", "x = 1\n" * 300)
    assert main(["--root", str(root)]) == 0
    root = project("longctx_edu/names.py", "x = 1\n" * 301)
    assert main(["--root", str(root)]) == 1
    root = project("longctx_edu/names.py", "x = 1\n" * 200)
    capsys.readouterr()
    assert main(["--root", str(root)]) == 1
    assert "is no longer needed" in capsys.readouterr().out


def test_a_source_that_cannot_be_read_is_named(project, capsys):
    root = project("lessons/01_a_exercises.py", "# %%\n### BEGIN SOLUTION\n")
    assert main(["--root", str(root)]) == 1
    assert "01_a_exercises.py:2: need '### END SOLUTION'" in capsys.readouterr().out


def test_every_exception_has_a_reason():
    assert all(len(reason) > 10 for _, reason in check_sizes.EXCEPTIONS.values())
