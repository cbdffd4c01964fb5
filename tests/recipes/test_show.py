import io
import os
from copy import deepcopy

import pytest
from rich.console import Console

from longctx_edu.errors import UserError
from longctx_edu.recipes.figures import points, write_figures
from longctx_edu.recipes.show import show_report, sparkline


@pytest.fixture
def report(run):
    return deepcopy(run[0].report)


def shown(report, folder, **more):
    out = io.StringIO()
    show_report(report, Console(file=out, width=100), folder=folder, **more)
    return out.getvalue()


# the report


def test_the_five_steps_in_their_order(report, tmp_path):
    text = shown(report, tmp_path)
    steps = ["model and data", "task layer", "hyperparameters", "training"]
    places = [
        text.index(f"{n}  {s}") for n, s in enumerate([*steps, "test and use"], 1)
    ]
    assert places == sorted(places)


def test_the_numbers_are_those_of_the_report(report, tmp_path):
    report["test"]["per_type"]["LOC"] = {
        "precision": 0.125,
        "recall": 0.25,
        "f1": 1 / 6,
        "support": 1234.0,
    }
    report["before"]["test"]["f1"], report["test"]["f1"] = 0.0625, 0.875
    text = shown(report, tmp_path)
    assert "entity F1 0.062 -> 0.875" in text
    row = next(line for line in text.splitlines() if line.startswith("  LOC"))
    assert row.split() == ["LOC", "0.125", "0.250", "0.167", "1,234"]
    weights = report["model"]["weights"]
    assert f"scratch, {weights:,} weights; each document whole, 32 tokens" in text
    best = report["history"]["best_epoch"]
    assert f"epoch {best}: loss" in text
    assert text.count("<- kept") == 1


@pytest.mark.parametrize(
    ("context", "wanted"),
    [
        ("packed", "each document whole, 32 tokens before, 32 after, and globals\n"),
        ("sentence", "each sentence alone, up to 128 tokens; window attention\n"),
        ("document", "with its neighbours, up to 128 tokens; window attention\n"),
    ],
)
def test_what_is_read_at_once_and_what_it_costs(report, tmp_path, context, wanted):
    report["model"]["context"] = context
    report["reading"] = {"pieces": 1234, "tokens": 99, "per_word": 5.25}
    text = shown(report, tmp_path)
    assert wanted in text
    assert "1,234 pieces to train on, 5.2 tokens read for each word\n" in text


PLAIN = "a word answers for it; cross-entropy over words"


@pytest.mark.parametrize(
    ("model", "wanted", "other"),
    [
        ({}, f"one linear layer, 9 tags: O, {{}}{PLAIN}\n", "tags are read off"),
        (
            {"decoding": "constrained"},
            f"one linear layer, 9 tags: O, {{}}{PLAIN}\n  tags are read off as the "
            "best row that IOB2 allows\n",
            "log-probability",
        ),
        (
            {"outside_weight": 0.25},
            f"{PLAIN}, one outside entities counts 0.25 times\n",
            "tags are read off",
        ),
        (
            {"decoding": "crf"},
            "one linear layer and what each step between tags is worth, 9 tags: O, {}"
            "a word answers for it; minus log-probability of whole rows of tags, per "
            "word\n  tags are read off as the best row, steps between tags counted\n",
            "cross-entropy",
        ),
    ],
)
def test_what_the_task_layer_is_and_what_training_lowers(
    report, tmp_path, model, wanted, other
):
    types = "and B- and I- of LOC, ORG, PER, WORK\n  the first token of "
    report["model"] |= model
    text = shown(report, tmp_path)
    assert wanted.format(types) in text
    assert other not in text
    del report["model"]["decoding"]  # as before there was a choice
    assert "cross-entropy over words" in shown(report, tmp_path)


def test_rates_of_their_own_are_shown_where_they_were_asked_for(report, tmp_path):
    assert "head learning rate" not in shown(report, tmp_path)
    report["training"] |= {"head_learning_rate": 0.25, "layer_decay": 0.5}
    text = shown(report, tmp_path)
    assert "  head learning rate 0.25, layer decay 0.5, weight decay 0.01, " in text


def test_means_stand_behind_the_types(report, tmp_path):
    lines = shown(report, tmp_path).splitlines()
    names = [line.split()[0] for line in lines if line.strip()]
    assert names.index("WORK") < names.index("micro") < names.index("macro")


def test_the_largest_confusions_come_first(report, tmp_path):
    counts = [[90, 2, 7], [0, 9, 1], [3, 0, 5]]
    report["test"]["confusion"] = {"labels": ["O", "B-A", "I-A"], "counts": counts}
    wanted = "taken for another: O as I-A 7, I-A as O 3, O as B-A 2, B-A as I-A 1\n"
    assert wanted in shown(report, tmp_path)


def test_nothing_is_cut_off_and_nothing_is_read_as_markup(report, tmp_path):
    report["data"]["name"] = "my [red]data[/red] " + "x" * 200
    assert report["data"]["name"] in shown(report, tmp_path)


def test_distances_are_shown_where_they_are_known(report, tmp_path):
    assert "evidence, tokens away" in shown(report, tmp_path)
    for part in (report["test"], report["before"]["test"]):
        del part["by_distance"]
    assert "evidence, tokens away" not in shown(report, tmp_path)


def test_lengths_and_novelty_are_shown(report, tmp_path):
    score = {"precision": 0.5, "recall": 0.25, "f1": 1 / 3, "support": 1234}
    empty = {"low": 16, "high": 63, "documents": 0, **score}
    no_entity = score | {"f1": 0.0, "support": 0}
    report["test"]["by_length"] = [
        {"low": 0, "high": 15, "documents": 2000, **score},
        empty,
        {"low": 64, "high": None, "documents": 1, **no_entity},
    ]
    report["test"]["by_novelty"] = {"seen": score, "seen as another type": no_entity}
    lines = [line.split() for line in shown(report, tmp_path).splitlines()]
    first = lines.index(["document,", "words", "documents", "F1", "entities"])
    assert lines[first + 1 : first + 4] == [
        ["0", "to", "15", "2,000", "0.333", "1,234"],
        ["64", "and", "more", "1", "0"],
        [],
    ]
    assert ["seen", "0.500", "0.250", "0.333", "1,234"] in lines
    del report["test"]["by_length"], report["test"]["by_novelty"]
    text = shown(report, tmp_path)
    assert "document, words" not in text
    assert "in training" not in text


def test_repaired_tags_and_an_early_end_are_told(report, tmp_path):
    assert "read as B-" not in shown(report, tmp_path)
    report["data"]["repaired_tags"] = 3
    report["history"]["stopped_early"] = True
    text = shown(report, tmp_path)
    assert "3 tags I- read as B-" in text
    assert "stopped early" in text


def test_a_line_of_bars():
    assert sparkline([3.0]) == "▁"
    assert sparkline([]) == ""
    assert len(sparkline([float(n) for n in range(500)])) == 48
    assert sparkline([1.0] * 47 + [9.0] * 200)[-1] == "█"


# the figures


def test_figures_are_written(report, tmp_path):
    written = write_figures(report, tmp_path)
    names = [path.name for path in written]
    assert names == ["training.png", "confusion.png", "f1_by_distance.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in written)
    assert all(name in shown(report, tmp_path, figures=written) for name in names)


def test_no_figure_of_distances_that_are_not_known(report, tmp_path):
    del report["test"]["by_distance"]
    assert [path.name for path in write_figures(report, tmp_path)] == [
        "training.png",
        "confusion.png",
    ]


def test_a_bucket_without_entities_is_no_point():
    bucket = {"low": 1, "high": 2, "f1": 0.0, "support": 0.0}
    assert points([bucket]) == [(1, 2, None)]


def test_a_full_disk(report, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    wanted = "cannot write .*training.png: No space left on device; free some space"
    with pytest.raises(UserError, match=wanted):
        write_figures(report, tmp_path)
    assert list(tmp_path.iterdir()) == []
