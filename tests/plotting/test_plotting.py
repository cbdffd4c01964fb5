import pytest
import torch

from longctx_edu import plotting
from longctx_edu.metrics.distance import BucketScore
from longctx_edu.metrics.scores import Score
from longctx_edu.plotting import (
    panels,
    plot_confusion,
    plot_f1_by_distance,
    plot_lines,
    plot_mask,
    plot_training,
    plot_weights,
    save_figure,
)

MASK = torch.tensor([[True, False, False], [True, True, False]])
WEIGHTS = torch.tensor([[0.25, 0.75], [1.0, 0.0]])
ROWS = [
    {"kind": "step", "step": 1, "loss": 2.0},
    {"kind": "step", "step": 2, "loss": 1.0},
    {"kind": "epoch", "epoch": 1, "step": 2, "training_loss": 1.5, "f1": 0.5},
]


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_a_mask_has_queries_down_and_keys_across():
    ax = plot_mask(MASK, title="causal")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("key (token)", "query (token)")
    assert ax.images[0].get_array().tolist() == [[1, 0, 0], [1, 1, 0]]
    assert ax.figure.alt == "causal: mask, 3 of 6 squares dark."


def test_words_stand_at_rows_and_columns():
    ax = plot_mask(MASK, tokens=["the", "old", "harbour"])
    assert [t.get_text() for t in ax.get_xticklabels()] == ["the", "old", "harbour"]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["old", "harbour"]


def test_a_large_square_has_neither_lines_nor_numbers():
    ax = plot_weights(torch.full((30, 30), 1 / 30))
    assert texts(ax) == []
    assert len(ax.get_xticks(minor=True)) == 0


def test_weights_need_no_detach():
    ax = plot_weights(WEIGHTS.clone().requires_grad_())
    assert texts(ax) == ["0.25", "0.75", "1.00", "0.00"]


def test_a_row_without_gold_tokens_stays_light():
    ax = plot_confusion(["O", "B-PER"], torch.tensor([[5, 0], [0, 0]]))
    assert ax.images[0].get_array().tolist() == [[1, 0], [0, 0]]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted label", "gold label")


def test_buckets_come_in_both_forms_and_empty_ones_are_left_out():
    here, empty = Score.from_counts(1, 2, 2), Score.from_counts(0, 0, 0)
    objects = [BucketScore(0, 0, here), BucketScore(1, None, empty)]
    ax = plot_f1_by_distance(
        {"chunks": objects, "full": [(0, 0, 0.5), (1, None, 1.0)]}, chance=1 / 3
    )
    chunks, full, chance = ax.lines
    assert (list(chunks.get_ydata()), list(full.get_ydata())) == ([0.5], [0.5, 1.0])
    assert chance.get_linestyle() == "--"
    assert ax.get_xlabel() == "distance to the nearest evidence (tokens)"
    assert [t.get_text() for t in ax.get_xticklabels()] == ["0", "1+"]


def test_a_bucket_that_nobody_fills_everywhere_still_has_its_place():
    empty = BucketScore(0, 0, Score.from_counts(0, 0, 0))
    ax = plot_f1_by_distance({"chunks": [empty]})
    assert [t.get_text() for t in ax.get_xticklabels()] == ["0"]


def test_a_training_shows_loss_and_score():
    loss, score = plot_training(ROWS, title="chunks")
    assert list(loss.lines[0].get_ydata()) == [2.0, 1.0]
    assert list(score.lines[0].get_ydata()) == [0.5]
    assert (loss.get_ylabel(), score.get_ylabel()) == (
        "training loss (nats)",
        "held-out f1",
    )
    assert loss.figure.alt == "chunks: loss over 2 steps. f1 over 1 epochs."


def test_lines_share_an_axes_and_a_legend():
    (ax,) = panels()
    drawn = plot_lines(
        {"full": ([1, 2, 4], [1, 4, 16]), "window": ([1, 2, 4], [3, 6, 12])},
        x="length (tokens)",
        y="scores",
        ax=ax,
        log=True,
    )
    assert drawn is ax
    assert ax.get_xscale() == ax.get_yscale() == "log"
    assert len(ax.get_legend().get_texts()) == 2


def test_figures_are_not_kept():
    from matplotlib import pyplot

    for _ in range(30):
        plot_mask(MASK)
    assert pyplot.get_fignums() == []


def test_a_saved_figure_is_the_same_file_twice(tmp_path):
    first = save_figure(plot_mask(MASK), tmp_path / "new" / "a.png")
    second = save_figure(plot_mask(MASK).figure, tmp_path / "b.png")
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes().startswith(b"\x89PNG")
    assert [p.name for p in first.parent.iterdir()] == ["a.png"]


def test_a_figure_shows_itself_with_its_words_and_axes_show_nothing(monkeypatch):
    published = []
    monkeypatch.setattr(
        "IPython.display.publish_display_data", lambda *parts: published.append(parts)
    )
    ax = plot_weights(WEIGHTS, title="two words")
    ax._ipython_display_()
    assert published == []
    ax.figure._ipython_display_()
    data, metadata = published[0]
    assert data["text/plain"] == "two words: weights of 2 queries on 2 keys."
    assert metadata["image/png"]["alt"] == data["text/plain"]
    assert data["image/png"].startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: plot_mask(MASK, tokens=["a"]), "got 1 tokens for 2 queries and 3"),
        (lambda: plot_confusion(["O"], torch.zeros(2, 2).int()), "got 1 labels and 2"),
        (lambda: plot_f1_by_distance({}), "need models with the same buckets, got 0"),
        (
            lambda: plot_f1_by_distance({"a": [(0, 0, 1.0)], "b": [(0, 9, 1.0)]}),
            "got 2 models with 2 kinds of buckets",
        ),
        (lambda: plot_training(ROWS[2:]), "need rows with a loss, got 1 rows"),
        (lambda: panels(0), "got n_rows=1 and n_columns=0"),
        (lambda: save_figure(plot_mask(MASK), "a.jpg"), "ends in .png, got path="),
    ],
)
def test_mistakes_are_named(call, words):
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        call()


def test_the_face_is_complete():
    assert all(hasattr(plotting, name) for name in plotting.__all__)
