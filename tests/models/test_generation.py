from functools import partial
from itertools import islice

import pytest
import torch
from torch import nn

from longctx_edu.attention import causal_attention, full_attention
from longctx_edu.memory import KVCache, SegmentMemory
from longctx_edu.models import (
    EncoderDecoder,
    LanguageModel,
    Transformer,
    TransformerConfig,
    generate,
    greedy,
    sample,
    stream,
)

VOCAB = 11


class Counting(nn.Module):
    """Says the next id, round and round, and notes how it is called."""

    def __init__(self):
        super().__init__()
        self.dropout = nn.Dropout(0.9)
        self.calls, self.modes = [], []

    def forward(self, ids, **pattern):
        self.calls.append(ids.shape[1])
        modes = (
            self.training,
            self.dropout.training,
            torch.is_inference_mode_enabled(),
        )
        self.modes.append(modes)
        self.pattern = pattern
        return nn.functional.one_hot((ids.long() + 1) % VOCAB, VOCAB).double()


def language_model(attention=causal_attention, **sizes):
    """A model of which all weights are drawn, so that it does not repeat itself."""
    config = {"n_layers": 2, "n_heads": 2, "d_model": 8, "d_ff": 12, **sizes}
    torch.manual_seed(0)
    transformer = Transformer(TransformerConfig(VOCAB, **config), attention)
    model = LanguageModel(transformer).double()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.6)
    return model


def prompt(*sizes, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, VOCAB, sizes, generator=generator)


def drawing(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return partial(sample, temperature=1.5, top_k=9, top_p=0.95, generator=generator)


KINDS = {
    "none": {"positions": "none"},
    "learned": {"positions": "learned", "max_tokens": 20},
    "sinusoidal": {"positions": "sinusoidal"},
    "rotary": {"positions": "rotary"},
    "alibi": {"positions": "alibi"},
    "post": {"norm": "post"},
    "grouped": {"n_heads": 4, "n_kv_heads": 2},
    "convolution": {"conv_width": 3},
}
kinds = pytest.mark.parametrize("sizes", KINDS.values(), ids=KINDS)


# equals the definition


def written_by_hand(model, ids, n):
    """Read the whole text for each new token, and take the likeliest."""
    model.eval()
    for _ in range(n):
        new = model(ids)[:, -1].argmax(dim=-1)
        ids = torch.cat([ids, new[:, None]], dim=1)
    return ids


def noting(notes):
    """Choose the likeliest, and note the logits: they tell more than a token does."""

    def choose(logits):
        notes.append(logits)
        return greedy(logits)

    return choose


@kinds
def test_with_and_without_a_cache_the_model_says_the_same(sizes):
    model, ids, without = language_model(**sizes), prompt(3, 5), []
    wanted = written_by_hand(model, ids, 9)
    given = generate(model, ids, max_new_tokens=9, choose=noting(without))
    assert torch.equal(given, wanted)
    for size in (None, 1, 2, 5, 8):
        cache, cached = KVCache(2), []
        options = {"cache": cache, "prefill_tokens": size, "choose": noting(cached)}
        assert torch.equal(generate(model, ids, max_new_tokens=9, **options), wanted)
        torch.testing.assert_close(torch.stack(cached), torch.stack(without))
        assert cache.n_tokens == 13  # the last one is said, and not read


@kinds
def test_with_and_without_a_cache_the_same_tokens_are_drawn(sizes):
    model, ids = language_model(**sizes), prompt(3, 5)
    options = {"max_new_tokens": 9}
    without = generate(model, ids, choose=drawing(), **options)
    cached = generate(model, ids, choose=drawing(), cache=KVCache(2), **options)
    assert torch.equal(without, cached)
    assert not torch.equal(without, generate(model, ids, choose=drawing(1), **options))


def test_a_memory_of_the_whole_text_says_the_same():
    model, ids = language_model(), prompt(2, 5)
    wanted = generate(model, ids, max_new_tokens=6)
    for size in (None, 2):
        memory = SegmentMemory(2, length=20)
        given = generate(
            model, ids, max_new_tokens=6, memory=memory, prefill_tokens=size
        )
        assert torch.equal(given, wanted)
        assert memory.n_tokens == 10


def test_a_decoder_writes_with_another_text_before_its_eyes():
    config = TransformerConfig(VOCAB, n_layers=2, n_heads=2, d_model=8, d_ff=12)
    torch.manual_seed(0)
    model = EncoderDecoder(
        Transformer(config, full_attention),
        Transformer(config, causal_attention, cross=True),
    ).double()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.6)
    source, ids = prompt(2, 7), prompt(2, 1, seed=1)
    keep = torch.arange(7) < torch.tensor([[7], [4]])
    wanted = ids
    for _ in range(6):
        new = model(source, wanted, keep=keep)[:, -1].argmax(dim=-1)
        wanted = torch.cat([wanted, new[:, None]], dim=1)
    told = {"context": model.encoder(source, keep=keep), "context_keep": keep}
    for cache in (None, KVCache(2)):
        given = generate(model.decoder, ids, max_new_tokens=6, cache=cache, **told)
        assert torch.equal(given, wanted)


# equals an outside reference


class Logits(nn.Module):
    """A model of transformers with the face of ours."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, ids):
        return self.model(ids, use_cache=False).logits


@pytest.mark.parametrize("stop", [None, 10])
def test_equals_the_generation_of_transformers(stop):
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(2)
    config = GPT2Config(
        vocab_size=VOCAB,
        n_positions=32,
        n_embd=8,
        n_layer=2,
        n_head=2,
        bos_token_id=None,
        eos_token_id=None,
    )
    theirs = GPT2LMHeadModel(config).double().eval()
    for parameter in theirs.parameters():
        nn.init.normal_(parameter, std=0.7)
    ids = prompt(4, 5)
    wanted = theirs.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=12,
        do_sample=False,
        eos_token_id=stop,
        pad_token_id=0 if stop is None else stop,
    )
    if stop is not None:
        ends = [row.index(stop) for row in wanted[:, 5:].tolist() if stop in row]
        assert len(set(ends)) > 1  # texts end at different places
    given = generate(Logits(theirs), ids, max_new_tokens=12, stop=stop)
    assert torch.equal(given, wanted)


# properties


def test_with_a_cache_each_token_is_read_once():
    model = Counting()
    generate(model, prompt(2, 7), max_new_tokens=4, cache=KVCache(1))
    assert model.calls == [7, 1, 1, 1]
    model = Counting()
    generate(model, prompt(2, 7), max_new_tokens=3, cache=KVCache(1), prefill_tokens=3)
    assert model.calls == [3, 3, 1, 1, 1]


def test_without_a_cache_the_whole_text_is_read_each_time():
    model = Counting()
    text = generate(model, prompt(2, 7), max_new_tokens=3)
    assert model.calls == [7, 8, 9]
    assert torch.equal(text[:, 7:], (text[:, 6:9] + 1) % VOCAB)


def test_a_cache_goes_on_where_it_stood():
    model, ids = language_model(), prompt(2, 5)
    wanted = generate(model, ids, max_new_tokens=9)
    cache = KVCache(2)
    first = generate(model, ids, max_new_tokens=4, cache=cache)
    then = generate(model, first[:, -1:], max_new_tokens=5, cache=cache)
    assert torch.equal(torch.cat([first, then[:, 1:]], dim=1), wanted)


def test_a_cache_serves_by_hand_what_generation_filled():
    model, cache = language_model().eval(), KVCache(2, left=3, sinks=1)
    text = generate(model, prompt(2, 5), max_new_tokens=4, cache=cache)
    again = KVCache(2, left=3, sinks=1)
    model(text[:, :-1], cache=again)
    logits = model(text[:, -1:], cache=cache)
    torch.testing.assert_close(logits, model(text[:, -1:], cache=again))


def test_a_stream_says_what_generation_says():
    model, ids = language_model(), prompt(3, 5)
    wanted = generate(model, ids, max_new_tokens=8)
    given = torch.stack(list(islice(stream(model, ids, cache=KVCache(2)), 8)), dim=1)
    assert torch.equal(given, wanted[:, 5:])


def test_an_endless_stream_keeps_no_more_than_its_cache():
    model, cache = language_model(), KVCache(2, left=6, sinks=2)
    sizes = []
    for n, _ in enumerate(stream(model, prompt(1, 4), choose=drawing(), cache=cache)):
        sizes.append(cache.reserved_bytes)
        if n == 300:
            break
    assert cache.n_tokens == 304
    assert len(set(sizes[50:])) == 1


def test_a_text_that_is_over_is_filled_up_with_its_stop():
    ids = torch.tensor([[5], [2], [7]])
    text = generate(Counting(), ids, max_new_tokens=5, stop=4)
    assert text.tolist() == [
        [5, 6, 7, 8, 9, 10],
        [2, 3, 4, 4, 4, 4],
        [7, 8, 9, 10, 0, 1],
    ]


def test_when_all_texts_are_over_nothing_more_is_read():
    model, ids = Counting(), torch.tensor([[5], [2]])
    text = generate(model, ids, max_new_tokens=50, stop=[4, 8], cache=KVCache(1))
    assert text.tolist() == [[5, 6, 7, 8], [2, 3, 4, 4]]
    assert model.calls == [1, 1, 1]


def test_a_stop_in_the_prompt_stops_nothing():
    text = generate(Counting(), torch.tensor([[4, 4]]), max_new_tokens=2, stop=4)
    assert text.tolist() == [[4, 4, 5, 6]]


@pytest.mark.parametrize("stop", [None, []])
def test_without_a_stop_nothing_stops(stop):
    assert (
        generate(Counting(), prompt(1, 1), max_new_tokens=30, stop=stop).shape[1] == 31
    )


def test_the_model_is_read_without_dropout_and_is_then_as_it_was():
    model = Counting().train()
    tokens = stream(model, prompt(1, 2))
    for _ in range(2):
        next(tokens)
        assert model.training
        assert model.dropout.training
        assert not torch.is_inference_mode_enabled()
    model.dropout.eval()  # a part that is frozen stays so
    next(tokens)
    assert model.training
    assert not model.dropout.training
    assert model.modes == [(False, False, True)] * 3
    generate(model.eval(), prompt(1, 2), max_new_tokens=1)
    assert not model.training


def test_dropout_changes_nothing():
    model, ids = language_model(dropout=0.5), prompt(2, 5)
    wanted = generate(model.eval(), ids, max_new_tokens=6)
    assert torch.equal(generate(model.train(), ids, max_new_tokens=6), wanted)
    assert model.training


def test_a_model_that_fails_is_as_it_was():
    model = language_model(positions="learned", max_tokens=4).train()
    with pytest.raises(ValueError, match="positions from 0 to 3"):
        generate(model, prompt(1, 6), max_new_tokens=1)
    assert all(part.training for part in model.modules())
    assert not torch.is_inference_mode_enabled()


@kinds
def test_what_was_generated_can_be_learnt_from(sizes):
    model = language_model(**sizes).train()
    text = generate(model, prompt(2, 5), max_new_tokens=6, cache=KVCache(2))
    assert not text.is_inference()
    logits = model(text[:, :-1])
    loss = nn.functional.cross_entropy(logits.flatten(0, 1), text[:, 1:].flatten())
    loss.backward()
    assert model.transformer.embedding.weight.grad.isfinite().all()


def test_what_chooses_may_change_its_logits():
    def other_than_3(logits):
        logits[:, 3] = -float("inf")
        return greedy(logits)

    ids = torch.tensor([[2]])
    assert generate(Counting(), ids, max_new_tokens=1, choose=other_than_3)[0, 1] != 3


def test_the_pattern_is_passed_on():
    model, keep = Counting(), torch.ones(1, 3).bool()
    generate(model, prompt(1, 2), max_new_tokens=1, context_keep=keep)
    assert model.pattern == {"context_keep": keep}


# edges


def test_no_new_token_reads_nothing():
    model, ids = Counting(), prompt(2, 3)
    assert torch.equal(generate(model, ids, max_new_tokens=0), ids)
    assert model.calls == []


def test_a_text_ends_where_the_position_table_ends():
    model = language_model(positions="learned", max_tokens=6)
    said = "^need positions from 0 to 5, the rows of the table, got 0 to 6"
    tokens = stream(model, prompt(1, 4))
    assert len(list(islice(tokens, 3))) == 3
    with pytest.raises(ValueError, match=said):
        next(tokens)
    with pytest.raises(ValueError, match="got 6 to 6: cut the text, or use"):
        generate(model, prompt(1, 4), max_new_tokens=4, cache=KVCache(2))
    assert generate(model, prompt(1, 4), max_new_tokens=3).shape == (1, 7)


def test_a_short_format_of_ids():
    text = generate(Counting(), torch.tensor([[1, 2]]).int(), max_new_tokens=2)
    assert text.tolist() == [[1, 2, 3, 4]]


# messages


@pytest.mark.parametrize("write", [generate, stream])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"max_new_tokens": -1}, "need max_new_tokens >= 0, got -1"),
        (
            {"prefill_tokens": 0, "cache": KVCache(1)},
            "need prefill_tokens >= 1, got 0",
        ),
        (
            {"prefill_tokens": 2},
            "need a cache or a memory for prefill_tokens, got 2 and neither",
        ),
        ({"keep": torch.ones(1, 3).bool()}, "need prompts of one length, without keep"),
    ],
)
def test_what_cannot_be_written_on(write, options, said):
    model = Counting()
    with pytest.raises(ValueError, match=f"^{said}"):
        write(model, prompt(1, 3), **{"max_new_tokens": 2, **options})
    assert model.calls == []


@pytest.mark.parametrize("write", [generate, stream])
def test_an_empty_prompt(write):
    said = (
        r"^need a prompt of at least one token, of shape \(batch, token\), got \(2, 0\)"
    )
    with pytest.raises(ValueError, match=said):
        write(Counting(), prompt(2, 0), max_new_tokens=2)


def test_a_cache_of_another_batch():
    model, cache = language_model(), KVCache(2)
    generate(model, prompt(2, 4), max_new_tokens=1, cache=cache)
    with pytest.raises(ValueError, match=r"batch.*2.*3|batch.*3.*2"):
        generate(model, prompt(3, 4), max_new_tokens=1, cache=cache)


@pytest.mark.parametrize(
    ("choose", "got"),
    [
        (
            lambda logits: logits.argmax(dim=-1, keepdim=True),
            r"torch.int64 of shape \(2, 1\)",
        ),
        (lambda logits: logits.amax(dim=-1), r"torch.float64 of shape \(2,\)"),
    ],
)
def test_a_choice_that_is_not_one_id_a_text(choose, got):
    said = rf"^need choose to return one id a text, of shape \(2,\), got {got}$"
    with pytest.raises(ValueError, match=said):
        generate(Counting(), prompt(2, 3), max_new_tokens=1, choose=choose)


def test_a_row_of_nan_names_itself():
    model = language_model()
    nn.init.constant_(model.transformer.norm.weight, float("nan"))
    with pytest.raises(ValueError, match=r"^need a finite largest logit"):
        generate(model, prompt(1, 3), max_new_tokens=1)
