import builtins
import sys
import time
from itertools import pairwise

import IPython.display
import pytest

from longctx_edu.errors import UserError
from longctx_edu.playground import (
    draw_pattern,
    pattern_facts,
    pattern_in_words,
    playground,
)
from longctx_edu.playground.sliders import RANGES, SENTENCE, SIGNS, shown
from longctx_edu.plotting import COLOURS

START = {"left": 2, "right": 2, "dilation": 1, "n_global": 0, "causal": False}
SIZES = {"n_tokens": 32, "n_layers": 3}
PNG = b"\x89PNG"


class Handle:
    """What `display` gives back; it keeps what it is told."""

    def __init__(self):
        self.updates = []

    def update(self, data, raw, metadata):
        assert raw
        self.updates.append((data, metadata))


@pytest.fixture
def notebook(monkeypatch):
    """What a playground displays, and the handle of its picture."""
    displayed, handle = [], Handle()

    def display(thing, *, raw=False, metadata=None, display_id=None):
        displayed.append((thing, metadata))
        return handle if display_id else None

    monkeypatch.setattr(IPython.display, "display", display)
    return displayed, handle


def controls_in(box):
    return {c.description: c for part in box.children for c in part.children}


# the picture


def test_the_picture_shows_the_facts():
    facts = pattern_facts(**START, **SIZES)
    mask, heard, cost = draw_pattern(facts, **START).axes
    assert mask.images[0].get_array().tolist() == facts.mask.int().tolist()
    assert mask.get_title() == "154 of 1,024 pairs: 15.0%"
    assert heard.images[0].get_array().tolist() == [
        row.int().tolist() for row in facts.heard
    ]
    assert heard.get_title() == "token 16 hears 6 back, 6 ahead"
    full, ours = cost.lines
    assert list(full.get_xdata()) == list(ours.get_xdata()) == [8, 16, 32, 64, 128]
    assert full.get_ydata()[2] == facts.full_multiply_adds
    assert ours.get_ydata()[2] == facts.multiply_adds
    quarter = pattern_facts(**START, n_tokens=8, n_layers=3)
    assert ours.get_ydata()[0] == quarter.multiply_adds


def test_the_bytes_stand_below():
    facts = pattern_facts(**START, **SIZES)
    (below,) = draw_pattern(facts, **START).texts
    assert below.get_text() == pattern_in_words(facts).split("\n")[-1]


def test_every_axis_has_its_name_and_unit():
    axes = draw_pattern(pattern_facts(**START, **SIZES), **START).axes
    assert [(ax.get_xlabel(), ax.get_ylabel()) for ax in axes] == [
        ("key (token)", "query (token)"),
        ("place (token)", "depth (layers)"),
        ("length (tokens)", "million multiply-adds in 3 layers"),
    ]


def test_lines_differ_by_colour_and_by_marker():
    lines = draw_pattern(pattern_facts(**START, **SIZES), **START).axes[2].lines
    assert [line.get_color() for line in lines] == list(COLOURS[:2])
    assert len({line.get_marker() for line in lines}) == 2


@pytest.mark.parametrize("n_tokens", [1, 8, 256])
def test_nothing_runs_out_of_the_picture(n_tokens):
    pattern = {"left": 64, "right": 64, "dilation": 8, "n_global": 1, "causal": True}
    facts = pattern_facts(**pattern, n_tokens=n_tokens, n_layers=12)
    figure = draw_pattern(facts, **pattern)
    figure.canvas.draw()
    within = figure.bbox
    boxes = [ax.get_tightbbox() for ax in figure.axes]
    below = figure.texts[0].get_window_extent()
    assert within.x0 <= below.x0 and below.x1 <= within.x1
    assert within.y0 <= below.y0 and below.y1 <= min(box.y0 for box in boxes)
    assert all(within.x0 <= b.x0 and b.x1 <= within.x1 for b in boxes)
    assert all(within.y0 <= b.y0 and b.y1 <= within.y1 for b in boxes)
    assert all(a.x1 <= b.x0 for a, b in pairwise(boxes))


def test_the_words_carry_the_numbers():
    facts = pattern_facts(2, 1, 1, 0, False, n_tokens=12, n_layers=1)
    assert pattern_in_words(facts).split("\n") == [
        "44 of 144 pairs, 30.6 % of the full square",
        "after 1 layer token 6 hears of 4 of 12 tokens, 2 back and 1 ahead",
        "45,056 multiply-adds in 1 layer, 147,456 for the full square",
        "1,408 bytes of scores, 4,608 for the full square; 98,304 bytes of q, k, v, "
        "output",
    ]


def test_an_update_is_quick():
    pattern = {**START, "n_tokens": 256, "n_layers": 12}
    shown(pattern)
    times = []
    for _ in range(3):
        begun = time.process_time()
        shown(pattern)
        times.append(time.process_time() - begun)
    assert min(times) < 1.0  # 0.1 s on a quiet core; busy ones are several times slower


# the sliders


def test_a_page_without_a_kernel_keeps_a_sentence_and_the_first_picture(notebook):
    displayed, _ = notebook
    assert playground() is None
    (sentence, _), _, (picture, metadata) = displayed
    assert sentence == {"text/plain": SENTENCE}
    assert "need a running notebook" in SENTENCE
    assert picture["image/png"].startswith(PNG)
    assert picture["text/plain"].startswith("154 of 1,024 pairs")
    alt = metadata["image/png"]["alt"]
    assert alt.startswith("154 of 1,024 pairs")
    assert "\n" not in alt


def test_each_control_changes_the_picture(notebook):
    displayed, handle = notebook
    playground(**{**START, "n_global": 1, "left": 3})
    controls = controls_in(displayed[1][0])
    assert set(controls) == set(SIGNS.values())
    seen = {displayed[2][0]["image/png"]}
    for n, control in enumerate(controls.values(), 1):
        value = control.value
        control.value = not value if isinstance(value, bool) else value + 1
        assert len(handle.updates) == n
        seen.add(handle.updates[-1][0]["image/png"])
    assert len(seen) == 1 + len(controls)


def test_a_move_shows_the_facts_of_where_it_ends(notebook):
    displayed, handle = notebook
    playground()
    controls = controls_in(displayed[1][0])
    controls[SIGNS["left"]].value = 5
    controls[SIGNS["causal"]].value = True
    data, metadata = handle.updates[-1]
    want = pattern_facts(**{**START, "left": 5, "causal": True}, **SIZES)
    assert data["text/plain"] == pattern_in_words(want)
    assert f"{want.pairs:,} of" in metadata["image/png"]["alt"]


def test_sliders_end_where_their_ranges_end(notebook):
    displayed, _ = notebook
    playground()
    controls = controls_in(displayed[1][0])
    for name, (low, high) in RANGES.items():
        assert (controls[SIGNS[name]].min, controls[SIGNS[name]].max) == (low, high)
    most = {name: high for name, (_, high) in RANGES.items()}
    least = {name: low for name, (low, _) in RANGES.items()}
    for pattern in (most, least):
        assert shown({**pattern, "causal": False})[0]["image/png"].startswith(PNG)


# messages


@pytest.mark.parametrize(
    ("name", "value"), [("left", 65), ("n_tokens", 7), ("n_layers", 0)]
)
def test_what_no_slider_can_show(name, value):
    low, high = RANGES[name]
    with pytest.raises(UserError) as refused:
        playground(**{name: value})
    assert str(refused.value) == (
        f"need {name} that is a whole number from {low} to {high}, got {value}: "
        "pattern_facts takes any"
    )


def test_without_ipywidgets_one_line_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def missing(name, *args, **kwargs):
        if name == "ipywidgets":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.delitem(sys.modules, "ipywidgets", raising=False)
    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(UserError) as refused:
        playground()
    assert str(refused.value) == (
        "need ipywidgets for the sliders, got none: pip install 'longctx-edu[lab]', "
        "or use draw_pattern without them"
    )
