import re
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from longctx_edu.data.documents import Document
from longctx_edu.tasks import (
    IGNORE,
    Cut,
    Reading,
    WordReader,
    collate,
    pieces_of,
    tag_names,
)

TAGS = tag_names(["A"])
NOTHING = torch.empty(0, dtype=torch.long)


@dataclass(frozen=True)
class Syllables:
    """A reader that gives the word "3" three tokens: what sub-words do, in small."""

    before: torch.Tensor = NOTHING
    after: torch.Tensor = NOTHING
    pad: int = 0

    def read(self, words):
        owners = [n for n, word in enumerate(words) for _ in range(int(word))]
        return Reading(torch.tensor(owners) + 10, torch.tensor(owners))


FRAMED = Syllables(torch.tensor([1]), torch.tensor([2]))


def document(words, starts=(0,), lead=0):
    tags = tuple(TAGS[n % 3 if n % 3 < 2 else 0] for n in range(len(words)))
    return Document("text", tuple(words), tags, tuple(starts), lead)


words = st.lists(st.sampled_from("1234"), min_size=1, max_size=40)

# properties


@given(words, st.data(), st.sampled_from([Syllables(), FRAMED]))
def test_every_word_gets_exactly_one_answer(words, data, reader):
    size = data.draw(st.none() | st.integers(4, 30))
    overlap = data.draw(st.integers(0, (size or 9) - 3))
    cuts = data.draw(st.sets(st.integers(1, len(words))))
    starts = sorted({0, *cuts} - {len(words)})
    cut = Cut(size, overlap if size else 0)
    texts = [document(words, starts), document(words[:1])]
    pieces = pieces_of(texts, reader, TAGS, cut)
    for number, text in enumerate(texts):
        own = [piece for piece in pieces if piece.document == number]
        answers = torch.cat([piece.words for piece in own])
        assert sorted(answers[answers >= 0].tolist()) == list(range(len(text)))
    assert all(len(piece) <= (size or len(piece)) for piece in pieces)


@given(words, st.integers(5, 30))
def test_a_label_stands_at_the_first_token_of_its_word_alone(words, size):
    text = document(words)
    labels = [TAGS.index(tag) for tag in text.tags]
    pieces = pieces_of([text], FRAMED, TAGS, Cut(size))
    found = torch.cat([piece.labels for piece in pieces])
    assert found[found != IGNORE].tolist() == labels
    for piece in pieces:
        at = piece.words >= 0
        assert piece.labels[at].tolist() == [labels[n] for n in piece.words[at]]


@given(st.lists(st.sampled_from("12"), min_size=20, max_size=40))
def test_the_answer_comes_from_where_the_word_stands_farthest_from_an_edge(words):
    pieces = pieces_of([document(words)], Syllables(), TAGS, Cut(12, overlap=6))
    for piece in pieces[1:-1]:
        at = (piece.words >= 0).nonzero().flatten()
        assert at.min() >= 2  # its first tokens answer for nothing
        assert at.max() < len(piece) - 2


# by hand


def test_pieces_end_where_sentences_end():
    text = document("1" * 9, starts=(0, 3, 5))
    pieces = pieces_of([text], FRAMED, TAGS, Cut(8))
    assert [piece.inputs.tolist() for piece in pieces] == [
        [1, 10, 11, 12, 13, 14, 2],
        [1, 15, 16, 17, 18, 2],
    ]
    assert pieces[0].words.tolist() == [-1, 0, 1, 2, 3, 4, -1]
    assert pieces[0].labels.tolist() == [IGNORE, 0, 1, 0, 0, 1, IGNORE]


def test_the_lead_is_global_or_else_the_first_tokens():
    text = document("213", lead=2)
    (piece,) = pieces_of([text], Syllables(), TAGS, Cut(n_global=5))
    assert piece.global_tokens.tolist() == [True] * 3 + [False] * 3
    (piece,) = pieces_of([document("213")], Syllables(), TAGS, Cut(n_global=1))
    assert piece.global_tokens.tolist() == [True] + [False] * 5
    (piece,) = pieces_of([document("21")], FRAMED, TAGS, Cut(n_global=0))
    assert piece.global_tokens.tolist() == [True] + [False] * 4


def test_collate_fills_up_the_shorter():
    texts = [document("12"), document("1")]
    batch = collate(pieces_of(texts, Syllables(), TAGS, Cut()), pad=0)
    assert batch["inputs"].tolist() == [[10, 11, 11], [10, 0, 0]]
    assert batch["keep"].tolist() == [[True] * 3, [True, False, False]]
    assert batch["labels"].tolist() == [[0, 1, IGNORE], [0, IGNORE, IGNORE]]
    assert batch["global_tokens"].tolist() == [[True, False, False]] * 2


# edges and messages


def test_an_empty_document_gives_no_piece():
    assert pieces_of([document("")], WordReader(64), TAGS, Cut()) == []


def test_a_tag_that_is_not_known():
    text = Document("note", ("1",), ("B-B",), (0,))
    wanted = "need tags among O, B-A, I-A, got 'B-B' in note"
    with pytest.raises(ValueError, match=wanted):
        pieces_of([text], Syllables(), TAGS, Cut())


@pytest.mark.parametrize(
    ("cut", "wanted"),
    [
        ({"size": 4, "overlap": 4}, "need 0 <= overlap < size, got overlap=4 and size"),
        ({"size": 0}, "need 0 <= overlap < size, got overlap=0 and size=0"),
        ({"n_global": -1}, "need n_global >= 0, got -1"),
    ],
)
def test_a_cut_outside_its_range(cut, wanted):
    with pytest.raises(ValueError, match=re.escape(wanted)):
        Cut(**cut)
