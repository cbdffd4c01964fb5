import pytest
import torch
import torch.nn.functional as F

from longctx_edu.data.documents import Document
from longctx_edu.models import EncoderConfig, attention_named, build_tagger
from longctx_edu.tasks import (
    Cut,
    WordReader,
    collate,
    pieces_of,
    predict_tags,
    tag_logits,
    tag_names,
    tagging_loss,
    weighted_tagging_loss,
)

TAGS = tag_names(["PER", "LOC"])
READER = WordReader(64)


def text(length, seed=0):
    generator = torch.Generator().manual_seed(seed)
    picks = torch.randint(0, 30, (length,), generator=generator).tolist()
    words = tuple(f"w{pick}" for pick in picks)
    tags = tuple(TAGS[pick % 2] for pick in picks)
    return Document("text", words, tags, (0,))


TEXTS = [text(n, seed=n) for n in (17, 1, 5, 30)]
LENGTHS = [len(each) for each in TEXTS]


@pytest.fixture
def model():
    torch.manual_seed(0)
    config = EncoderConfig(d_model=8, n_heads=2, d_ff=8, n_buckets=64, dropout=0.2)
    return build_tagger(config, len(TAGS), attention_named("full")).double()


def pieces(cut=Cut()):  # noqa: B008 - it cannot be changed
    return pieces_of(TEXTS, READER, TAGS, cut)


# equals the definition


def test_the_loss_is_the_mean_over_words(model):
    model.eval()
    batch = collate(pieces(), pad=-1)
    rows = tag_logits(model, batch)
    each = [
        F.cross_entropy(rows[n, at].float(), batch["labels"][n, at])
        for n, length in enumerate(LENGTHS)
        for at in range(length)
    ]
    torch.testing.assert_close(tagging_loss(model, batch), torch.stack(each).mean())


@pytest.mark.parametrize("weight", [0.25, 1.0, 3.0])
def test_a_word_outside_counts_as_often_as_was_said(weight, model):
    batch = collate(pieces(), pad=-1)
    batch["labels"][:, ::3] = batch["labels"][:, ::3].clamp(max=0)  # some are outside
    model.eval()
    rows, labels = tag_logits(model, batch).float(), batch["labels"]
    each = F.cross_entropy(rows.mT, labels, reduction="none")
    counts = torch.where(labels == 0, weight, 1.0) * (labels != -100)
    loss = weighted_tagging_loss(model, batch, outside_weight=weight)
    assert (labels == 0).any() and (labels > 0).any()
    torch.testing.assert_close(loss, (each * counts).sum() / counts.sum())
    plain = tagging_loss(model, batch)
    assert torch.equal(loss, plain) == (weight == 1)


def test_the_tags_are_those_of_each_document_read_alone(model):
    model.eval()
    for document, found in zip(TEXTS, predict(model), strict=True):
        batch = collate(pieces_of([document], READER, TAGS, Cut()), pad=-1)
        labels = tag_logits(model, batch)[0].argmax(dim=-1)
        assert found == [TAGS[label] for label in labels]


# properties


def predict(model, cut=Cut(), **more):  # noqa: B008
    return predict_tags(model, pieces(cut), TAGS, lengths=LENGTHS, pad=-1, **more)


@pytest.mark.parametrize("cut", [Cut(), Cut(8), Cut(8, overlap=4)])
@pytest.mark.parametrize("batch_tokens", [1, 20, 64])
def test_tags_do_not_depend_on_the_batches(model, cut, batch_tokens):
    assert predict(model, cut, batch_tokens=batch_tokens) == predict(model, cut)


def test_every_word_has_a_tag(model):
    assert [len(tags) for tags in predict(model, Cut(8))] == LENGTHS


def test_all_tokens_are_counted(model):
    seen = []
    predict(model, batch_tokens=20, on_piece=seen.append)
    assert sum(seen) == sum(LENGTHS)
    assert len(seen) > 1


@pytest.mark.parametrize("training", [True, False])
def test_the_model_comes_back_as_it_was(model, training):
    model.train(training)
    predict(model)
    assert model.training is training


# edges


def test_no_documents(model):
    assert predict_tags(model, [], TAGS, lengths=[], pad=-1) == []


def test_a_document_without_pieces_is_outside_of_all(model):
    assert predict_tags(model, [], TAGS, lengths=[2], pad=-1) == [["O", "O"]]


def test_names_of_labels():
    assert tag_names([]) == ("O",)
    assert len(TAGS) == 5
