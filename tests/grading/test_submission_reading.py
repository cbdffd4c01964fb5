"""Files as learners hand them in: of any version, in any state."""

import json

import pytest

from longctx_edu.grading.notebook import MOST_BYTES, Refused, cells_of, read_cells


def notebook(*sources, **more):
    cells = [{"cell_type": "code", "source": s, "metadata": {}} for s in sources]
    return {"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}, **more}


def written(tmp_path, data, name="a.ipynb"):
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else json.dumps(data).encode())
    return path


def sources(path):
    return [cell.source for cell in read_cells(path)]


def test_a_notebook_gives_its_code_in_order(tmp_path):
    whole = notebook("a = 1", ["b = 2\n", "c = 3"], "   ")
    whole["cells"].insert(1, {"cell_type": "markdown", "source": "text"})
    assert sources(written(tmp_path, whole)) == ["a = 1", "b = 2\nc = 3"]


def test_tags_tell_the_course_s_own_cells(tmp_path):
    whole = notebook("check_x(x)")
    whole["cells"][0]["metadata"]["tags"] = ["check", 3]
    assert read_cells(written(tmp_path, whole))[0].tags == ("check",)


@pytest.mark.parametrize("version", [2, 3])
def test_old_versions_have_worksheets_and_inputs(tmp_path, version):
    cells = [{"cell_type": "code", "input": ["a = ", "1"]}, {"cell_type": "code"}, 7]
    whole = {"worksheets": [{"cells": cells}], "nbformat": version}
    assert sources(written(tmp_path, whole)) == ["a = 1"]


def test_a_script_is_cut_at_its_marks():
    text = '# %% [markdown]\n# # T\n\n# %% tags=["check", "x"]\ncheck()\n# %%\nb = 2\n'
    cells = cells_of(text, notebook=False)
    assert [(c.source, c.tags) for c in cells] == [
        ("check()", ("check", "x")),
        ("b = 2", ()),
    ]


def test_a_plain_script_is_one_cell(tmp_path):
    path = written(tmp_path, b"\xef\xbb\xbfdef f():\r\n    return 1\r\n", "a.py")
    assert sources(path) == ["def f():\n    return 1"]


def test_a_large_notebook_is_read_whatever_its_outputs(tmp_path):
    whole = notebook("a = 1")
    whole["cells"][0]["outputs"] = [{"data": {"image/png": "x" * 50_000_000}}]
    assert sources(written(tmp_path, whole)) == ["a = 1"]


DEEP = b"[" * 100_000
BROKEN = {
    "no JSON": (b"{'cells': []}", "no JSON"),
    "cut off": (json.dumps(notebook("a = 1")).encode()[:40], "no JSON"),
    "too deep": (DEEP, "no JSON"),
    "a list": (b"[1, 2]", "JSON, but without cells"),
    "no cells": (b"{}", "need code, got none"),
    "cells of another kind": (b'{"cells": 7}', "JSON, but without cells"),
    "sheets of another kind": (b'{"worksheets": 7}', "need code, got none"),
    "empty": (b"", "the file is empty"),
    "white": (b" \n\n", "the file is empty"),
    "not UTF-8": (b'{"cells": "\xff"}', "need UTF-8, got byte 0xff at place 11"),
    "text alone": (json.dumps(notebook()).encode(), "need code, got none"),
    "much code": (json.dumps(notebook("x" * 2**20 + "x")).encode(), "letters of code"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be_read_is_refused_with_its_reason(tmp_path, name):
    data, words = BROKEN[name]
    with pytest.raises(Refused, match=words):
        read_cells(written(tmp_path, data))


def test_what_is_no_file_is_refused(tmp_path):
    (tmp_path / "folder.ipynb").mkdir()
    (tmp_path / "link.ipynb").symlink_to(tmp_path / "nowhere")
    huge = tmp_path / "huge.ipynb"
    with huge.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    for name, words in (
        ("folder.ipynb", "got a folder"),
        ("link.ipynb", "it is a link"),
        ("missing.ipynb", "no such file"),
        ("huge.ipynb", "at most 64 MiB"),
        ("a.zip", "need a notebook or a .py file, got .zip"),
    ):
        with pytest.raises(Refused, match=words):
            read_cells(tmp_path / name)
