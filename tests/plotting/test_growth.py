import pytest

from longctx_edu.plotting import panels, plot_growth

LINES = {"full": ([64, 128, 256], [1, 4, 16]), "window": ([64, 256], [1.0, 4.0])}


def named(ax):
    return {line.get_label(): line for line in ax.lines}


def test_both_axes_are_in_powers_and_lengths_stand_below():
    ax = plot_growth(LINES, x="length (tokens)", y="time (s)", title="cost")
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    ax.figure.canvas.draw()
    assert [t.get_text() for t in ax.get_xticklabels()] == ["64", "128", "256"]
    assert named(ax)["full"].get_ydata().tolist() == [1, 4, 16]
    said = "cost: time (s) against length (tokens), in powers, for full, window."
    assert ax.figure.alt == said


def test_the_slopes_go_through_the_least_cost():
    ax = plot_growth(LINES, x="x", y="y")
    guides = [line for name, line in named(ax).items() if name.startswith("_")]
    ends = [line.get_xydata().tolist() for line in guides]
    assert ends == [[[64, 1], [256, 4]], [[64, 1], [256, 16]]]


def test_ours_are_thick_and_the_others_dashed():
    lines = named(plot_growth(LINES, x="x", y="y", strong=["window"]))
    assert lines["window"].get_linestyle() == "-"
    assert lines["full"].get_linestyle() == "--"
    assert lines["window"].get_linewidth() > lines["full"].get_linewidth()


def test_a_name_without_points_keeps_its_colour():
    left, right = panels(2)
    plot_growth(LINES, x="x", y="y", ax=left)
    plot_growth({"full": ([], []), "window": ([64], [1])}, x="x", y="y", ax=right)
    assert list(named(right)) == ["window"]
    assert named(left)["window"].get_color() == named(right)["window"].get_color()


def test_one_length_has_no_slope():
    ax = plot_growth({"full": ([64], [1.0])}, x="x", y="y")
    assert list(ax.texts) == []


@pytest.mark.parametrize(("lines", "came"), [({}, "none"), ({"a": ([1], [0])}, "0")])
def test_what_has_no_logarithm(lines, came):
    with pytest.raises(ValueError) as refused:
        plot_growth(lines, x="x", y="y")
    assert str(refused.value) == f"need lines with numbers above 0, got {came}"
