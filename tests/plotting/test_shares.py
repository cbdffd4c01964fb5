import pytest
import torch

from longctx_edu.plotting import panels, plot_shares


def test_a_bar_a_word_with_the_first_on_top():
    ax = plot_shares(["sea", "sky", "sun"], torch.tensor([0.5, 0.3, 0.2]), title="next")
    assert [bar.get_width() for bar in ax.patches] == pytest.approx([0.5, 0.3, 0.2])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["sea", "sky", "sun"]
    low, high = ax.get_ylim()
    assert low > high  # the first word is on top
    assert ax.get_xlim() == (0, 1)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("probability", "next token")
    said = "next: probability of 3 tokens, first sea 0.50, sky 0.30, sun 0.20."
    assert ax.figure.alt == said


def test_it_draws_where_it_is_told_and_takes_gradients():
    ax = panels()[0]
    shares = torch.tensor([1.0], requires_grad=True)
    assert plot_shares(["$"], shares, ax=ax) is ax
    ax.figure.canvas.draw()


def test_words_and_shares_go_together():
    with pytest.raises(ValueError, match="got 1 words and 2 shares"):
        plot_shares(["sea"], torch.ones(2))
