import pytest

from longctx_edu.plotting import plot_cliffs, plot_lengths

LINES = {"rotary": ([32, 64, 128], [3.0, 3.5, 4.25]), "alibi": ([32, 64], [3.0, 3.0])}
HEARD = {"window": [0, 1, 2], "full": [0, 1, 2, 3, 4]}


def test_lengths_are_ticks_and_the_training_is_marked():
    ax = plot_lengths(LINES, trained=32)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["32", "64", "128"]
    *drawn, mark = ax.get_lines()
    assert [list(line.get_ydata()) for line in drawn] == [[3.0, 3.5, 4.25], [3.0, 3.0]]
    assert set(mark.get_xdata()) == {32}
    assert ax.get_xlabel() == "length (tokens)" and ax.get_ylabel() == "bits per token"


def test_the_text_says_where_the_lines_begin_and_end():
    said = plot_lengths(LINES, trained=32, title="before").figure.alt
    assert "before: bits per token by length" in said
    assert "rotary from 3.00 at 32 to 4.25 at 128, alibi from" in said


def test_lengths_need_a_line():
    with pytest.raises(ValueError, match="need at least one line, got none"):
        plot_lengths({}, trained=32)


def test_a_prediction_stands_alone_before_the_measurement():
    axes = plot_cliffs(HEARD, distances=range(1, 5), chance=0.25)
    assert [len(ax.patches) for ax in axes] == [2, 4]
    assert [len(ax.get_lines()) for ax in axes] == [1, 1]
    assert [ax.get_title(loc="left") for ax in axes] == ["window", "full"]
    assert axes[-1].get_xlabel() == "distance to the evidence (tokens)"


def test_measured_points_lie_over_the_prediction():
    measured = {"window": [1.0, 0.9, 0.25, 0.15], "full": [1.0, 1.0, 1.0, 0.8]}
    axes = plot_cliffs(HEARD, distances=range(1, 5), measured=measured)
    assert list(axes[0].get_lines()[0].get_ydata()) == measured["window"]
    said = axes[0].figure.alt
    assert "window: hears 2 of 4 distances, right in 95% there and in 20%" in said
    assert said.endswith("full: hears 4 of 4 distances, right in 95% there.")


@pytest.mark.parametrize(
    ("heard", "measured"), [({}, None), (HEARD, {"window": [1.0] * 4})]
)
def test_prediction_and_measurement_are_of_the_same_models(heard, measured):
    with pytest.raises(ValueError, match="need at least one model, and the same ones"):
        plot_cliffs(heard, distances=range(1, 5), measured=measured)
