"""The playground in a notebook: seven controls, and a picture that follows them.

The picture is an ordinary output that is drawn anew, so a page without a kernel still
shows the first one; only the controls are widgets.
"""

from longctx_edu.errors import UserError
from longctx_edu.playground.drawing import draw_pattern, pattern_in_words
from longctx_edu.playground.facts import PatternFacts, pattern_facts
from longctx_edu.plotting import as_png

RANGES = {
    "left": (0, 64),
    "right": (0, 64),
    "dilation": (1, 8),
    "n_global": (0, 8),
    "n_tokens": (8, 256),
    "n_layers": (1, 12),
}
"""Smallest and largest value of each slider; the shortest text holds all globals."""

SIGNS = {
    "left": "left (keys)",
    "right": "right (keys)",
    "dilation": "dilation (tokens)",
    "n_global": "global tokens",
    "n_tokens": "length (tokens)",
    "n_layers": "layers",
    "causal": "causal: nobody looks ahead",
}
SENTENCE = (
    "Move a slider and the picture follows. Sliders need a running notebook: "
    "a page without a kernel shows this first picture only."
)


def playground(
    *,
    left: int = 2,
    right: int = 2,
    dilation: int = 1,
    n_global: int = 0,
    causal: bool = False,
    n_tokens: int = 32,
    n_layers: int = 3,
) -> None:
    """Show a pattern with sliders: mask, pairs, reach by depth and cost follow them.

    Args:
        left: Keys visible before the query at the start, from 0 to 64.
        right: Keys visible after the query at the start, from 0 to 64.
        dilation: Distance between neighbouring visible keys, in tokens, from 1 to 8.
        n_global: So many first tokens are global at the start, from 0 to 8.
        causal: Whether nobody looks ahead at the start.
        n_tokens: Length of the text at the start, in tokens, from 8 to 256.
        n_layers: Layers at the start, from 1 to 12.

    Raises:
        UserError: If ipywidgets is missing, or a number is outside its slider.

    Source: Longformer (Beltagy et al. 2020), section 3.1, figure 2. Part of lesson 05.
    """
    pattern = {"left": left, "right": right, "dilation": dilation}
    pattern |= {"n_global": n_global, "n_tokens": n_tokens, "n_layers": n_layers}
    check_ranges(pattern)
    pattern["causal"] = causal
    controls = make_controls(pattern)
    from IPython.display import display

    display({"text/plain": SENTENCE}, raw=True)
    display(lay_out(controls))
    data, metadata = shown(pattern)
    handle = display(data, raw=True, metadata=metadata, display_id=True)

    def follow(_):
        now = {name: control.value for name, control in controls.items()}
        data, metadata = shown(now)
        handle.update(data, raw=True, metadata=metadata)

    for control in controls.values():
        control.observe(follow, names="value")


def check_ranges(pattern: dict[str, int]) -> None:
    """Refuse what no slider can show.

    Args:
        pattern: Name to the value at the start.

    Raises:
        UserError: With the name, its range and what came.
    """
    for name, (low, high) in RANGES.items():
        value = pattern[name]
        if type(value) is not int or not low <= value <= high:
            raise UserError(
                f"need {name} that is a whole number from {low} to {high}, "
                f"got {value}: pattern_facts takes any"
            )


def make_controls(pattern: dict[str, int | bool]) -> dict:
    """Make a slider for each number, and a box for `causal`.

    Args:
        pattern: Name to the value at the start.

    Raises:
        UserError: If ipywidgets is missing.
    """
    try:
        import ipywidgets
    except ImportError:
        raise UserError(
            "need ipywidgets for the sliders, got none: "
            "pip install 'longctx-edu[lab]', or use draw_pattern without them"
        ) from None
    wide = {"style": {"description_width": "8.5em"}, "layout": {"width": "26em"}}
    controls = {
        name: ipywidgets.IntSlider(
            pattern[name], min=low, max=high, description=SIGNS[name], **wide
        )
        for name, (low, high) in RANGES.items()
    }
    controls["causal"] = ipywidgets.Checkbox(
        pattern["causal"], description=SIGNS["causal"], indent=False
    )
    return controls


def lay_out(controls: dict):
    """Put the controls side by side: the pattern left, text and model right."""
    from ipywidgets import HBox, VBox

    here = VBox([controls[name] for name in ("left", "right", "dilation", "causal")])
    there = VBox([controls[name] for name in ("n_global", "n_tokens", "n_layers")])
    return HBox([here, there])


def shown(pattern: dict[str, int | bool]) -> tuple[dict, dict]:
    """Draw a pattern as a notebook's output: a picture, and its words for all others.

    Args:
        pattern: Every argument of `pattern_facts`.

    Returns:
        The output by kind, and its metadata.
    """
    facts: PatternFacts = pattern_facts(**pattern)
    sizes = ("n_tokens", "n_layers")
    rest = {name: value for name, value in pattern.items() if name not in sizes}
    words = pattern_in_words(facts)
    picture = as_png(draw_pattern(facts, **rest))
    data = {"image/png": picture, "text/plain": words}
    return data, {"image/png": {"alt": words.replace("\n", ". ") + "."}}
