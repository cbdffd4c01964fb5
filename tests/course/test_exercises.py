"""A blank says "not started" and fails in no other way; a solution passes.

What a check makes of right and wrong answers stands in test_checks.py.
"""

import machinery as m
import nbformat
import pytest
from build_notebooks import run_cells
from course_source import blank, read_source, solved, tags
from nbformat import NotebookNode

EXERCISES = m.notebooks_of("exercises")
SOLUTIONS = m.notebooks_of("solutions")


def run_all(notebook: NotebookNode, folder) -> list[NotebookNode]:
    """Run a notebook from top to bottom, past its errors; return its code cells."""
    run_cells(notebook, folder, timeout_s=120, past_errors=True)
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def count_checks(cell: NotebookNode) -> int:
    return sum(1 for _ in m.check_calls(m.parse(cell.source)))


def blank_faults(cells: list[NotebookNode]) -> list[str]:
    """Say what an executed blank does beside waiting for its learner."""
    said, waiting = [], 0
    for cell in cells:
        for output in cell.outputs:
            if output.output_type != "error":
                continue
            waiting += 1
            if output.ename != "NotImplementedError":
                said.append(f"{cell.id}: {output.ename}: {output.evalue}")
            elif "raises-exception" not in tags(cell):
                said.append(f"{cell.id} stops 'Run all': tag it needs-solution")
        shown = m.text_of(cell, ("text/plain",))
        checks, not_started = count_checks(cell), shown.count("not started")
        waiting += not_started
        if not_started < checks:
            said.append(f"{cell.id}: {checks} checks, {not_started} say 'not started'")
    return said or ([] if waiting else ["nothing is left to write"])


def solution_faults(cells: list[NotebookNode]) -> list[str]:
    """Say which check cells of an executed solution did not pass."""
    checked = [c for c in cells if c.cell_type == "code" and count_checks(c)]
    bad = ("not started", "✗")
    said = [c.id for c in checked if any(word in m.text_of(c) for word in bad)]
    said += [c.id for c in checked if not m.text_of(c).strip()]
    return said if checked else ["no cell runs a check"]


@m.each(EXERCISES)
def test_a_blank_only_waits(path):
    notebook = nbformat.read(path, as_version=4)
    assert blank_faults(run_all(notebook, path.parent)) == []


@m.each(SOLUTIONS)
def test_a_solution_passes_its_checks(path):
    assert solution_faults(m.built(path)) == []


@m.each(EXERCISES)
def test_a_check_cell_is_tagged(path):
    unmarked = [
        cell.id
        for cell in m.built(path)
        if cell.cell_type == "code" and count_checks(cell) and "check" not in tags(cell)
    ]
    assert unmarked == []


SAMPLE = """# %%
def check_double(fn):
    try:
        right = fn(2) == 4
    except NotImplementedError:
        print("not started")
    else:
        print("✓" if right else "✗")

# %%
def double(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

# %% tags=["check"]
check_double(double)

# %% {tags}
{line}
"""


@pytest.fixture
def sample(tmp_path):
    def write(line: str, tags: str = ""):
        path = tmp_path / "01_double_exercises.py"
        path.write_text(SAMPLE.format(line=line, tags=tags), encoding="utf-8")
        return read_source(path)

    return write


def test_faults_of_a_blank_are_seen(sample, tmp_path):
    def faults(*parts):
        return blank_faults(run_all(blank(sample(*parts)), tmp_path))

    assert faults("double(3)", 'tags=["needs-solution"]') == []
    assert faults("double(3)") == [
        "01_double-003 stops 'Run all': tag it needs-solution"
    ]
    assert faults("1 / 0") == ["01_double-003: ZeroDivisionError: division by zero"]
    assert faults("check_double(abs)") == [
        "01_double-003: 1 checks, 0 say 'not started'"
    ]


def test_a_blank_with_nothing_left_to_write_is_seen(sample, tmp_path):
    notebook = solved(sample("double(3)"))
    notebook.cells = notebook.cells[:2]
    assert blank_faults(run_all(notebook, tmp_path)) == ["nothing is left to write"]


def test_faults_of_a_solution_are_seen(sample, tmp_path):
    def faults(line):
        return solution_faults(run_all(solved(sample(line)), tmp_path))

    assert faults("double(3)") == []
    assert faults("check_double(abs)") == ["01_double-003"]
    assert solution_faults([]) == ["no cell runs a check"]
