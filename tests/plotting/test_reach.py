import pytest

from longctx_edu.masks import dense_mask, window
from longctx_edu.plotting import panels, plot_reach
from longctx_edu.plotting.style import GRID

NEAR = dense_mask(window(left=1, right=0), 4)
MIRROR = dense_mask(window(left=0, right=1), 4)


def ways(ax, colour):
    """Collect the lines of one colour as (key, query, upper layer)."""
    found = set()
    for lines in ax.collections:
        if not hasattr(lines, "get_segments") or not len(lines.get_segments()):
            continue
        if tuple(lines.get_colors()[0]) == colour:
            for (key, _), (query, layer) in lines.get_segments():
                found.add((int(key), int(query), int(layer)))
    return found


def rgba(colour):
    from matplotlib.colors import to_rgba

    return to_rgba(colour)


def test_the_ways_to_one_token_stand_out():
    ax = plot_reach([NEAR, NEAR], query=3)
    strong = ways(ax, rgba("#D55E00"))
    upper, lower = {(3, 3, 2), (2, 3, 2)}, {(3, 3, 1), (2, 3, 1), (2, 2, 1), (1, 2, 1)}
    assert strong == upper | lower
    assert len(ways(ax, rgba(GRID))) == 2 * int(NEAR.sum()) - len(strong)


def test_the_lowest_layer_comes_first():
    ax = plot_reach([NEAR, MIRROR], query=1)
    upper, lower = {(1, 1, 2), (2, 1, 2)}, {(1, 1, 1), (0, 1, 1), (2, 2, 1), (1, 2, 1)}
    assert ways(ax, rgba("#D55E00")) == upper | lower


def test_what_it_shows_stands_in_words_and_on_the_axes():
    ax = plot_reach([NEAR] * 2, query=3, title="window")
    assert ax.figure.alt == "window: token 3 hears of 3 of 4 tokens through 2 layers."
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("place (token)", "layer")
    assert [t.get_text() for t in ax.get_yticklabels()] == ["text", "1", "2"]
    assert plot_reach([NEAR], query=0).figure.alt.endswith(
        "1 of 4 tokens through 1 layer."
    )


def test_a_place_may_hold_a_block():
    ax = plot_reach([NEAR], query=1, unit="block")
    assert ax.get_xlabel() == "place (block)"
    assert ax.figure.alt == "block 1 hears of 2 of 4 blocks through 1 layer."


def test_it_draws_where_it_is_told():
    _, right = panels(2)
    assert plot_reach([NEAR], query=0, ax=right) is right


@pytest.mark.parametrize(
    ("masks", "query", "shapes"),
    [
        ([], 0, "[]"),
        ([NEAR], 4, "[(4, 4)]"),
        ([NEAR, NEAR[:3, :3]], 0, "[(3, 3), (4, 4)]"),
    ],
)
def test_what_is_no_graph(masks, query, shapes):
    with pytest.raises(ValueError) as refused:
        plot_reach(masks, query=query)
    assert str(refused.value) == (
        "need at least one mask, all of one size, and a query within, got "
        f"query={query} and shapes {shapes}"
    )
