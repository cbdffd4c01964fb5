import pytest
import torch

from longctx_edu.plotting import plot_descent

WAYS = {
    "plain": [(-1.0, 0.5), (0.0, 0.2), (0.5, 0.1)],
    "quick": [(-1.0, 0.5), (0.5, 0.0)],
}


def bowl(a, b):
    return a**2 + 3 * b**2


def test_each_path_is_a_line_through_its_places():
    ax = plot_descent(bowl, WAYS, across=(-2, 2), up=(-1, 1), title="two ways")
    lines = {line.get_label(): line for line in ax.get_lines()}
    assert lines["plain"].get_xydata().tolist() == [list(x) for x in WAYS["plain"]]
    assert lines["quick"].get_xydata().tolist() == [list(x) for x in WAYS["quick"]]
    assert ax.get_xlim() == (-2, 2) and ax.get_ylim() == (-1, 1)
    assert ax.get_title() == "two ways"
    assert ax.figure.alt.startswith(
        "two ways: paths over the loss of two weights: plain"
    )


def test_the_first_weight_goes_across():
    seen = {}

    def height(a, b):
        seen.update(a=a, b=b)
        return a**2 + b**2

    plot_descent(height, WAYS, across=(-2, 2), up=(-1, 1))
    assert torch.equal(seen["a"][0], torch.linspace(-2, 2, 121))
    assert torch.equal(seen["b"][:, 0], torch.linspace(-1, 1, 121))


def test_an_axis_that_does_not_rise_is_named():
    with pytest.raises(ValueError, match=r"need up to rise, got up=\(1, 1\)"):
        plot_descent(bowl, WAYS, across=(-2, 2), up=(1, 1))
