from dataclasses import replace
from functools import partial

import pytest
import torch

from longctx_edu.attention import full_attention, window_attention
from longctx_edu.models import (
    Encoder,
    EncoderBlock,
    EncoderConfig,
    TokenClassifier,
    WordEmbedding,
    attention_named,
    build_tagger,
)

CONFIG = EncoderConfig(
    n_layers=2, n_heads=2, d_model=8, d_ff=12, conv_width=3, n_buckets=64
)


def features(*sizes, seed=0):
    """Random rows of the table, four a word."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, CONFIG.n_buckets, (*sizes, 4), generator=generator)


def drawn(module):
    """Draw all weights anew: what a model starts with is another matter."""
    generator = torch.Generator().manual_seed(1)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.4, generator=generator)
    return module.double().eval()


def tagger(attention):
    return drawn(build_tagger(CONFIG, 5, attention))


# equals the definition


def test_an_embedding_is_meaning_and_neighbours_and_identity():
    embedding = drawn(WordEmbedding(CONFIG))
    inputs = features(1, 4)
    inputs[0, 2, 3] = -1  # stands for nothing
    x = torch.stack(
        [
            sum(embedding.meaning.weight[word[n]] for n in (0, 2, 3) if word[n] >= 0)
            for word in inputs[0]
        ]
    )
    kernel, bias = embedding.conv.weight, embedding.conv.bias
    for at, word in enumerate(inputs[0]):
        near = [x[at + d] if 0 <= at + d < 4 else 0 * x[0] for d in (-1, 0, 1)]
        mixed = bias + sum(kernel[:, :, n] @ near[n] for n in range(3))
        identity = torch.zeros(8, dtype=torch.float64)
        identity[4:] = embedding.codes[word[0]] + embedding.codes[word[1]]
        wanted = x[at] + torch.nn.functional.gelu(mixed) + identity
        torch.testing.assert_close(embedding(inputs)[0, at], wanted)


def test_a_fresh_embedding_knows_which_word_it_is_and_not_what_it_means():
    embedding = WordEmbedding(CONFIG).eval()
    inputs = torch.tensor([[[1, 2, 3, 4], [1, 2, 3, 4], [5, 6, 3, 4]]])
    one, same, other = embedding(inputs)[0]
    assert torch.equal(one[4:], same[4:])
    assert not torch.equal(one[4:], other[4:])
    assert torch.equal(one[:4], other[:4])


def test_the_meaning_of_hidden_words_is_left_out_in_training_alone():
    config = EncoderConfig(d_model=8, n_heads=2, n_buckets=64, hide=0.5)
    embedding = drawn(WordEmbedding(config))
    inputs = features(1, 50)
    wanted = embedding(inputs)
    assert torch.equal(embedding(inputs), wanted)
    assert not torch.equal(embedding.train()(inputs), wanted)


def test_a_block_adds_its_two_parts_to_what_came_in():
    block = drawn(EncoderBlock(CONFIG, full_attention))
    x = torch.randn(2, 5, 8, dtype=torch.float64)
    after = x + block.attention(block.attention_norm(x))
    torch.testing.assert_close(block(x), after + block.feed(block.feed_norm(after)))


def test_a_classifier_is_a_linear_layer_on_the_encoder():
    model = tagger(attention_named("full"))
    inputs = features(2, 5)
    torch.testing.assert_close(model(inputs), model.head(model.encoder(inputs)))


# properties


def test_a_window_as_wide_as_the_text_equals_full_attention():
    full, window = (
        tagger(attention_named("full")),
        tagger(attention_named("window", left=7, right=7)),
    )
    window.load_state_dict(full.state_dict())
    inputs = features(2, 7)
    torch.testing.assert_close(full(inputs), window(inputs))


def test_the_model_sees_no_further_than_its_windows_and_convolution():
    attention = partial(window_attention, left=1, right=1)
    encoder = drawn(Encoder(CONFIG, attention))
    before, changed = features(1, 12), features(1, 12)
    changed[0, 11] = (changed[0, 11] + 1) % CONFIG.n_buckets
    same = (encoder(before) == encoder(changed))[0].all(dim=-1)
    # Two windows of 1 and a convolution over 1: what is 4 away is out of reach.
    assert same.tolist() == [True] * 8 + [False] * 4


def test_a_global_token_brings_the_far_near():
    attention = partial(window_attention, left=1, right=1)
    encoder = drawn(Encoder(CONFIG, attention))
    flags = torch.arange(12)[None] == 11
    before, changed = features(1, 12), features(1, 12)
    changed[0, 11] = (changed[0, 11] + 1) % CONFIG.n_buckets
    moved = encoder(before, global_tokens=flags) != encoder(
        changed, global_tokens=flags
    )
    assert moved[0].any(dim=-1).all()


def test_global_projections_of_the_config_serve_global_tokens_alone():
    config = replace(CONFIG, global_projections=True)
    encoder = drawn(Encoder(config, partial(window_attention, left=1, right=1)))
    inputs, flags = features(1, 12), torch.arange(12)[None] == 11
    plain, with_global = encoder(inputs), encoder(inputs, global_tokens=flags)
    with torch.no_grad():
        for name, weight in encoder.named_parameters():
            if "global" in name:
                weight += 1.0
    assert torch.equal(encoder(inputs), plain)
    assert not torch.allclose(encoder(inputs, global_tokens=flags), with_global)


@pytest.mark.parametrize("name", ["full", "window"])
def test_padding_changes_nothing(name):
    model = tagger(attention_named(name, left=2, right=2))
    long, short = features(1, 9), features(1, 6, seed=1)
    padded = torch.cat([short, torch.full((1, 3, 4), -1)], dim=1)
    keep = torch.arange(9) < torch.tensor([[9], [6]])
    both = model(torch.cat([long, padded]), keep=keep)
    torch.testing.assert_close(both[0], model(long)[0])
    torch.testing.assert_close(both[1, :6], model(short)[0])


def test_dropout_works_in_training_alone():
    config = EncoderConfig(d_model=8, n_heads=2, d_ff=12, n_buckets=64, dropout=0.5)
    model = drawn(build_tagger(config, 5, attention_named("full"))).train()
    inputs = features(1, 6)
    assert not torch.equal(model(inputs), model(inputs))
    model.eval()
    assert torch.equal(model(inputs), model(inputs))


# edges


@pytest.mark.parametrize("name", ["full", "window"])
def test_one_word(name):
    logits = tagger(attention_named(name))(features(1, 1))
    assert logits.shape == (1, 1, 5)
    assert logits.isfinite().all()


def test_a_classifier_takes_any_encoder():
    model = TokenClassifier(torch.nn.Embedding(7, 8), d_model=8, n_labels=3)
    assert model(torch.tensor([[1, 2]])).shape == (1, 2, 3)
