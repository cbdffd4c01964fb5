import io
import random
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from torch import nn

from longctx_edu.data.text import tokenize
from longctx_edu.recipes.config import NerConfig
from longctx_edu.recipes.entities import as_document, coloured, find_entities
from longctx_edu.recipes.tagger import Tagger
from longctx_edu.tasks import WordReader

TAGS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")


class RandomTagger(Tagger):
    """Tag words by chance; all the rest is a tagger's own."""

    def predict(self, documents, *, pieces=None, on_piece=None):
        """Draw tags, and say that all pieces are read."""
        if on_piece:
            on_piece(sum(len(piece) for piece in pieces))
        draw = random.Random(len(documents[0]))
        return [draw.choices(TAGS, k=len(each)) for each in documents]


TAGGER = RandomTagger(nn.Identity(), WordReader(64), ("PER", "LOC"), NerConfig())

# properties


@given(st.text(max_size=80))
@example("Zoë's père\r\nmet 李雷\u2028in\tO’Brien’s 🏳️‍🌈 bar.\n\n\x00Ada")
def test_characters_are_exact(text):
    found = find_entities(TAGGER, text)
    for entity in found:
        assert text[entity.start : entity.stop] == entity.text
        assert entity.line == 1 + text.count("\n", 0, entity.start)
        assert entity.type in ("PER", "LOC")
    starts = [entity.start for entity in found]
    assert starts == sorted(starts)


@given(st.text(max_size=80))
def test_parted_in_colours_a_text_stays_whole(text):
    found = find_entities(TAGGER, text)
    parts = list(coloured(text, found))
    assert "".join(part for part, _ in parts) == text
    named = [(part, kind) for part, kind in parts if kind]
    assert named == [(entity.text, entity.type) for entity in found]


# by hand


def test_an_entity_of_two_words_over_a_line_end(monkeypatch):
    tags = ["O", "B-PER", "I-PER", "O", "B-LOC", "O"]
    monkeypatch.setattr(RandomTagger, "predict", lambda *_, **__: [tags])
    text = "Then Ada\nLovelace saw Rome."
    first, second = find_entities(TAGGER, text)
    assert (first.text, first.type, first.start, first.stop, first.line) == (
        "Ada\nLovelace",
        "PER",
        5,
        17,
        1,
    )
    assert (second.text, second.line) == ("Rome", 2)


def test_sentences_end_at_a_stop():
    document = as_document(tokenize("Ada sings. Bo hums! And?"), "note")
    assert document.sentence_starts == (0, 3, 6)
    assert document.name == "note"


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_a_text_without_words(text):
    assert find_entities(TAGGER, text) == []


@pytest.mark.parametrize(
    ("seen", "asked"), [(True, True), (True, False), (False, True)]
)
def test_a_bar_is_shown_where_somebody_sees_it(seen, asked, monkeypatch):
    stream = io.StringIO()
    stream.isatty = lambda: bool(seen)
    monkeypatch.setattr(sys, "stderr", stream)
    find_entities(TAGGER, "Ada met Bo", progress=bool(asked))
    assert ("3/3" in stream.getvalue()) == bool(seen and asked)
