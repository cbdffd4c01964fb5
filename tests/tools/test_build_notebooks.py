"""The builder: blanks, solutions, the same bytes twice, and what it refuses."""

import os
from pathlib import Path

import nbformat
import pytest
from build_notebooks import main
from course_source import (
    Product,
    SourceError,
    blank,
    blank_cell,
    check_source,
    read_source,
    scrub,
    solved,
    tags,
)

LESSON = """# Notes for the author stay out of the notebook.
# %% [markdown]
# # Squares

# %%
import matplotlib.pyplot as plt
import os

# %% tags=["figure", "first"]
plt.plot([1, 4, 9])

# %%
print(object(), os.environ["HF_HUB_OFFLINE"], os.path.basename(os.getcwd()))
"""

EXERCISES = '''# %%
def square(x):
    """Return x squared."""
    ### BEGIN SOLUTION
    product = x * x
    return product
    ### END SOLUTION

# %% tags=["check"]
print("checked")

# %% tags=["needs-solution"]
square(3)

# %%
### BEGIN SOLUTION
answer = 9
### END SOLUTION
'''


@pytest.fixture
def course(tmp_path) -> Path:
    (tmp_path / "lessons").mkdir()
    (tmp_path / "lessons" / "01_squares.py").write_text(LESSON)
    (tmp_path / "lessons" / "01_squares_exercises.py").write_text(EXERCISES)
    return tmp_path


@pytest.fixture
def exercises(course) -> nbformat.NotebookNode:
    return read_source(course / "lessons" / "01_squares_exercises.py")


def run(course: Path, *arguments: str) -> int:
    return main(["--root", str(course), *arguments])


def all_bytes(course: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(course)): p.read_bytes() for p in course.glob("*/*.ipynb")
    }


# A blank and a solution


def test_a_blank_holds_the_stub_in_place_of_the_answer(exercises):
    assert blank(exercises).cells[0].source == (
        'def square(x):\n    """Return x squared."""\n'
        "    # YOUR CODE HERE\n    raise NotImplementedError"
    )


def test_a_solution_loses_the_markers_only(exercises):
    assert solved(exercises).cells[0].source == (
        'def square(x):\n    """Return x squared."""\n'
        "    product = x * x\n    return product"
    )


def test_run_all_passes_the_cells_that_need_a_solution(exercises):
    assert [tags(cell) for cell in blank(exercises).cells] == [
        [],
        ["check"],
        ["needs-solution", "raises-exception"],
        ["raises-exception"],
    ]
    assert [tags(c) for c in solved(exercises).cells[2:]] == [["needs-solution"], []]


def test_two_answers_in_one_cell_give_two_stubs():
    part = "def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION\n"
    source, raises = blank_cell(part + part.replace("f()", "g()"))
    assert source.count("raise NotImplementedError") == 2
    assert not raises


def test_ids_follow_the_name_and_the_place(course):
    cells = read_source(course / "lessons" / "01_squares.py").cells
    assert [cell.id for cell in cells] == [f"01_squares-00{n}" for n in range(4)]
    assert cells[0].source == "# Squares"
    assert tags(cells[2]) == ["figure", "first"]


# Building


def test_a_second_build_gives_the_same_bytes(course, capsys):
    assert run(course) == 0
    first = all_bytes(course)
    assert sorted(first) == [
        "exercises/01_squares.ipynb",
        "notebooks/01_squares.ipynb",
        "solutions/01_squares.ipynb",
    ]
    assert run(course, "--jobs", "1") == 0
    assert all_bytes(course) == first
    assert "notebooks/01_squares.ipynb" in capsys.readouterr().out
    assert not [p for p in course.glob("*/.*") if p.is_file()]


def test_a_lesson_is_executed_offline_in_its_folder(course):
    run(course, "01_squares", "--jobs", "1")
    lesson = nbformat.read(course / "notebooks" / "01_squares.ipynb", 4)
    assert lesson.cells[3].outputs[0].text.endswith("0xADDRESS> 1 notebooks\n")
    assert "image/png" in lesson.cells[2].outputs[-1].data
    assert [c.execution_count for c in lesson.cells[1:]] == [1, 2, 3]
    assert "version" not in lesson.metadata.language_info
    exercise = nbformat.read(course / "exercises" / "01_squares.ipynb", 4)
    assert all(not cell.outputs for cell in exercise.cells)


def test_a_failing_cell_is_named_and_nothing_is_written(course, capsys):
    source = course / "lessons" / "01_squares.py"
    source.write_text(LESSON + "\n# %%\nlength = 3\nlength / 0\n")
    assert run(course, "01_squares") == 1
    said = capsys.readouterr().err
    line = len(LESSON.split("\n")) + 1
    assert f"{source}:{line}: cell 01_squares-004 of notebooks failed" in said
    assert said.rstrip().endswith(
        "    length / 0\n  ZeroDivisionError: division by zero"
    )
    assert "Traceback" not in said
    assert not (course / "notebooks" / "01_squares.ipynb").exists()


def test_a_failed_build_keeps_the_notebook_that_was_there(course, capsys):
    (course / "notebooks").mkdir()
    before = course / "notebooks" / "01_squares.ipynb"
    before.write_text("{}")
    (course / "lessons" / "01_squares.py").write_text("# %%\n1 / 0\n")
    assert run(course, "01_squares") == 1
    assert before.read_text() == "{}"
    assert os.listdir(course / "notebooks") == ["01_squares.ipynb"]


@pytest.mark.parametrize(
    "code, words",
    [
        ("import time\ntime.sleep(60)", "ran longer than 2 s"),
        ("import os\nos._exit(1)", "the kernel died"),
    ],
)
def test_a_cell_without_end_and_a_dead_kernel_are_named(course, capsys, code, words):
    (course / "lessons" / "01_squares.py").write_text(f"# %%\nx = 1\n# %%\n{code}\n")
    assert run(course, "01_squares", "--timeout", "2") == 1
    said = capsys.readouterr().err
    assert words in said
    assert "cell 01_squares-001" in said


def test_an_unknown_name_lists_the_known_ones(course, capsys):
    with pytest.raises(SystemExit) as stopped:
        run(course, "77")
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert "no source starts with '77'; there are: 01_squares, 01_squares_exe" in said


def test_widget_state_is_left_out():
    view = {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "0%|   |"}
    output = nbformat.v4.new_output("display_data", data=view)
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("x", outputs=[output])],
        metadata={"widgets": {"state": 1}},
    )
    scrub(notebook)
    assert notebook.cells[0].outputs == []
    assert "widgets" not in notebook.metadata


# Agreement with the sources


@pytest.fixture
def unexecuted(course) -> Path:
    """The blank alone, built; nothing needs a kernel."""
    (course / "lessons" / "01_squares.py").unlink()
    (course / "exercises").mkdir()
    source = course / "lessons" / "01_squares_exercises.py"
    nbformat.write(blank(read_source(source)), Product(source, "exercises").target)
    return course


def said_by_check(course: Path, capsys) -> list[str]:
    assert run(course, "--check") == 1
    lines = capsys.readouterr().out.splitlines()
    return [line for line in lines if "solutions" not in line]


def test_a_missing_notebook_is_seen(course, capsys):
    assert said_by_check(course, capsys)[0] == (
        "OUT OF STEP notebooks/01_squares.ipynb is missing"
    )


def test_a_changed_source_is_seen(unexecuted, capsys):
    source = unexecuted / "lessons" / "01_squares_exercises.py"
    source.write_text(EXERCISES.replace("Return x", "Give x"))
    assert said_by_check(unexecuted, capsys)[0] == (
        "OUT OF STEP exercises/01_squares.ipynb cell 01_squares-000: source differ"
    )


def test_a_changed_solution_leaves_the_blank_in_step(unexecuted, capsys):
    source = unexecuted / "lessons" / "01_squares_exercises.py"
    source.write_text(EXERCISES.replace("x * x", "x ** 2"))
    assert said_by_check(unexecuted, capsys)[0].startswith("1 out of step")


def test_an_edited_notebook_is_seen(unexecuted, capsys):
    target = unexecuted / "exercises" / "01_squares.ipynb"
    notebook = nbformat.read(target, 4)
    notebook.cells[1].metadata["tags"] = []
    notebook.cells[2].id = "other"
    notebook.cells[3].outputs = [nbformat.v4.new_output("stream", text="9")]
    nbformat.write(notebook, target)
    assert said_by_check(unexecuted, capsys)[:3] == [
        "OUT OF STEP exercises/01_squares.ipynb cell 01_squares-001: tags differ",
        "OUT OF STEP exercises/01_squares.ipynb cell 01_squares-002: id differ",
        "OUT OF STEP exercises/01_squares.ipynb is a blank and holds outputs",
    ]


def test_an_orphan_and_a_cleared_solution_are_seen(unexecuted, capsys):
    source = unexecuted / "lessons" / "01_squares_exercises.py"
    (unexecuted / "solutions").mkdir()
    nbformat.write(solved(read_source(source)), Product(source, "solutions").target)
    (unexecuted / "notebooks").mkdir()
    (unexecuted / "notebooks" / "02_gone.ipynb").write_text("{}")
    (unexecuted / "exercises" / "01_squares.before-1.ipynb").write_text("{}")
    assert run(unexecuted, "--check") == 1
    assert capsys.readouterr().out.splitlines() == [
        "OUT OF STEP solutions/01_squares.ipynb has cells that were not executed",
        "ORPHAN notebooks/02_gone.ipynb has no source in lessons/",
        "2 out of step: edit lessons/ and say: make notebooks",
    ]


# Sources that are refused

OPEN = "# %%\ndef f():\n    ### BEGIN SOLUTION\n    return 1\n"


@pytest.mark.parametrize(
    "text, words",
    [
        (OPEN, "a_exercises.py:3: need '### END SOLUTION' in the same cell"),
        (OPEN + "# %%\n### END SOLUTION", ":3: need '### END SOLUTION' in the same"),
        (OPEN + "    ### BEGIN SOLUTION\n", ":5: a second '### BEGIN SOLUTION' before"),
        ("# %%\n### END SOLUTION\n", ":2: '### END SOLUTION' without '### BEGIN"),
        ("# %%\n# BEGIN SOLUTION\n", ":2: a marker stands alone"),
        ("import torch\n# %%\n", ":1: need a '# %%' line before the first code"),
        ("# only a note\n", ":1: need at least one cell"),
    ],
)
def test_a_source_that_cannot_be_built_is_refused(text, words):
    with pytest.raises(SourceError) as refused:
        check_source(Path("a_exercises.py"), text)
    assert words in str(refused.value)


def test_a_lesson_holds_no_solution(course, capsys):
    source = course / "lessons" / "01_squares.py"
    source.write_text(OPEN + "    ### END SOLUTION\n")
    assert run(course, "01_squares") == 1
    said = capsys.readouterr().err
    assert f"{source}:3: '### BEGIN SOLUTION' belongs in *_exercises.py" in said
    assert run(course, "--check", "01_squares") == 1
