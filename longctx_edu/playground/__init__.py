"""An attention pattern under one's hands: sliders, and what they cost and reach."""

from longctx_edu.playground.drawing import draw_pattern, pattern_in_words
from longctx_edu.playground.facts import PatternFacts, pattern_facts, pattern_pairs
from longctx_edu.playground.sliders import playground

__all__ = [
    "PatternFacts",
    "draw_pattern",
    "pattern_facts",
    "pattern_in_words",
    "pattern_pairs",
    "playground",
]
