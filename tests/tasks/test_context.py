"""Sentences with their neighbours: what is read, what is labelled, who answers."""

import re
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from longctx_edu.chunking import Chunk
from longctx_edu.data.documents import Document
from longctx_edu.models import EncoderConfig, attention_named, build_tagger
from longctx_edu.tasks import (
    IGNORE,
    Cut,
    Reading,
    WordReader,
    pieces_of,
    predict_tags,
    reading_cost,
    tag_names,
)
from longctx_edu.tasks.context import sentence_chunks, widened

TAGS = tag_names(["A"])
NOTHING = torch.empty(0, dtype=torch.long)


@dataclass(frozen=True)
class Letters:
    """A reader that gives a word one token a letter; a token says where it stands."""

    before: torch.Tensor = NOTHING
    after: torch.Tensor = NOTHING
    pad: int = -1

    def read(self, words):
        owners = [n for n, word in enumerate(words) for _ in word]
        owners = torch.tensor(owners, dtype=torch.long)
        return Reading(torch.arange(len(owners)), owners)


BARE, FRAMED = Letters(), Letters(torch.tensor([-2]), torch.tensor([-3]))


def document(lengths, starts=(0,), name="text"):
    tags = tuple(TAGS[n % 2] for n in range(len(lengths)))
    return Document(name, tuple("x" * n for n in lengths), tags, tuple(starts))


words = st.lists(st.tuples(st.integers(1, 4), st.booleans()), min_size=1, max_size=40)
"""The letters of each word, and whether it opens a sentence."""


def drawn(words):
    starts = [at for at, (_, opens) in enumerate(words) if opens]
    return document([letters for letters, _ in words], starts)


def read_of(piece, reader):
    """Return where a piece stands in the tokens of its document."""
    own = piece.inputs[len(reader.before) : len(piece) - len(reader.after)]
    assert own.tolist() == list(range(int(own[0]), int(own[-1]) + 1))
    return Chunk(int(own[0]), int(own[-1]) + 1)


contexts = pytest.mark.parametrize("context", ["sentence", "document"])
readers = pytest.mark.parametrize("reader", [BARE, FRAMED], ids=["bare", "framed"])

# equals the definition


def widened_by_steps(chunk, n_tokens, size):
    """Take one token before, one after, and so on, where there is one."""
    start, stop, before = chunk.start, chunk.stop, True
    while stop - start < min(size, n_tokens):
        if (before and start > 0) or stop == n_tokens:
            start -= 1
        else:
            stop += 1
        before = not before
    return Chunk(start, stop)


@given(st.integers(1, 30), st.data())
def test_neighbours_are_taken_one_by_one_from_both_sides(n_tokens, data):
    start = data.draw(st.integers(0, n_tokens - 1))
    chunk = Chunk(start, data.draw(st.integers(start + 1, n_tokens)))
    size = data.draw(st.integers(len(chunk), 40))
    wanted = widened_by_steps(chunk, n_tokens, size)
    assert widened(chunk, n_tokens=n_tokens, size=size) == wanted


# properties


@contexts
@readers
@given(drafts=st.lists(words, min_size=1, max_size=3), size=st.integers(4, 30))
def test_labels_part_the_documents(context, reader, drafts, size):
    texts = [drawn(draft) for draft in drafts]
    pieces = pieces_of(texts, reader, TAGS, Cut(size, context=context))
    for number, text in enumerate(texts):
        own = [piece for piece in pieces if piece.document == number]
        answers = torch.cat([piece.words for piece in own])
        assert answers[answers >= 0].tolist() == list(range(len(text)))
        labels = torch.cat([piece.labels for piece in own])
        wanted = [TAGS.index(tag) for tag in text.tags]
        assert labels[labels != IGNORE].tolist() == wanted
    for piece in pieces:
        assert ((piece.words >= 0) == (piece.labels != IGNORE)).all()
        assert len(piece) <= size


@contexts
@readers
@given(words=words, size=st.integers(8, 30))
def test_a_piece_labels_words_of_one_sentence(context, reader, words, size):
    text = drawn(words)
    for piece in pieces_of([text], reader, TAGS, Cut(size, context=context)):
        own = piece.words[piece.words >= 0].tolist()
        assert not set(range(own[0] + 1, own[-1] + 1)) & set(text.sentence_starts)


@readers
@given(words=words, size=st.integers(4, 30))
def test_context_is_all_that_fits_and_the_same_on_both_sides(reader, words, size):
    text = drawn(words)
    room = size - len(reader.before) - len(reader.after)
    n_tokens = sum(len(word) for word in text.tokens)
    alone = pieces_of([text], reader, TAGS, Cut(size, context="sentence"))
    wide = pieces_of([text], reader, TAGS, Cut(size, context="document"))
    for one, other in zip(alone, wide, strict=True):
        core, read = read_of(one, reader), read_of(other, reader)
        before, after = core.start - read.start, read.stop - core.stop
        assert min(before, after) >= 0
        assert len(read) == min(room, n_tokens)
        if read.start > 0 and read.stop < n_tokens:
            assert before - after in (0, 1)
        elif read.start > 0:  # the document ends: what is over goes before
            assert before >= after
        elif read.stop < n_tokens:
            assert before <= after + 1


# prediction


@contexts
@pytest.mark.parametrize("batch_tokens", [1, 20, 64])
def test_tags_do_not_depend_on_batches_or_their_order(context, batch_tokens):
    torch.manual_seed(0)
    config = EncoderConfig(d_model=8, n_heads=2, d_ff=8, n_buckets=64)
    model = build_tagger(config, len(TAGS), attention_named("full")).double()
    picks = torch.randint(0, 9, (50,)).tolist()
    words = tuple(f"w{pick}" for pick in picks)
    texts = [
        Document("a", words, ("O",) * 50, (0, 4, 11, 12, 40)),
        Document("b", words[:7], ("O",) * 7, (0,)),
    ]
    pieces = pieces_of(texts, WordReader(64), TAGS, Cut(16, context=context))

    def predict(pieces, **more):
        return predict_tags(model, pieces, TAGS, lengths=[50, 7], pad=-1, **more)

    tags = predict(pieces)
    assert predict(pieces[::-1], batch_tokens=batch_tokens) == tags
    assert len({tag for row in tags for tag in row}) > 1


# by hand


def test_a_sentence_and_its_neighbours():
    text = document([1] * 10, starts=(0, 4, 6))
    pieces = pieces_of([text], FRAMED, TAGS, Cut(8, context="document"))
    assert [piece.inputs.tolist() for piece in pieces] == [
        [-2, 0, 1, 2, 3, 4, 5, -3],
        [-2, 2, 3, 4, 5, 6, 7, -3],
        [-2, 4, 5, 6, 7, 8, 9, -3],
    ]
    assert pieces[1].words.tolist() == [-1, -1, -1, 4, 5, -1, -1, -1]
    assert pieces[1].labels.tolist() == [IGNORE] * 3 + [0, 1] + [IGNORE] * 3


def test_a_sentence_alone():
    text = document([1] * 10, starts=(0, 4, 6))
    pieces = pieces_of([text], FRAMED, TAGS, Cut(8, context="sentence"))
    assert [piece.inputs.tolist() for piece in pieces] == [
        [-2, 0, 1, 2, 3, -3],
        [-2, 4, 5, -3],
        [-2, 6, 7, 8, 9, -3],
    ]


def test_packed_with_an_overlap_both_pieces_train_a_word_and_one_answers():
    pieces = pieces_of([document([1] * 9)], BARE, TAGS, Cut(6, overlap=3))
    labels = [(piece.labels != IGNORE).sum().item() for piece in pieces]
    answers = [(piece.words >= 0).sum().item() for piece in pieces]
    assert (labels, sum(answers)) == ([6, 6], 9)


def test_the_lead_is_global_wherever_it_is_read():
    text = Document("a", ("x",) * 9, ("O",) * 9, (0, 3, 6), lead=3)
    pieces = pieces_of([text], BARE, TAGS, Cut(5, context="document"))
    assert [piece.global_tokens.tolist() for piece in pieces] == [
        [True] * 3 + [False] * 2,
        [True] + [False] * 4,
        [False] * 5,
    ]


def test_a_document_without_sentences_is_cut_where_it_is_full():
    (first, second) = pieces_of(
        [document([1] * 9)], BARE, TAGS, Cut(6, context="document")
    )
    assert first.inputs.tolist() == [0, 1, 2, 3, 4, 5]
    assert second.inputs.tolist() == [3, 4, 5, 6, 7, 8]  # the context may be labelled
    assert second.words.tolist() == [-1, -1, -1, 6, 7, 8]


def test_a_word_longer_than_the_window_is_read_once():
    pieces = pieces_of([document([9, 1])], BARE, TAGS, Cut(4, context="sentence"))
    assert [piece.words.max().item() for piece in pieces] == [0, 1]


def test_what_context_costs():
    texts = [document([1] * 10, starts=(0, 4, 6))]
    wide = pieces_of(texts, FRAMED, TAGS, Cut(8, context="document"))
    assert reading_cost(wide, texts) == {"pieces": 3, "tokens": 24, "per_word": 2.4}
    assert reading_cost([], []) == {"pieces": 0, "tokens": 0, "per_word": 0.0}


# edges and messages


@contexts
def test_a_document_that_says_nothing_of_sentences(context):
    text = document([1] * 9, starts=())
    pieces = pieces_of([text], BARE, TAGS, Cut(16, context=context))
    assert [piece.inputs.tolist() for piece in pieces] == [list(range(9))]


@contexts
def test_an_empty_document_gives_no_piece(context):
    assert pieces_of([document([])], BARE, TAGS, Cut(8, context=context)) == []


def test_starts_in_any_order_and_twice():
    chunks = sentence_chunks(5, starts=[3, 0, 3, 5], size=9)
    assert chunks == [Chunk(0, 3), Chunk(3, 5)]


@pytest.mark.parametrize(
    ("run", "wanted"),
    [
        (
            lambda: sentence_chunks(5, starts=[0, 6], size=9),
            "need starts within 5 tokens, got [0, 6]",
        ),
        (
            lambda: widened(Chunk(2, 6), n_tokens=9, size=3),
            "need a chunk of at most 3 tokens within 9, got 2 to 6",
        ),
        (
            lambda: widened(Chunk(2, 6), n_tokens=5, size=8),
            "need a chunk of at most 8 tokens within 5, got 2 to 6",
        ),
        (
            lambda: Cut(8, context="sentense"),
            "need context in packed, sentence, document, got 'sentense'",
        ),
        (
            lambda: Cut(context="document"),
            "need a size and overlap=0 with context='document', got size=None and "
            "overlap=0",
        ),
        (
            lambda: Cut(8, 2, context="sentence"),
            "need a size and overlap=0 with context='sentence', got size=8 and "
            "overlap=2",
        ),
    ],
)
def test_what_is_refused(run, wanted):
    with pytest.raises(ValueError, match=re.escape(wanted)):
        run()
