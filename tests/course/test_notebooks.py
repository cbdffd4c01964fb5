"""Built notebooks as a reader meets them: links, outputs, prose."""

import re
from pathlib import Path

import machinery as m
import nbformat
import pytest
from build_notebooks import main
from nbformat import NotebookNode

PAGES = [
    p for p in (m.ROOT / n for n in ("README.md", "CONTRIBUTING.md")) if p.exists()
]
EVERY = [*m.notebooks_of("exercises"), *m.BUILT]
LINK = re.compile(r"\]\(([^)\s]+)[^)]*\)|(?:src|href)=\"([^\"]+)\"")
# nbval passes over a shell line or an install that fails; input() waits for ever.
ESCAPES = re.compile(r"^\s*(?:!|%%|%(?:pip|conda|run|timeit)\b)|\binput\(", re.M)
HOME = re.compile(r"(?<![\w.])/(?:work|root|home|tmp|Users)/\w+|[A-Z]:\\Users")
MOST_BYTES = 2_000_000


def broken_links(text: str, folder: Path) -> list[str]:
    """Say which local files a text points at and does not find."""
    targets = [
        a or b for a, b in LINK.findall(re.sub(r"```.*?```", "", text, flags=re.S))
    ]
    local = [t.split("#")[0] for t in targets if not re.match(r"[a-z]+:|#", t)]
    return [t for t in local if not (folder / t).exists()]


def output_faults(cells: list[NotebookNode]) -> list[str]:
    """Say what a reader should not see below a cell."""
    said = []
    for cell in cells:
        if cell.cell_type != "code" or not cell.source:
            continue
        if cell.execution_count is None:
            said.append(f"{cell.id} was not executed")
        for output in cell.outputs:
            if output.output_type == "error":
                said.append(f"{cell.id} shows {output.ename}")
            if output.get("name") == "stderr":
                said.append(f"{cell.id} writes to stderr: {output.text[:60]!r}")
        path = HOME.search(m.text_of(cell))
        said += [f"{cell.id} shows the path {path[0]}"] if path else []
    return said


def prose(path: Path) -> str:
    """Join a source's text cells, code and quotations of code left out."""
    cells = m.read_source(path).cells
    text = "\n\n".join(c.source for c in cells if c.cell_type == "markdown")
    return re.sub(r"```.*?```|`[^`]*`|<!--.*?-->|\$[^$]*\$", "", text, flags=re.S)


@m.each(EVERY)
def test_links_and_images_exist(path):
    cells = [cell for cell in m.built(path) if cell.cell_type == "markdown"]
    assert broken_links("\n\n".join(c.source for c in cells), path.parent) == []


@m.each(PAGES)
def test_links_of_the_pages_exist(path):
    assert broken_links(path.read_text(encoding="utf-8"), path.parent) == []


@m.each(m.BUILT)
def test_outputs_are_clean(path):
    assert output_faults(m.built(path)) == []


@m.each(EVERY)
def test_nothing_escapes_nbval(path):
    code = [cell for cell in m.built(path) if cell.cell_type == "code"]
    assert [cell.id for cell in code if ESCAPES.search(cell.source)] == []


@m.each(EVERY)
def test_a_notebook_stays_small(path):
    assert path.stat().st_size < MOST_BYTES


@m.each(m.SOURCES)
def test_prose_keeps_to_the_style(path):
    assert re.findall(r"\w+!(?!\[)|\bsimply\b|\bobviously\b", prose(path), re.I) == []


def test_the_built_notebooks_agree_with_their_sources(capsys):
    assert main(["--check"]) == 0, capsys.readouterr().out


def test_a_broken_link_is_seen(tmp_path):
    (tmp_path / "there.md").touch()
    text = "[a](there.md#part) [b](gone.md) ![c](gone.png 'c') <img src=\"no.svg\"> "
    text += "[d](https://example.org/x) [e](#part)\n```\n[f](code.md)\n```"
    assert broken_links(text, tmp_path) == ["gone.md", "gone.png", "no.svg"]


@pytest.mark.parametrize(
    "source, caught",
    [
        ("!ls", True),
        ("%pip install x", True),
        ("%%bash\nls", True),
        ("x = input('?')", True),
        ("a = b % c\nc = a != b\n%matplotlib inline", False),
    ],
)
def test_what_escapes_nbval_is_seen(source, caught):
    assert bool(ESCAPES.search(source)) == caught


def test_unclean_outputs_are_seen():
    v4 = nbformat.v4

    def cell(*outputs, count=1):
        return v4.new_code_cell("x", id="c", outputs=[*outputs], execution_count=count)

    def printed(text, name="stdout"):
        return v4.new_output("stream", text=text, name=name)

    assert output_faults([cell(printed("runs/demo and 1/2"))]) == []
    assert output_faults([cell(count=None)]) == ["c was not executed"]
    assert output_faults([cell(printed("/home/ada/x.py"))]) == [
        "c shows the path /home/ada"
    ]
    assert output_faults([cell(printed("late", "stderr"))]) == [
        "c writes to stderr: 'late'"
    ]
    error = v4.new_output("error", ename="KeyError", evalue="", traceback=[])
    assert output_faults([cell(error)]) == ["c shows KeyError"]
