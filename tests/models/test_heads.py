import re

import numpy as np
import pytest
import torch
from torch import nn

from longctx_edu.attention import full_attention
from longctx_edu.models import (
    Encoder,
    EncoderConfig,
    SequenceClassifier,
    SpanClassifier,
    TokenClassifier,
    best_span,
    pool,
)

CONFIG = EncoderConfig(
    n_layers=1, n_heads=2, d_model=8, d_ff=12, conv_width=3, n_buckets=64
)
POOLINGS = ["mean", "first", "max", "logsumexp"]


def random(*sizes, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*sizes, generator=generator, dtype=torch.float64)


def word_encoder():
    return Encoder(CONFIG, full_attention)


def features(*sizes, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 64, (*sizes, 4), generator=generator)


def drawn(module):
    """Draw all weights anew: a head on meanings of 0 would show nothing."""
    generator = torch.Generator().manual_seed(1)
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.4, generator=generator)
    return module.double().eval()


def pooled_by_loops(vectors, keep, how):
    """Take each text's real vectors out, then pool them."""
    rows = []
    for text, real in zip(vectors, keep, strict=True):
        x = text[real]
        if len(x) == 0:
            rows.append(torch.zeros(vectors.shape[-1], dtype=vectors.dtype))
        elif how == "mean":
            rows.append(sum(x) / len(x))
        elif how == "first":
            rows.append(x[0])
        elif how == "max":
            rows.append(torch.stack([column.max() for column in x.T]))
        else:
            rows.append(x.exp().sum(dim=0).log())
    return torch.stack(rows)


KEEP = torch.tensor(
    [
        [True, True, True, True, True],
        [True, True, False, False, False],
        [False, False, True, True, True],
        [False, True, False, False, True],
        [False, False, False, False, False],
    ]
)


# equals the definition


@pytest.mark.parametrize("how", POOLINGS)
def test_a_pool_is_that_of_the_real_tokens(how):
    vectors = random(5, 5, 3).requires_grad_()
    again = vectors.detach().clone().requires_grad_()
    given, wanted = pool(vectors, KEEP, how), pooled_by_loops(again, KEEP, how)
    torch.testing.assert_close(given, wanted)
    weights = random(5, 3, seed=1)
    (given * weights).sum().backward()
    (wanted * weights).sum().backward()
    torch.testing.assert_close(vectors.grad, again.grad)


def test_a_sequence_classifier_is_a_linear_layer_on_the_pooled_vectors():
    model = drawn(SequenceClassifier(word_encoder(), 8, 3, pooling="max"))
    inputs, keep = features(2, 5), torch.arange(5) < torch.tensor([[5], [3]])
    vectors = model.encoder(inputs, keep=keep)
    wanted = model.head(pool(vectors, keep, "max"))
    torch.testing.assert_close(model(inputs, keep=keep), wanted)


def test_a_span_classifier_is_a_linear_layer_on_each_token():
    model = drawn(SpanClassifier(word_encoder(), 8))
    inputs = features(2, 5)
    start, end = model(inputs)
    wanted = model.head(model.encoder(inputs))
    torch.testing.assert_close(start, wanted[..., 0])
    torch.testing.assert_close(end, wanted[..., 1])


# equals an outside reference


@pytest.mark.parametrize("how", ["mean", "max", "logsumexp"])
def test_equals_numpy(how):
    vectors, keep = random(4, 6, 3), random(4, 6, seed=1) > -0.5
    assert keep.any(dim=1).all()
    masked = np.ma.masked_array(
        vectors.numpy(), mask=(~keep)[..., None].expand(-1, -1, 3).numpy()
    )
    wanted = {
        "mean": lambda: masked.mean(axis=1),
        "max": lambda: masked.max(axis=1),
        "logsumexp": lambda: np.log(np.exp(masked).sum(axis=1)),
    }[how]()
    torch.testing.assert_close(pool(vectors, keep, how), torch.from_numpy(wanted.data))


class BertVectors(nn.Module):
    """A model of transformers as an encoder of ours."""

    def __init__(self, bert):
        super().__init__()
        self.bert = bert

    def forward(self, inputs, keep=None):
        return self.bert(inputs, attention_mask=keep.long()).last_hidden_state


def test_equals_question_answering_of_transformers():
    from transformers import BertConfig, BertForQuestionAnswering

    config = BertConfig(
        vocab_size=40,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=12,
        max_position_embeddings=16,
    )
    theirs = drawn(BertForQuestionAnswering(config))
    ours = SpanClassifier(BertVectors(theirs.bert), 8).double().eval()
    ours.head.load_state_dict(theirs.qa_outputs.state_dict())
    ids, keep = torch.arange(12).reshape(2, 6), torch.tensor([[True] * 6] * 2)
    keep[1, 4:] = False
    wanted = theirs(ids, attention_mask=keep.long())
    start, end = ours(ids, keep=keep)
    torch.testing.assert_close(start[keep], wanted.start_logits[keep])
    torch.testing.assert_close(end[keep], wanted.end_logits[keep])


# properties


@pytest.mark.parametrize("how", POOLINGS)
def test_what_stands_in_padding_changes_nothing(how):
    vectors = random(5, 5, 3)
    wanted = pool(vectors, KEEP, how)
    for rubbish in (1e9, float("inf"), float("nan")):
        spoilt = torch.where(KEEP[..., None], vectors, rubbish)
        torch.testing.assert_close(pool(spoilt, KEEP, how), wanted)


@pytest.mark.parametrize("how", POOLINGS)
def test_one_real_token_is_the_pool(how):
    vectors = random(1, 4, 3)
    keep = torch.tensor([[False, False, True, False]])
    torch.testing.assert_close(pool(vectors, keep, how)[0], vectors[0, 2])


@pytest.mark.parametrize("how", ["mean", "max", "logsumexp"])
def test_the_order_of_the_tokens_does_not_count(how):
    vectors, order = random(1, 5, 3), torch.tensor([3, 0, 4, 1, 2])
    torch.testing.assert_close(pool(vectors, how=how), pool(vectors[:, order], how=how))


def test_the_pools_of_a_documents_chunks_rise_from_mean_to_evidence():
    logits = random(6, 4)  # chunk, label
    mean, most, evidence = (
        pool(logits, how=how) for how in ("mean", "max", "logsumexp")
    )
    assert mean.shape == (4,)
    assert (mean <= most).all()
    assert (most <= evidence).all()


@pytest.mark.parametrize("pooling", POOLINGS)
def test_padding_changes_no_label(pooling):
    model = drawn(SequenceClassifier(word_encoder(), 8, 3, pooling=pooling))
    long, short = features(1, 9), features(1, 6, seed=1)
    padded = torch.cat([short, torch.full((1, 3, 4), -1)], dim=1)
    keep = torch.arange(9) < torch.tensor([[9], [6]])
    both = model(torch.cat([long, padded]), keep=keep)
    torch.testing.assert_close(both[:1], model(long))
    torch.testing.assert_close(both[1:], model(short))


def test_padding_starts_and_ends_nothing():
    model = drawn(SpanClassifier(word_encoder(), 8))
    keep = torch.arange(9) < torch.tensor([[9], [6]])
    start, end = model(features(2, 9), keep=keep)
    for logits in (start, end):
        assert torch.equal(logits.isneginf(), ~keep)
    assert best_span(start, end, max_tokens=9).end[1] < 6


def test_a_span_is_learnt_beside_padding():
    model = drawn(SpanClassifier(nn.Embedding(7, 8), 8)).train()
    model.encoder.forward = lambda ids, keep: nn.Embedding.forward(model.encoder, ids)
    keep = torch.tensor([[True, True, True, False]])
    start, end = model(torch.tensor([[1, 2, 3, 0]]), keep=keep)
    loss = nn.functional.cross_entropy(start, torch.tensor([2]))
    (loss + nn.functional.cross_entropy(end, torch.tensor([2]))).backward()
    for parameter in model.parameters():
        assert parameter.grad.isfinite().all()
    assert model.head.weight.grad.any()


class Remembers(nn.Module):
    """An encoder that notes what it was given."""

    def forward(self, inputs, **pattern):
        self.pattern = pattern
        return inputs[..., None].expand(-1, -1, 8).float()


@pytest.mark.parametrize("head", [SequenceClassifier, SpanClassifier, TokenClassifier])
def test_a_head_passes_the_pattern_on(head):
    labels = () if head is SpanClassifier else (3,)
    model = head(Remembers(), 8, *labels)
    pattern = {"keep": torch.ones(2, 4).bool(), "global_tokens": torch.zeros(2, 4)}
    model(torch.zeros(2, 4, dtype=torch.long), **pattern)
    assert model.encoder.pattern == pattern


@pytest.mark.parametrize("head", [SequenceClassifier, SpanClassifier])
def test_dropout_works_in_training_alone(head):
    labels = () if head is SpanClassifier else (3,)
    model = drawn(head(nn.Embedding(7, 8), 8, *labels, dropout=0.5)).train()
    inputs = torch.arange(6).reshape(2, 3)
    one, other = model(inputs), model(inputs)
    assert not torch.equal(one[0], other[0])
    model.eval()
    assert torch.equal(model(inputs)[0], model(inputs)[0])


# edges


@pytest.mark.parametrize("how", POOLINGS)
def test_no_tokens_at_all(how):
    assert pool(torch.zeros(2, 0, 3), how=how).tolist() == [[0.0] * 3] * 2


@pytest.mark.parametrize("how", POOLINGS)
def test_a_text_without_a_real_token_has_a_gradient_of_0(how):
    vectors = random(2, 4, 3).requires_grad_()
    keep = torch.tensor([[True] * 4, [False] * 4])
    pool(vectors, keep, how).sum().backward()
    assert vectors.grad[0].any()
    assert not vectors.grad[1].any()


@pytest.mark.parametrize("how", POOLINGS)
def test_a_pool_keeps_its_format(how):
    assert pool(torch.zeros(1, 4, 3).bfloat16(), how=how).dtype == torch.bfloat16


def test_the_mean_of_a_long_text_stays_in_float16():
    assert pool(torch.full((1, 5000, 1), 100.0).half()).item() == 100


def test_one_token():
    model = SequenceClassifier(word_encoder(), 8, 3)
    assert model(features(1, 1)).shape == (1, 3)


# messages


def test_an_unknown_pooling():
    said = "^unknown pooling 'men': did you mean mean"
    with pytest.raises(ValueError, match=said):
        pool(torch.zeros(1, 2, 3), how="men")
    with pytest.raises(ValueError, match=said):
        SequenceClassifier(nn.Embedding(7, 8), 8, 3, pooling="men")


@pytest.mark.parametrize("keep", [torch.ones(1, 2), torch.ones(1, 3).bool()])
def test_flags_that_are_not_one_bool_a_token(keep):
    said = f"of shape (1, 2), got {keep.dtype} of shape {tuple(keep.shape)}"
    with pytest.raises(ValueError, match=re.escape(said)):
        pool.__wrapped__(torch.zeros(1, 2, 3), keep)  # behind the check of shapes
