"""A built lesson on a page without a kernel: a sentence and the first picture."""

from build_notebooks import run_cells
from course_source import METADATA, WIDGET, scrub
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_notebook

from longctx_edu.playground.sliders import SENTENCE

SOURCE = "from longctx_edu.playground import playground\n\nplayground(n_global=1)"


def test_a_built_notebook_keeps_sentence_and_picture(tmp_path):
    cell = new_code_cell(SOURCE, id="sliders")
    notebook = new_notebook(cells=[cell], metadata=METADATA)
    run_cells(notebook, tmp_path, timeout_s=240)
    sentence, widgets, picture = notebook.cells[0].outputs
    assert WIDGET in widgets.data
    scrub(notebook)
    assert notebook.cells[0].outputs == [sentence, picture]
    assert sentence.data == {"text/plain": SENTENCE}
    assert set(picture.data) == {"image/png", "text/plain"}

    page, _ = HTMLExporter().from_notebook_node(notebook)
    assert SENTENCE in page
    assert f"data:image/png;base64,{picture.data['image/png'][:60]}" in page
    assert "of 1,024 pairs" in picture.metadata["image/png"]["alt"]
