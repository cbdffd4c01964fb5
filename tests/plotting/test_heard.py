import pytest
import torch

from longctx_edu.plotting import as_png, panels, plot_heard

ROWS = [
    torch.tensor([False, True, False, False]),
    torch.tensor([True, True, False, True]),
    torch.tensor([True, True, True, True]),
]


def test_depth_goes_up_and_places_go_across():
    ax = plot_heard(ROWS, title="middle")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("place (token)", "depth (layers)")
    drawn = ax.images[0].get_array().tolist()
    assert drawn == [[0, 1, 0, 0], [1, 1, 0, 1], [1, 1, 1, 1]]
    low, high = ax.get_ylim()
    assert low < high  # the text is at the bottom
    said = "middle: tokens heard of after 0 to 2 layers: 1, 3, 4."
    assert ax.figure.alt == said


def test_heard_draws_where_it_is_told():
    _, right = panels(2)
    assert plot_heard(ROWS, ax=right) is right


@pytest.mark.parametrize(
    ("rows", "lengths"), [([], "[]"), ([ROWS[0], ROWS[0][:3]], "[3, 4]")]
)
def test_rows_that_are_no_text(rows, lengths):
    with pytest.raises(ValueError) as refused:
        plot_heard(rows)
    assert str(refused.value) == f"need rows of one length, got lengths {lengths}"


def test_a_png_is_the_same_for_a_figure_and_its_axes():
    ax = plot_heard(ROWS)
    assert as_png(ax) == as_png(ax.figure)
    assert as_png(ax).startswith(b"\x89PNG")
