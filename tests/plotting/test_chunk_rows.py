import pytest
import torch

from longctx_edu.chunking import Chunk, owner, split
from longctx_edu.plotting import panels, plot_chunks

CHUNKS = split(9, size=4, overlap=1)


def shades(ax):
    return torch.tensor(ax.images[0].get_array().filled().tolist())


def test_a_row_is_dark_where_its_chunk_reads():
    rows = shades(plot_chunks(CHUNKS))
    assert rows.shape == (3, 9)
    for row, chunk in zip(rows, CHUNKS, strict=True):
        assert row.nonzero().flatten().tolist() == list(range(chunk.start, chunk.stop))
    assert set(rows.flatten().tolist()) == {0.0, 1.0}


def test_each_token_is_dark_once_where_owners_are_known():
    rows = shades(plot_chunks(CHUNKS, owners=owner(CHUNKS)))
    assert (rows == 1).sum(dim=0).tolist() == [1] * 9
    assert (rows == 1).int().argmax(dim=0).tolist() == owner(CHUNKS).tolist()
    assert (rows > 0).tolist() == (shades(plot_chunks(CHUNKS)) > 0).tolist()


def test_axes_and_text_say_what_is_drawn():
    ax = panels()[0]
    assert plot_chunks(CHUNKS, ax=ax, title="cut") is ax
    assert ax.get_xlabel() == "place in the document (token)"
    assert ax.get_ylabel() == "chunk"
    assert ax.figure.alt == "cut: 3 chunks over 9 tokens, which are read 12 times."


@pytest.mark.parametrize(
    ("chunks", "owners", "words"),
    [
        ([], None, "each of their 0 tokens, got 0 chunks and owners for none"),
        (
            [Chunk(0, 3)],
            torch.zeros(2).long(),
            "3 tokens, got 1 chunks and owners for 2",
        ),
    ],
)
def test_what_cannot_be_drawn(chunks, owners, words):
    with pytest.raises(ValueError, match=words):
        plot_chunks(chunks, owners=owners)
