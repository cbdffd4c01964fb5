import io
import random
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from torch import nn

from longctx_edu.data.text import tokenize
from longctx_edu.models import EncoderConfig
from longctx_edu.recipes import entities
from longctx_edu.recipes.config import NerConfig
from longctx_edu.recipes.entities import as_document, coloured, find_entities
from longctx_edu.recipes.tagger import Tagger, build
from longctx_edu.tasks import WordReader

SMALL = EncoderConfig(n_layers=1, n_heads=1, d_model=8, d_ff=8, n_buckets=64)
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


# every script, and texts longer than a piece


class EveryWord(RandomTagger):
    """Tag every word, two by two."""

    def predict(self, documents, *, pieces=None, on_piece=None):
        """Let an entity begin at every word with an even number."""
        return [[TAGS[1 + n % 2] for n in range(len(each))] for each in documents]


EVERY_WORD = EveryWord(nn.Identity(), WordReader(64), ("PER", "LOC"), NerConfig())
SCRIPTS = [
    "Zoe\u0308",
    "n\u0303",
    "👩\u200d👩\u200d👧",
    "🏳️",
    "שלום",
    "مرحبا",
    "हिन्दी",
    "李雷",
]
SIGNS = ["𝔘", "ﬁ", "O’Brien’s", "\u202e", "\ufeff", "\u200d", "\x00", "."]
BLANKS = [" ", "\r\n", "\r", "\u2028", "\u00a0"]
STRETCHES = st.sampled_from([*SCRIPTS, *SIGNS, *BLANKS])


@given(st.lists(STRETCHES, max_size=30).map("".join))
def test_characters_are_code_points_in_any_script(text):
    found = find_entities(EVERY_WORD, text)
    at = 0
    for entity in found:
        assert at <= entity.start < entity.stop
        assert text[entity.start : entity.stop] == entity.text
        assert not text[at : entity.start].strip()  # no word is left out
        at = entity.stop
    assert not text[at:].strip()


class Watched(Tagger):
    """Note how long the pieces are that a tagger reads."""

    def predict(self, documents, *, pieces=None, on_piece=None):
        """Predict, and note the lengths."""
        LENGTHS.append([len(piece) for piece in pieces])
        return super().predict(documents, pieces=pieces, on_piece=on_piece)


LENGTHS = []


@pytest.mark.parametrize("attention", ["window", "full"])
def test_a_long_text_is_read_in_pieces_of_bounded_length(attention, monkeypatch):
    config = NerConfig(attention=attention, left=2, right=2, n_global=0, encoder=SMALL)
    made = build(config, ("PER", "LOC"), seed=4)
    tagger = Watched(made.model.eval(), made.reader, made.types, config)
    draw = random.Random(0)
    text = " ".join(draw.choices(["Ada", "met", "Bo", ".", "in", "Rome"], k=300))
    LENGTHS.clear()
    whole = find_entities(tagger, text)
    monkeypatch.setattr(entities, "LONGEST", 80)
    monkeypatch.setattr(entities, "SHARED", 40)
    parted = find_entities(tagger, text)
    assert LENGTHS == [[300], [80] * 7]
    assert len(whole) > 5
    if attention == "window":  # what a word sees is nearer than what pieces share
        assert parted == whole


def test_what_a_model_says_of_its_pieces_holds(monkeypatch):
    monkeypatch.setattr(entities, "LONGEST", 20)
    monkeypatch.setattr(entities, "SHARED", 4)
    for more in ({"attention": "chunks", "size": 32}, {"max_tokens": 32}):
        config = NerConfig(encoder=SMALL, **more)
        made = build(config, ("PER",), seed=4)
        tagger = Watched(made.model, made.reader, made.types, config)
        LENGTHS.clear()
        find_entities(tagger, "a " * 64)
        assert LENGTHS == [[32, 32]]
