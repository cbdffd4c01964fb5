"""A pattern as a picture and as words: who sees and hears whom, and at what cost."""

from longctx_edu.attention import full_pairs
from longctx_edu.playground.facts import PatternFacts, multiply_adds, pattern_pairs
from longctx_edu.plotting import panels, plot_heard, plot_lines, plot_mask

FACTORS = (0.25, 0.5, 1, 2, 4)
"""Texts whose costs are compared, in lengths of the one that is drawn."""


def draw_pattern(facts: PatternFacts, **pattern: int | bool | None):
    """Draw the mask, whom the token in the middle hears of, and what it costs.

    Args:
        facts: Of the pattern.
        pattern: `left`, `right`, `dilation`, `n_global` and `causal`, as they were
            given to `pattern_facts`: other lengths are asked for too.

    Returns:
        The figure.

    Example:
        >>> from longctx_edu.playground.facts import pattern_facts
        >>> pattern = {"left": 1, "right": 1, "dilation": 1}
        >>> pattern |= {"n_global": 0, "causal": False}
        >>> facts = pattern_facts(**pattern, n_tokens=8, n_layers=2)
        >>> [ax.get_xlabel() for ax in draw_pattern(facts, **pattern).axes]
        ['key (token)', 'place (token)', 'length (tokens)']
    """
    axes = panels(3, width=3.5, height=3.6)
    figure = axes[0].figure
    # Fixed margins: finding them anew at each move costs as much as all the drawing.
    figure.set_layout_engine(None)
    figure.subplots_adjust(left=0.055, right=0.985, bottom=0.2, top=0.9, wspace=0.34)
    plot_mask(
        facts.mask,
        ax=axes[0],
        title=f"{facts.pairs:,} of {full_pairs(facts.n_tokens):,} pairs: "
        f"{facts.share:.1%}",
    )
    plot_heard(
        facts.heard,
        ax=axes[1],
        title=f"token {facts.middle} hears {facts.back[-1]} back, "
        f"{facts.ahead[-1]} ahead",
    )
    lines = cost_by_length(facts, **pattern)
    plot_lines(
        lines,
        x="length (tokens)",
        y=f"million multiply-adds in {layers(facts)}",
        ax=axes[2],
        title=f"{facts.multiply_adds:,} multiply-adds",
        log=True,
    )
    # Plain numbers: powers would be set as formulas, at each move.
    axes[2].set_xticks(lines["full square"][0])
    axes[2].xaxis.set_major_formatter(lambda value, _: f"{value:.0f}")
    axes[2].set_yscale("log")
    axes[2].yaxis.set_major_formatter(lambda value, _: f"{value / 1e6:,g}")
    axes[2].minorticks_off()
    figure.text(0.5, 0.03, bytes_in_words(facts), ha="center", fontsize=9)
    return figure


def cost_by_length(
    facts: PatternFacts, **pattern: int | bool | None
) -> dict[str, tuple[list[int], list[int]]]:
    """Price texts from a quarter of the length to four times of it.

    Args:
        facts: Of the pattern, at its own length.
        pattern: `left`, `right`, `dilation`, `n_global` and `causal`.

    Returns:
        Name of the line to lengths and multiply-adds, all layers together.
    """
    lengths = sorted({max(1, int(facts.n_tokens * factor)) for factor in FACTORS})
    ways = {
        "full square": [full_pairs(n) for n in lengths],
        "this pattern": [pattern_pairs(**pattern, n_tokens=n) for n in lengths],
    }
    return {
        name: (lengths, [facts.n_layers * multiply_adds(pairs) for pairs in counted])
        for name, counted in ways.items()
    }


def pattern_in_words(facts: PatternFacts) -> str:
    """Say in four lines what the pattern sees, reaches and costs.

    Args:
        facts: Of the pattern.

    Example:
        >>> from longctx_edu.playground.facts import pattern_facts
        >>> facts = pattern_facts(1, 0, 1, 0, True, n_tokens=4, n_layers=2)
        >>> print(pattern_in_words(facts))
        7 of 16 pairs, 43.8 % of the full square
        after 2 layers token 2 hears of 3 of 4 tokens, 2 back and 0 ahead
        14,336 multiply-adds in 2 layers, 32,768 for the full square
        448 bytes of scores, 1,024 for the full square; 65,536 bytes of q, k, v, output
    """
    return "\n".join(
        [
            f"{facts.pairs:,} of {full_pairs(facts.n_tokens):,} pairs, "
            f"{100 * facts.share:.1f} % of the full square",
            f"after {layers(facts)} token {facts.middle} hears of "
            f"{facts.n_heard[-1]} of {facts.n_tokens} tokens, {facts.back[-1]} back "
            f"and {facts.ahead[-1]} ahead",
            f"{facts.multiply_adds:,} multiply-adds in {layers(facts)}, "
            f"{facts.full_multiply_adds:,} for the full square",
            bytes_in_words(facts),
        ]
    )


def bytes_in_words(facts: PatternFacts) -> str:
    """Say how many bytes the scores of all layers take, and what no pattern saves."""
    return (
        f"{facts.score_bytes:,} bytes of scores, {facts.full_score_bytes:,} for the "
        f"full square; {facts.input_output_bytes:,} bytes of q, k, v, output"
    )


def layers(facts: PatternFacts) -> str:
    """Write a number of layers."""
    return f"{facts.n_layers} layer{'s' * (facts.n_layers > 1)}"
