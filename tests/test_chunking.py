import itertools
import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from longctx_edu.chunking import Chunk, align_labels, owner, pack, split, stitch


@st.composite
def cuts(draw):
    """Return a document's length, a chunk size, and an overlap that fits it."""
    size = draw(st.integers(1, 12))
    return draw(st.integers(1, 60)), size, draw(st.integers(0, size - 1))


def split_by_loops(n_tokens, size, overlap):
    chunks, start = [], 0
    while start + size < n_tokens:
        chunks.append(Chunk(start, start + size))
        start += size - overlap
    return [*chunks, Chunk(max(0, n_tokens - size), n_tokens)]


def context(token, chunk, n_tokens):
    """Tokens between this one and the nearer edge that is not the document's."""
    sides = []
    if chunk.start > 0:
        sides.append(token - chunk.start)
    if chunk.stop < n_tokens:
        sides.append(chunk.stop - 1 - token)
    return min(sides, default=n_tokens)


def owner_by_loops(chunks):
    n_tokens = chunks[-1].stop
    owners = []
    for token in range(n_tokens):
        best = None
        for number, chunk in enumerate(chunks):
            if not chunk.start <= token < chunk.stop:
                continue
            here = context(token, chunk, n_tokens)
            if best is None or here > context(token, chunks[best], n_tokens):
                best = number
        owners.append(best)
    return owners


def stitch_by_loops(pieces, chunks):
    rows = []
    for token, number in enumerate(owner_by_loops(chunks)):
        rows.append(pieces[number][token - chunks[number].start])
    return torch.stack(rows)


# equals the definition


@given(cuts())
def test_split_equals_loops(cut):
    n_tokens, size, overlap = cut
    chunks = split(n_tokens, size=size, overlap=overlap)
    assert chunks == split_by_loops(n_tokens, size, overlap)


@given(cuts())
def test_owner_equals_loops(cut):
    n_tokens, size, overlap = cut
    chunks = split(n_tokens, size=size, overlap=overlap)
    assert owner(chunks).tolist() == owner_by_loops(chunks)


@given(cuts(), st.integers(0, 2**31))
def test_stitch_equals_loops_forward_and_gradient(cut, seed):
    n_tokens, size, overlap = cut
    chunks = split(n_tokens, size=size, overlap=overlap)
    generator = torch.Generator().manual_seed(seed)
    pieces = [
        torch.randn(len(c), 3, dtype=torch.float64, generator=generator) for c in chunks
    ]
    ours = [piece.clone().requires_grad_() for piece in pieces]
    theirs = [piece.clone().requires_grad_() for piece in pieces]
    joined, by_loops = stitch(ours, chunks), stitch_by_loops(theirs, chunks)
    assert torch.equal(joined, by_loops)
    joined.square().sum().backward()
    by_loops.square().sum().backward()
    for piece, other in zip(ours, theirs, strict=True):
        wanted = torch.zeros_like(piece) if other.grad is None else other.grad
        assert torch.equal(piece.grad, wanted)


# properties


@given(cuts(), st.integers(0, 2**31))
def test_stitch_undoes_split(cut, seed):
    n_tokens, size, overlap = cut
    x = torch.randn(n_tokens, 2, generator=torch.Generator().manual_seed(seed))
    chunks = split(n_tokens, size=size, overlap=overlap)
    assert torch.equal(stitch([x[c.start : c.stop] for c in chunks], chunks), x)


@given(cuts())
def test_split_covers_in_full_chunks_that_share_at_least_the_overlap(cut):
    n_tokens, size, overlap = cut
    chunks = split(n_tokens, size=size, overlap=overlap)
    assert chunks[0].start == 0 and chunks[-1].stop == n_tokens
    assert all(len(chunk) == min(size, n_tokens) for chunk in chunks)
    shared = [a.stop - b.start for a, b in itertools.pairwise(chunks)]
    assert all(tokens == overlap for tokens in shared[:-1])
    assert all(tokens >= overlap for tokens in shared)


@given(cuts())
def test_every_token_has_one_owner_with_the_most_context(cut):
    n_tokens, size, overlap = cut
    chunks = split(n_tokens, size=size, overlap=overlap)
    owners = owner(chunks)
    assert owners.shape == (n_tokens,)
    for token, number in enumerate(owners.tolist()):
        inside = [c for c in chunks if c.start <= token < c.stop]
        assert chunks[number] in inside
        most = max(context(token, c, n_tokens) for c in inside)
        assert context(token, chunks[number], n_tokens) == most


def test_stitch_keeps_kind_of_number_and_further_axes():
    chunks = split(5, size=4, overlap=2)
    pieces = [torch.ones(len(c), 2, 3, dtype=torch.int16) for c in chunks]
    joined = stitch(pieces, chunks)
    assert joined.shape == (5, 2, 3) and joined.dtype == torch.int16


# edges


def test_one_token_is_one_chunk():
    assert split(1, size=1) == split(1, size=8, overlap=3) == [Chunk(0, 1)]
    assert owner([Chunk(0, 1)]).tolist() == [0]


@pytest.mark.parametrize("n_tokens", [3, 4])
def test_a_document_that_fits_is_one_chunk(n_tokens):
    assert split(n_tokens, size=4, overlap=3) == [Chunk(0, n_tokens)]


def test_without_overlap_only_the_last_chunk_shares_tokens():
    assert split(8, size=4) == [Chunk(0, 4), Chunk(4, 8)]
    assert split(9, size=4) == [Chunk(0, 4), Chunk(4, 8), Chunk(5, 9)]


def test_a_tie_goes_to_the_earlier_chunk():
    # Token 3 stands one token from an edge in both chunks.
    assert owner([Chunk(0, 5), Chunk(2, 7)]).tolist() == [0, 0, 0, 0, 1, 1, 1]


def test_the_ends_of_the_document_are_no_edges():
    assert owner([Chunk(0, 5), Chunk(1, 6)]).tolist() == [0, 0, 0, 1, 1, 1]
    # The long chunk cuts nothing off, so the short one within it owns nothing.
    assert owner([Chunk(0, 4), Chunk(0, 9)]).tolist() == [1] * 9
    assert owner([Chunk(5, 9), Chunk(0, 9)]).tolist() == [1] * 9


def test_chunks_may_differ_in_length():
    chunks = [Chunk(0, 2), Chunk(1, 6), Chunk(4, 9)]
    x = torch.arange(9)
    assert torch.equal(stitch([x[c.start : c.stop] for c in chunks], chunks), x)


# labels


@pytest.mark.parametrize(
    ("every_piece", "wanted"), [(False, [9, 4, 9, 5, 9]), (True, [9, 4, 4, 5, 9])]
)
def test_labels_go_to_the_first_piece_or_to_every_piece(every_piece, wanted):
    words = [None, 0, 0, 1, None]
    came = align_labels(words, [4, 5], ignore_index=9, every_piece=every_piece)
    assert came == wanted


@given(st.lists(st.integers(0, 4)), st.data())
def test_each_word_is_labelled_once_and_in_order(n_pieces, data):
    labels = data.draw(
        st.lists(st.integers(0, 8), min_size=len(n_pieces), max_size=len(n_pieces))
    )
    words = [word for word, pieces in enumerate(n_pieces) for _ in range(pieces)]
    came = align_labels([None, *words, None], labels)
    assert len(came) == len(words) + 2
    wanted = [label for label, n in zip(labels, n_pieces, strict=True) if n > 0]
    assert [label for label in came if label != -100] == wanted


def test_no_pieces_give_no_labels():
    assert align_labels([], []) == []


# messages


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: split(9, size=3, overlap=4),
            "need 0 <= overlap < size, got overlap=4 and size=3",
        ),
        (
            lambda: split(9, size=3, overlap=3),
            "need 0 <= overlap < size, got overlap=3 and size=3",
        ),
        (
            lambda: split(9, size=3, overlap=-1),
            "need 0 <= overlap < size, got overlap=-1 and size=3",
        ),
        (lambda: split(0, size=3), "need n_tokens >= 1, got n_tokens=0"),
        (lambda: owner([]), "need chunks that cover every token, got none for 0"),
        (
            lambda: owner([Chunk(0, 2), Chunk(3, 5)]),
            "need chunks that cover every token, got none for 2",
        ),
        (
            lambda: stitch([torch.zeros(2)], [Chunk(0, 2), Chunk(2, 4)]),
            "need one piece a chunk, got 1 pieces and 2 chunks",
        ),
        (
            lambda: stitch([torch.zeros(2), torch.zeros(3)], split(4, size=2)),
            "need one row a token of the chunk, got 3 rows in piece 1 "
            "and 2 tokens in its chunk",
        ),
        (
            lambda: align_labels([0, 1, 2], [5, 6]),
            "need a label for every word, got word 2 and 2 labels",
        ),
    ],
)
def test_messages(call, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()


def pack_by_words(n_tokens, starts, size):
    """Pack sentence by sentence, the slow way: a list of lists of tokens."""
    edges = sorted({0, *starts, n_tokens})
    chunks, current = [], []
    for first, last in itertools.pairwise(edges):
        sentence = list(range(first, last))
        if len(current) + len(sentence) > size and current:
            chunks.append(current)
            current = []
        current = current + sentence
        while len(current) > size:
            chunks.append(current[:size])
            current = current[size:]
    return [*chunks, current]


@given(data=st.data())
def test_pack_equals_the_slow_way_and_covers_each_token_once(data):
    n = data.draw(st.integers(1, 60))
    starts = sorted(data.draw(st.sets(st.integers(0, n - 1))))
    size = data.draw(st.integers(1, 20))
    chunks = pack(n, starts=starts, size=size)
    tokens = [list(range(chunk.start, chunk.stop)) for chunk in chunks]
    assert tokens == pack_by_words(n, starts, size)
    assert [token for chunk in tokens for token in chunk] == list(range(n))


@pytest.mark.parametrize(
    ("n", "starts", "size", "words"),
    [
        (0, [0], 4, "n_tokens=0 and size=4"),
        (4, [0], 0, "n_tokens=4 and size=0"),
        (4, [0, 3, 2], 4, r"need ascending starts within 4 tokens, got \[0, 3, 2\]"),
        (4, [0, 9], 4, r"need ascending starts within 4 tokens, got \[0, 9\]"),
    ],
)
def test_pack_says_what_must_hold(n, starts, size, words):
    with pytest.raises(ValueError, match=words):
        pack(n, starts=starts, size=size)
