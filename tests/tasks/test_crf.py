import itertools
import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from longctx_edu.data.documents import Document
from longctx_edu.data.tags import stray
from longctx_edu.models import EncoderConfig, Transitions, attention_named, build_tagger
from longctx_edu.tasks import (
    IGNORE,
    Cut,
    WordReader,
    allowed,
    collate_chains,
    crf_loss,
    crf_tags,
    labelled_words,
    log_partition,
    negative_log_likelihood,
    pieces_of,
    predict_tags,
    row_score,
    viterbi,
)

TAGS = ("O", "B-A", "I-A", "B-B", "I-B")
N = len(TAGS)
LENGTHS = (4, 1, 3)


def drawn(*shape, seed=0, scale=2.0):
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(*shape, generator=generator, dtype=torch.float64)


def worth(seed=9):
    """What steps are worth: drawn where IOB2 allows them."""
    first, follows = (rule.double() for rule in allowed(TAGS))
    return first + drawn(N, seed=seed), follows + drawn(N, N, seed=seed + 1)


def score_by_hand(logits, row, first, follows):
    steps = [first[row[0]], *(follows[pair] for pair in itertools.pairwise(row))]
    return sum(steps) + sum(logits[at, label] for at, label in enumerate(row))


def all_rows(length):
    return list(itertools.product(range(N), repeat=length))


def scores_by_hand(logits, first, follows):
    rows = all_rows(len(logits))
    return torch.stack([score_by_hand(logits, row, first, follows) for row in rows])


def texts(lengths=LENGTHS, width=None, seed=0):
    """Texts side by side: logits, a legal row, and which are words."""
    width = max(lengths) if width is None else width
    logits = drawn(len(lengths), width, N, seed=seed)
    row = [TAGS.index(tag) for tag in ("B-A", "I-A", "O", "B-B")]
    labels = torch.full((len(lengths), width), IGNORE)
    for number, length in enumerate(lengths):
        labels[number, :length] = torch.tensor(row[:length])
    return logits, labels, labels != IGNORE


def in_each(first, n_texts=3):
    return first.repeat(n_texts, 1)


# equals the definition


@pytest.mark.parametrize("lengths", [(1,), (2,), LENGTHS])
@pytest.mark.parametrize("seed", range(3))
def test_the_partition_is_the_sum_over_all_rows(lengths, seed):
    (logits, _, keep), (first, follows) = texts(lengths, seed=seed), worth(seed)
    found = log_partition(logits, in_each(first, len(lengths)), follows, keep)
    wanted = [
        scores_by_hand(logits[number, :length], first, follows).logsumexp(dim=0)
        for number, length in enumerate(lengths)
    ]
    torch.testing.assert_close(found, torch.stack(wanted))


def test_the_score_of_a_row_is_what_its_words_and_steps_add_up_to():
    (logits, labels, keep), (first, follows) = texts(), worth()
    found = row_score(logits, labels, in_each(first), follows, keep)
    wanted = [
        score_by_hand(logits[n], labels[n, :length].tolist(), first, follows)
        for n, length in enumerate(LENGTHS)
    ]
    torch.testing.assert_close(found, torch.stack(wanted))


def test_the_gradient_is_what_is_expected_minus_what_is_there():
    (logits, labels, keep), (first, follows) = texts(), worth()
    inputs = [x.clone().requires_grad_() for x in (logits, first, follows)]
    firsts = in_each(inputs[1])
    loss = negative_log_likelihood(inputs[0], labels, firsts, inputs[2], keep)
    found = torch.autograd.grad(loss, inputs)
    wanted = [torch.zeros_like(x) for x in inputs]
    for n, length in enumerate(LENGTHS):
        shares = scores_by_hand(logits[n, :length], first, follows).softmax(dim=0)
        right = tuple(labels[n, :length].tolist())
        for row, share in zip(all_rows(length), shares, strict=True):
            share = (share - float(row == right)) / sum(LENGTHS)
            wanted[1][row[0]] += share
            for at, label in enumerate(row):
                wanted[0][n, at, label] += share
            for before, label in itertools.pairwise(row):
                wanted[2][before, label] += share
    for ours, theirs in zip(found, wanted, strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("length", [1, 2, 4])
@pytest.mark.parametrize("seed", range(4))
def test_viterbi_finds_the_best_of_all_rows(length, seed):
    logits, (first, follows) = drawn(length, N, seed=seed), worth(seed)
    scores = scores_by_hand(logits, first, follows)
    wanted = all_rows(length)[int(scores.argmax())]
    assert tuple(viterbi(logits, first, follows).tolist()) == wanted


def test_without_steps_it_is_the_cross_entropy_of_each_word():
    logits, labels, keep = texts()
    nothing = torch.zeros(N, dtype=torch.float64)
    loss = negative_log_likelihood(
        logits, labels, in_each(nothing), nothing.repeat(N, 1), keep
    )
    wanted = F.cross_entropy(logits.flatten(0, 1), labels.flatten())
    torch.testing.assert_close(loss, wanted)


# properties


@pytest.mark.parametrize("more", [1, 7])
def test_padding_changes_nothing_at_all(more):
    (logits, labels, keep), (first, follows) = texts(), worth()
    wide = F.pad(logits, (0, 0, 0, more), value=1e30)
    long = F.pad(labels, (0, more), value=IGNORE)
    results = []
    for some in ((logits, labels, keep), (wide, long, long != IGNORE)):
        x = some[0].clone().requires_grad_()
        loss = negative_log_likelihood(x, some[1], in_each(first), follows, some[2])
        loss.backward()
        results.append((loss.detach(), x.grad[:, : max(LENGTHS)]))
    assert torch.equal(results[0][0], results[1][0])
    assert torch.equal(results[0][1], results[1][1])


def test_a_text_without_words_changes_nothing_at_all():
    (logits, labels, keep), (first, follows) = texts(), worth()
    more = [torch.cat([x, x[:1]]) for x in (logits, labels, keep)]
    more[2][-1] = False
    loss = negative_log_likelihood(logits, labels, in_each(first), follows, keep)
    logits, labels, keep = more
    again = negative_log_likelihood(logits, labels, in_each(first, 4), follows, keep)
    assert torch.equal(loss, again)
    assert log_partition(logits, in_each(first, 4), follows, keep)[-1] == 0
    assert row_score(logits, labels, in_each(first, 4), follows, keep)[-1] == 0


def test_tokens_without_a_label_are_no_words():
    generator = torch.Generator().manual_seed(3)
    labels = torch.randint(0, N, (3, 6), generator=generator)
    labels[torch.rand(3, 6, generator=generator) < 0.5] = IGNORE
    logits = drawn(3, 6, N)
    words, of_words, keep = labelled_words(logits, labels)
    assert keep.any(dim=0).all()
    for n in range(3):
        real = labels[n] != IGNORE
        assert torch.equal(words[n][keep[n]], logits[n][real])
        assert torch.equal(of_words[n][keep[n]], labels[n][real])


@pytest.mark.parametrize("length", [1, 2, 3])
def test_rows_that_iob2_forbids_have_probability_0(length):
    logits, (first, follows) = drawn(length, N), worth()
    shares = scores_by_hand(logits, first, follows).softmax(dim=0)
    for row, share in zip(all_rows(length), shares, strict=True):
        legal = stray([TAGS[label] for label in row]) is None
        assert (share > 0) == legal
        labels, keep = torch.tensor([row]), torch.ones(1, length, dtype=torch.bool)
        score = row_score(logits[None], labels, first[None], follows, keep)
        assert torch.isneginf(score).all() == (not legal)


@given(st.integers(1, 40), st.integers(0, 9), st.sampled_from([1.0, 1e4]))
def test_the_best_row_is_legal_and_no_likelihood_exceeds_1(n_words, seed, scale):
    logits, (first, follows) = drawn(n_words, N, seed=seed, scale=scale), worth(seed)
    row = viterbi(logits, first, follows)
    assert stray([TAGS[label] for label in row.tolist()]) is None
    keep = torch.ones(1, n_words, dtype=torch.bool)
    loss = negative_log_likelihood(logits[None], row[None], first[None], follows, keep)
    assert 0 <= float(loss) + 1e-9 < math.inf


@pytest.mark.parametrize("scale", [5e3, -5e3])
def test_numbers_in_the_thousands_stay_finite(scale):
    logits, labels, keep = texts()
    logits = (scale * logits.sign()).float().requires_grad_()
    first, follows = (rule.clone().requires_grad_() for rule in allowed(TAGS))
    loss = negative_log_likelihood(logits, labels, in_each(first), follows, keep)
    loss.backward()
    assert loss.isfinite()
    assert all(x.grad.isfinite().all() for x in (logits, first, follows))


# what is learnt stays within the rule, and joins a model


def test_transitions_obey_the_rule_whatever_is_learnt():
    transitions = Transitions(*allowed(TAGS))
    for parameter in transitions.parameters():
        nn.init.normal_(parameter, std=100.0)
    for found, rule in zip(transitions(), allowed(TAGS), strict=True):
        assert torch.equal(found.isneginf(), rule.isneginf())
    assert sorted(transitions.state_dict()) == ["first", "follows"]


def document(tags, name="text"):
    words = tuple(f"w{number}" for number in range(len(tags)))
    return Document(name, words, tuple(tags), (0,))


@pytest.fixture
def model():
    torch.manual_seed(0)
    config = EncoderConfig(d_model=8, n_heads=2, d_ff=8, n_buckets=64)
    transitions = Transitions(*allowed(TAGS))
    nn.init.normal_(transitions.first), nn.init.normal_(transitions.follows)
    return build_tagger(config, N, attention_named("full"), transitions).eval()


LONG = document(["O", "B-A", "I-A", "I-A", "I-A", "I-A", "O", "B-B", "I-B", "O"])


def test_an_entity_may_be_cut_between_two_pieces(model):
    pieces = pieces_of([LONG, LONG], WordReader(64), TAGS, Cut(4, overlap=1))
    batch = collate_chains(pieces, pad=-1)
    assert batch["opens"].tolist() == [True, False, False] * 2
    assert TAGS[pieces[1].labels[0]] == "I-A"
    loss = crf_loss(model, batch)
    loss.backward()
    assert loss.isfinite()
    assert model.head_transitions.follows.grad.abs().sum() > 0
    with torch.no_grad():
        logits = model(batch["inputs"], keep=batch["keep"]).double()
    first, follows = (x.detach().double() for x in model.head_transitions())
    free = torch.zeros(N, dtype=torch.float64)
    wanted = 0.0
    for number, piece in enumerate(pieces):
        rows = logits[number, : len(piece)]
        begin = first if number % 3 == 0 else free
        right = score_by_hand(rows, piece.labels.tolist(), begin, follows)
        wanted += scores_by_hand(rows, begin, follows).logsumexp(dim=0) - right
    wanted = wanted / sum(len(piece) for piece in pieces)
    torch.testing.assert_close(loss.detach().double(), wanted, atol=1e-5, rtol=1e-5)


def test_with_its_neighbours_a_sentence_alone_is_a_chain(model):
    text = Document("text", LONG.tokens, LONG.tags, (0, 3, 7))
    pieces = pieces_of([text], WordReader(64), TAGS, Cut(8, context="document"))
    batch = collate_chains(pieces, pad=-1)
    assert [len(piece) for piece in pieces] == [8, 8, 8]
    assert batch["opens"].tolist() == [True, False, False]
    with torch.no_grad():
        logits = model(batch["inputs"], keep=batch["keep"]).double()
        loss = crf_loss(model, batch)
    first, follows = (x.detach().double() for x in model.head_transitions())
    wanted = 0.0
    for number, (start, stop) in enumerate([(0, 3), (3, 7), (7, 10)]):
        labels = [TAGS.index(tag) for tag in text.tags[start:stop]]
        rows = logits[number][pieces[number].labels != IGNORE]
        assert len(rows) == stop - start
        begin = first if start == 0 else torch.zeros_like(first)
        wanted += scores_by_hand(rows, begin, follows).logsumexp(dim=0)
        wanted -= score_by_hand(rows, labels, begin, follows)
    torch.testing.assert_close(loss.double(), wanted / 10, atol=1e-5, rtol=1e-5)


def test_a_document_in_pieces_is_tagged_as_one_row(model):
    reader, seen = WordReader(64), []

    def decode(logits, tags):
        seen.append(logits)
        return crf_tags(logits, tags, transitions=model.head_transitions)

    pieces = pieces_of([LONG], reader, TAGS, Cut(4, overlap=2))
    (found,) = predict_tags(
        model, pieces, TAGS, lengths=[len(LONG)], pad=-1, decode=decode
    )
    assert len(pieces) > 2
    first, follows = (x.detach() for x in model.head_transitions())
    assert len(seen[0]) == len(LONG)
    best = viterbi(seen[0], first, follows).tolist()
    assert found == [TAGS[label] for label in best]
    assert stray(found) is None


# edges and messages


def test_no_words_have_no_row():
    first, follows = worth()
    assert viterbi(torch.zeros(0, N), first.float(), follows.float()).tolist() == []
    nothing = torch.zeros(2, 0, N, dtype=torch.float64)
    keep = torch.zeros(2, 0, dtype=torch.bool)
    found = log_partition(nothing, in_each(first, 2), follows, keep)
    assert found.tolist() == [0, 0]


def test_messages(model):
    (logits, labels, _), (first, follows) = texts(), worth()
    nowhere = torch.zeros(3, 4, dtype=torch.bool)
    with pytest.raises(ValueError) as error:
        negative_log_likelihood(logits, labels, in_each(first), follows, nowhere)
    assert str(error.value) == "need a word with a label, got none in 3 texts"
    pieces = pieces_of([document(["O", "I-A"])], WordReader(64), TAGS, Cut())
    with pytest.raises(ValueError) as error:
        crf_loss(model, collate_chains(pieces, pad=-1))
    assert str(error.value) == (
        "need tags that IOB2 allows, got a row of probability 0"
    )
