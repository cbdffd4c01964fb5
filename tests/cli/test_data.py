import io
import json
import re
import sys

import pytest

from longctx_edu.cli import main
from longctx_edu.data.gazette import COLOURS, GazetteConfig, article, render
from longctx_edu.data.sets import CATALOGUE

# the list


def test_every_known_set_is_listed(call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    code, out, _ = call("data", "list")
    assert code == 0
    for known in CATALOGUE.values():
        for said in (known.name, known.licence, ", ".join(known.types)):
            assert said in out


def test_what_is_here_and_how_to_get_the_rest(call, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "litbank").mkdir()
    monkeypatch.setenv("LONGCTX_DATA", str(tmp_path))
    lines = [x for x in call("data", "list")[1].splitlines() if " found " in x]
    found = [re.sub(r"^ *found +", "", line).strip() for line in lines]
    assert found == [
        "always: it is made on the spot",
        "not here; --data PATH, or a folder in LONGCTX_DATA that holds wnut17, or with "
        "a network from the hub (leondz/wnut_17)",
        str(tmp_path / "litbank"),
        "not here; --data PATH, or a folder in LONGCTX_DATA that holds conll2003, or "
        "with a network from the hub (lhoestq/conll2003)",
    ]


# the Gazette


def test_articles_are_printed_as_they_are_written(call):
    sizes = ["--articles", 2, "--tokens", 200, "--seed", 1]
    code, out, err = call("data", "gazette", *sizes)
    config = GazetteConfig(n_tokens=200, seed=1)
    texts = [render(article(config, index)) for index in (0, 1)]
    assert (code, err) == (0, "")
    assert out == "\n\n* * *\n\n".join(texts) + "\n"


def test_a_terminal_shows_names_in_colour_and_what_colours_mean(monkeypatch):
    stream = io.StringIO()
    stream.isatty = lambda: True
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert main(["data", "gazette", "--tokens", "200"]) == 0
    legend, *text = stream.getvalue().splitlines()
    assert re.sub(r"\x1b\[[\d;]*m", "", legend) == " ".join(COLOURS)
    plain = re.sub(r"\x1b\[[\d;]*m", "", "\n".join(text))
    made = article(GazetteConfig(n_tokens=200), 0)
    assert plain.split() == render(made).split()
    coloured = re.findall(r"\x1b\[1;3[2-5]m([^\x1b]+)\x1b", "\n".join(text))
    names = {" ".join(made.tokens[m.start : m.stop]) for m in made.mentions}
    assert {" ".join(name.split()) for name in coloured} & names


def test_json_lines_hold_the_whole_article(call):
    dials = ["--split", "test", "--in-body", 0.5, "--ambiguous", 1.0]
    code, out, _ = call("data", "gazette", "--articles", 2, "--jsonl", *dials)
    rows = [json.loads(line) for line in out.splitlines()]
    config = GazetteConfig(split="test", in_body=0.5, ambiguous=1.0)
    assert code == 0
    for index, row in enumerate(rows):
        wanted = article(config, index)
        assert row["tokens"] == list(wanted.tokens)
        assert row["tags"] == list(wanted.tags)
        assert row["text"] == render(wanted)
        assert row["topic"] == wanted.topic
        distances = [mention["distance"] for mention in row["mentions"]]
        assert distances == [mention.distance for mention in wanted.mentions]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--articles", 0], "need --articles >= 1, got 0"),
        (
            ["--tokens", 3],
            "need n_tokens >= 128 to introduce the names, got n_tokens=3, n_names=8 "
            "and in_body=0.0",
        ),
        (["--in-body", 1.5], "need a share from 0 to 1, got in_body=1.5"),
        (
            ["--split", "tests"],
            "unknown split 'tests': did you mean test? Known are dev, test, train",
        ),
    ],
)
def test_dials_outside_their_range(refused, words, line):
    assert refused("data", "gazette", *words) == line
